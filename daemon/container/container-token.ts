import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { rmSync } from 'node:fs';
import { replaceFile } from '../../common/atomic-file.ts';

/** What callers of the container credentials endpoint must send, which only this user can read. */
export type ContainerToken = {
  /** Whether a caller has sent it. Takes the same time for any text. */
  matches(sent: string): boolean;
  /** Removes the file: callers are not to send it to whoever listens next. */
  remove(): void;
};

/** 256 bits, as text that may stand in a header. */
const TOKEN_BYTES = 32;

/**
 * Makes a new token, and its file of mode 0600. New each time: while nobody of ours listened another user's
 * program may have, and been sent the one before.
 *
 * @throws what the file system throws.
 */
export function createContainerToken(path: string): ContainerToken {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  // A link in its place would be followed. SDKs send the content as it is, so without a newline.
  rmSync(path, { force: true });
  replaceFile(path, token, 0o600);
  const expected = digest(token);
  return {
    matches: (sent) => timingSafeEqual(digest(sent), expected),
    remove: () => removeContainerToken(path),
  };
}

/** The same for what a daemon that was killed has left. Never throws. */
export function removeContainerToken(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // A directory in its place holds no token.
  }
}

/** Of one length, whatever was sent. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
