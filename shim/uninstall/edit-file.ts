import { accessSync, constants, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { replaceFile } from '../../protocol/replace-file.ts';

/**
 * The text of a file that may be changed, or why it may not: what is not read exactly cannot be written
 * back exactly. Undefined when there is no such file.
 */
export function readForEdit(path: string): { text: string } | { problem: string } | undefined {
  try {
    const bytes = readFileSync(path);
    const text = bytes.toString('utf8');
    if (!Buffer.from(text, 'utf8').equals(bytes)) return { problem: 'it is no UTF-8 text' };
    accessSync(path, constants.W_OK);
    const { uid } = statSync(path);
    return uid === process.getuid?.() ? { text } : { problem: `it belongs to uid ${uid}` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
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
