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

/** How the name of a file begins that is not whole yet; one is left where a program was killed. */
export const TEMPORARY_PREFIX = '.ccwb-';

/**
 * Gives a file a content and a mode as a whole: readers find the old file or the new one, also after a
 * crash. A symbolic link stays one, the file it leads to is replaced. Missing directories are made for this
 * user only.
 *
 * @returns whether anything had to change.
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
      // Whatever the umask is: the same file must not look different to the next call.
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

/** The file's content, or undefined when there is none. */
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
