import { closeSync, constants, fstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CcwbError } from '../../protocol/errors.ts';
import { causeOf } from '../platform/log.ts';
import { tryLock } from '../platform/native.ts';
import { TIMING } from '../timing.ts';

const NO_LINK = constants.O_NOFOLLOW ?? 0;

/**
 * Takes the lock of one stored credential, for as long as its refresh token is being spent or replaced;
 * calling the result lets go of it.
 *
 * @param waitMs how long another process may keep it, in milliseconds.
 * @throws CcwbError ERR_SESSION_BUSY when it did not let go in time, ERR_STORE_FAILED when the lock cannot be made.
 */
export type LockCredential = (key: string, waitMs: number) => Promise<() => void>;

/**
 * Locks as files in a directory that every daemon of this user that can reach the stored item shares: the
 * lock is about the item, not about who asks. The kernel lets go of it when its holder ends, however that is
 * (flock(2)); where that call is missing there is nothing to lock with, and the one daemon per socket is
 * all that stands against two spenders.
 */
export function createCredentialLocks(directory: string): LockCredential {
  return async (key, waitMs) => {
    const path = join(directory, `${key}.lock`);
    const deadline = performance.now() + waitMs;
    const fd = openLock(directory, path);
    while (tryLock(fd) === false) {
      if (performance.now() >= deadline) {
        closeSync(fd);
        throw busy(path);
      }
      await sleep(TIMING.lockPollMs);
    }
    return () => closeSync(fd);
  };
}

function openLock(directory: string, path: string): number {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return openSync(path, constants.O_RDWR | constants.O_CREAT | NO_LINK, 0o600);
  } catch (cause) {
    const fd = cannotBeWritten(cause)
      ? openExisting([path, directory, dirname(directory), dirname(dirname(directory))])
      : undefined;
    if (fd !== undefined) return fd;
    throw new CcwbError(
      'ERR_STORE_FAILED',
      `the lock ${path} cannot be opened: ${causeOf(cause)}`,
      'check free space and permissions there, then try again',
      { cause },
    );
  }
}

/** A disk that is full, or that the kernel has made read-only. */
function cannotBeWritten(cause: unknown): boolean {
  return ['EROFS', 'ENOSPC', 'EDQUOT'].includes(String((cause as NodeJS.ErrnoException).code));
}

/**
 * The first of them that is there and this user's own. A lock needs nothing written: where the file is
 * missing and cannot be made, it is missing for every daemon, and the directory it belongs into stands for it.
 */
function openExisting(paths: readonly string[]): number | undefined {
  for (const path of paths) {
    try {
      const fd = openSync(path, constants.O_RDONLY | NO_LINK);
      const { uid } = fstatSync(fd);
      if (process.getuid === undefined || uid === process.getuid()) return fd;
      closeSync(fd);
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return undefined;
    }
  }
  return undefined;
}

function busy(path: string): CcwbError {
  return new CcwbError(
    'ERR_SESSION_BUSY',
    `another daemon of yours is refreshing the same sign-in and does not finish (lock ${path})`,
    'it is tried again by itself; end other bedrock-authd processes of yours if it stays so',
  );
}
