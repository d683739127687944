import {
  accessSync,
  constants,
  lstatSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { replaceFile } from '../../common/atomic-file.ts';

/** Largest file that is edited. Settings of users are a few kilobytes. */
export const MAX_EDITED_BYTES = 1_048_576;

/**
 * Reads a file that is to be edited. Returns a problem if it cannot be read exactly or must not be written; undefined
 * if there is no such file.
 */
export function readForEdit(path: string): { text: string } | { problem: string } | undefined {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) return leadsNowhere(path) ? { problem: 'it is a link that leads nowhere' } : undefined;
    if (!stat.isFile()) return { problem: 'it is no file' };
    const { uid, size } = stat;
    if (uid !== process.getuid?.()) return { problem: `it belongs to uid ${uid}` };
    if (size > MAX_EDITED_BYTES) return { problem: `it is over ${MAX_EDITED_BYTES / 1_048_576} MiB` };
    const bytes = readFileSync(path);
    const text = bytes.toString('utf8');
    if (!Buffer.from(text, 'utf8').equals(bytes) || text.includes('\0')) {
      return { problem: 'it is no UTF-8 text' };
    }
    // A rename could replace it all the same, but somebody has made it read-only on purpose.
    if ((stat.mode & 0o200) === 0) return { problem: 'it is read-only' };
    accessSync(path, constants.W_OK);
    accessSync(dirname(realpathSync(path)), constants.W_OK | constants.X_OK);
    return { text };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') return undefined;
    if (code === 'EROFS') return { problem: 'it is on a disk that is read-only' };
    return { problem: code === 'EACCES' ? 'it may not be changed' : `it cannot be read (${code})` };
  }
}

/** Writes the text with the file's own mode. For an empty text the file is removed, and its folder if empty. */
export function writeEdited(path: string, text: string): void {
  if (text !== '') {
    replaceFile(path, text, statSync(path).mode & 0o777);
    return;
  }
  rmSync(path);
  removeIfEmpty(dirname(path));
}

/** @returns true if the folder does not exist any more. */
export function removeIfEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function leadsNowhere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/** Checks that two paths lead to the same existing file or folder. */
export function isSamePlace(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other);
  } catch {
    return false;
  }
}
