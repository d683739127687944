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

/** Settings of people are a few kilobytes; what is larger is something else. */
export const MAX_EDITED_BYTES = 1_048_576;

/**
 * The text of a file that may be changed, or why it may not: what is not read exactly cannot be written
 * back exactly. Undefined when there is no such file.
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
    // Its owner could write all the same: whoever took that away meant it.
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

/** Writes the text back with the file's own mode; a file with nothing left in it goes, and its empty folder. */
export function writeEdited(path: string, text: string): void {
  if (text !== '') {
    replaceFile(path, text, statSync(path).mode & 0o777);
    return;
  }
  rmSync(path);
  removeIfEmpty(dirname(path));
}

/** @returns whether the folder is gone. */
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

/** Whether two paths lead to one file or folder, which is there. */
export function isSamePlace(one: string, other: string): boolean {
  try {
    return realpathSync(one) === realpathSync(other);
  } catch {
    return false;
  }
}
