import { closeSync, constants, fstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asCcwbError, CcwbError } from '../../protocol/errors.ts';
import { causeOf, type Log } from '../platform/log.ts';
import { tryLock } from '../platform/native.ts';
import { TIMING } from '../timing.ts';

const NO_LINK = constants.O_NOFOLLOW ?? 0;

/**
 * Takes the lock of one stored credential, for as long as its refresh token is being spent or replaced.
 * Calling the result releases it.
 *
 * @param waitMs how long another process may keep it, in milliseconds.
 * @throws CcwbError ERR_SESSION_BUSY when it was not released in time, ERR_STORE_FAILED when the lock cannot be created.
 */
export type LockCredential = (key: string, waitMs: number) => Promise<() => void>;

/** The lock of one credential, held once by this process for all who need it at the same time. */
export type SharedLock = {
  /** Runs `action` while the lock is held. @throws CcwbError as {@link LockCredential} */
  hold<T>(waitMs: number, action: () => Promise<T>): Promise<T>;
  /**
   * Runs what a person has decided: it waits only briefly for another daemon's refresh, then runs without
   * the lock.
   */
  holdBriefly(action: () => Promise<void>): Promise<void>;
};

export function createSharedLock(key: string, lockCredential: LockCredential, log: Log): SharedLock {
  let lock: Promise<() => void> | undefined;
  let holders = 0;
  const hold = async <T>(waitMs: number, action: () => Promise<T>): Promise<T> => {
    lock ??= lockCredential(key, waitMs).catch((error: unknown) => {
      lock = undefined;
      throw error;
    });
    const release = await lock;
    holders += 1;
    try {
      return await action();
    } finally {
      holders -= 1;
      if (holders === 0) {
        lock = undefined;
        release();
      }
    }
  };
  return {
    hold,
    holdBriefly: (action) =>
      hold(TIMING.lockBrieflyMs, action).catch(async (error: unknown) => {
        log('warn', 'credential not locked', { code: asCcwbError(error).code, cause: causeOf(error) });
        await action();
      }),
  };
}

/**
 * Creates locks as files in a directory that is shared by every daemon of this user that can reach the
 * stored item: a lock belongs to the item, not to the process that asks. The kernel releases it when its
 * holder ends in any way (flock(2)). Where that call is missing nothing is locked, and one daemon per
 * socket is the only protection against two spenders.
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
    const fd = isDiskNotWritable(cause)
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

/** True for a disk that is full, or that the kernel has made read-only. */
function isDiskNotWritable(cause: unknown): boolean {
  return ['EROFS', 'ENOSPC', 'EDQUOT'].includes(String((cause as NodeJS.ErrnoException).code));
}

/**
 * Opens the first of these paths that exists and belongs to this user. A lock needs no write: where its
 * file cannot be created, no daemon has one, and all of them lock the directory instead.
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
