import {
  closeSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** Prefix of the temporary file that {@link replaceFile} renames. A killed program leaves one behind. */
export const TEMPORARY_PREFIX = '.ccwb-';

/**
 * Replaces content and mode of a file atomically: readers find the old file or the new one, also after a
 * crash. The target of a symbolic link is replaced, the link stays. Missing directories are created with
 * mode 0700.
 *
 * @returns true if the file changed.
 */
export function replaceFile(path: string, text: string, mode: number): boolean {
  if (readFileIfExists(path) === text && (statSync(path).mode & 0o777) === mode) return false;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const target = realpathIfExists(path);
  const temporary = join(dirname(target), `${TEMPORARY_PREFIX}${process.pid}.tmp`);
  try {
    rmSync(temporary, { force: true });
    const fd = openSync(temporary, 'wx', mode);
    try {
      writeFileSync(fd, text);
      // The umask must not change the mode: the next call compares it.
      fchmodSync(fd, mode);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  const directory = openSync(dirname(target), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
  return true;
}

/** Returns the content of a file; undefined if the file does not exist. */
export function readFileIfExists(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function realpathIfExists(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (isMissing(error)) return path;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
}
