/**
 * The system calls Node has no function for, through koffi: the one file that imports it. Where it cannot
 * be loaded, each function says so by returning undefined, and its caller decides what that costs.
 */
import { createRequire } from 'node:module';
import type { KoffiFunc } from 'koffi';

type Koffi = typeof import('koffi');

/** flock(2): exclusive, and an error instead of waiting. The same values on Linux and macOS. */
const LOCK_EX = 2;
const LOCK_NB = 4;

let libc: { flock: KoffiFunc<(fd: number, operation: number) => number> } | undefined | 'unavailable';

function load(): Exclude<typeof libc, 'unavailable'> {
  if (libc === undefined) {
    try {
      const koffi = createRequire(import.meta.url)('koffi') as Koffi;
      // No name: the symbols the running process has already, whichever C library that is.
      const self = koffi.load(null);
      libc = { flock: self.func('int flock(int fd, int operation)') };
    } catch {
      libc = 'unavailable';
    }
  }
  return libc === 'unavailable' ? undefined : libc;
}

/**
 * Takes an exclusive lock on an open file without waiting (flock(2)). The kernel releases it when the
 * descriptor is closed, however the process ends.
 *
 * @returns whether the lock is ours; undefined where the call is not available.
 */
export function tryLock(fd: number): boolean | undefined {
  const functions = load();
  return functions && functions.flock(fd, LOCK_EX | LOCK_NB) === 0;
}
