import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';

/** Age up to which a lock file without a process number counts as being written, in milliseconds. */
const UNWRITTEN_LOCK_MS = 2_000;

/** The lock of this process until it ends it; or the process that holds it, undefined if unknown. */
export type ProcessLock = { end(): void } | { holder: number | undefined };

/**
 * Takes the lock file at `path`, which names the process that holds it. A lock whose process has ended, or that
 * is older than `longestMs`, is free. It only avoids double work and does not exclude it: two processes that find
 * the lock of a dead process may both take it.
 *
 * @param now milliseconds since the epoch.
 * @throws NodeJS.ErrnoException when the file can be neither written nor read.
 */
export function tryProcessLock(path: string, now: number, longestMs = Number.POSITIVE_INFINITY): ProcessLock {
  for (let tries = 0; ; tries += 1) {
    try {
      writeFileSync(path, `${process.pid}\n`, { flag: 'wx', mode: 0o600 });
      return { end: () => rmSync(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = holderOf(path);
    const ageMs = ageOf(path, now);
    // A lock with this process's own number is left from an earlier one: containers reuse numbers soon.
    const held =
      holder === undefined
        ? ageMs < UNWRITTEN_LOCK_MS
        : ageMs < longestMs && holder !== process.pid && isProcessRunning(holder);
    if (tries > 0 || held) return { holder };
    rmSync(path, { force: true });
  }
}

function holderOf(path: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(path, 'utf8'), 10) || undefined;
  } catch (error) {
    // It was released just now.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Returns the age in milliseconds, positive also after the clock was set back. Infinity if the file is missing. */
function ageOf(path: string, now: number): number {
  const writtenAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return writtenAt === undefined ? Number.POSITIVE_INFINITY : Math.abs(now - writtenAt);
}

/** True if a process with this number exists, of any user. */
export function isProcessRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
