import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { rmSync } from 'node:fs';
import { replaceFile } from '../../common/atomic-file.ts';

/** The authorization token for the container credentials endpoint, which only this user can read. */
export type ContainerToken = {
  /** True if the text is the token. Takes the same time for any text. */
  matches(sent: string): boolean;
  /** Removes the file, so that callers do not send the token to the next program on the port. */
  remove(): void;
};

/** Length of the token: 256 bits, encoded as base64url for a header. */
const TOKEN_BYTES = 32;

/**
 * Creates a token and its file, mode 0600. Each start needs a new token: while no daemon listened, another
 * user's program on the port may have received the old one.
 *
 * @throws errors of the file system.
 */
export function createContainerToken(path: string): ContainerToken {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  // Removed first, because a link would be followed. No newline: SDKs send the content unchanged.
  rmSync(path, { force: true });
  replaceFile(path, token, 0o600);
  const expected = digest(token);
  return {
    matches: (sent) => timingSafeEqual(digest(sent), expected),
    remove: () => removeContainerToken(path),
  };
}

/** Removes the token's file, also that of a killed daemon. Never throws. */
export function removeContainerToken(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // A directory in its place holds no token.
  }
}

/** Returns a digest, so that texts of different lengths can be compared in constant time. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
