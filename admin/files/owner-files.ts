/** Files of the administrator, private to this user. Errors name the path. */
import { chmodSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { readFileIfExists, replaceFile } from '../../common/atomic-file.ts';
import { CcwbError } from '../../protocol/errors.ts';

/** The text of a file; undefined when there is none. @throws CcwbError ERR_CONFIG_INVALID */
export function readOwnerFile(path: string): string | undefined {
  try {
    return readFileIfExists(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/**
 * Writes a file as a whole.
 *
 * @returns true when anything had to change.
 * @throws CcwbError ERR_CONFIG_INVALID
 */
export function writeOwnerFile(path: string, text: string): boolean {
  return changing(path, () => replaceFile(path, text, 0o600));
}

/** Makes a folder private that others can read. @throws CcwbError ERR_CONFIG_INVALID */
export function closeFolder(path: string): void {
  changing(path, () => {
    if ((statSync(path).mode & 0o777) !== 0o700) chmodSync(path, 0o700);
  });
}

/** Removes a file, if it is there. @throws CcwbError ERR_CONFIG_INVALID */
export function removeOwnerFile(path: string): void {
  changing(path, () => rmSync(path, { force: true }));
}

export function unreadable(path: string, cause: unknown): CcwbError {
  const message = `${path} cannot be read (${codeOf(cause)})`;
  return new CcwbError('ERR_CONFIG_INVALID', message, `make ${path} readable for you`, { cause });
}

function changing<T>(path: string, change: () => T): T {
  try {
    return change();
  } catch (cause) {
    const fix = `make room there, or make ${dirname(path)} yours and writable; or set CCWB_HOME`;
    const message = `${path} cannot be written (${codeOf(cause)})`;
    throw new CcwbError('ERR_CONFIG_INVALID', message, fix, { cause });
  }
}

function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? 'unknown error';
}
