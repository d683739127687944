import { rmSync, statSync } from 'node:fs';
import { replaceFile } from '../../common/atomic-file.ts';
import { type EditedFile, editState } from '../installation/installation-record.ts';
import type { ShimEdges } from '../program/edges.ts';
import { shortPath } from '../terminal/format.ts';
import { readForEdit, removeIfEmpty, writeEdited } from '../user-files/edit-file.ts';
import type { UninstallPlan } from './uninstall-plan.ts';

/** A file of the user, with its entry in the installation record, if any. */
export type UndoableFile = Pick<EditedFile, 'path'> & Partial<EditedFile>;

export type UndoRules = {
  /** Names the parts that are ours, and those that may be; undefined if the text cannot be parsed. */
  ownNames(text: string): { ours: readonly string[]; maybe: readonly string[] } | undefined;
  /** Returns the text without our parts. */
  textWithoutOurs(text: string): string;
};

/**
 * Plans the removal of an installation's edits from a file of the user. A file that nobody has changed since gets its
 * original bytes back. From any other file only our parts are removed: those in the record, or, without a record,
 * those that refer to this installation.
 */
export function planUndo(edges: ShimEdges, file: UndoableFile, undo: UndoRules): UninstallPlan {
  const { path } = file;
  const where = shortPath(path, edges.env.HOME);
  const found = readForEdit(path);
  if (!found) return { steps: [], kept: [] };
  if ('problem' in found) return { steps: [], kept: [`${where}: not looked at, ${found.problem}`] };
  const names = undo.ownNames(found.text);
  const back = isRecorded(file) && editState(file, found.text) === 'as written';
  if (!names && !back) return { steps: [], kept: [`${where}: not looked at, it is no JSON object`] };
  const { ours, maybe } = names ?? { ours: [], maybe: [] };
  const kept = maybe.length === 0 ? [] : [`${where}: ${maybe.join(', ')} may be your own`];
  if (!back && undo.textWithoutOurs(found.text) === found.text) return { steps: [], kept };
  const what = ours.length === 0 ? 'what was put into it' : ours.join(', ');
  const remove = async (): Promise<string[]> => {
    // Read again, because the user may have taken a while to confirm.
    const now = readForEdit(path);
    if (!now) return [];
    if ('problem' in now) return [`${where}: ${now.problem}; remove ${what} by hand`];
    if (!isRecorded(file)) {
      writeEdited(path, undo.textWithoutOurs(now.text));
      return [];
    }
    const asWritten = editState(file, now.text) === 'as written';
    restore(file, asWritten ? file.original : undo.textWithoutOurs(now.text));
    return [];
  };
  return { steps: [{ text: `${what} in ${where}`, remove }], kept };
}

/** Writes the text back. A file that the installer created is removed if it is empty, with its created folders. */
function restore({ path, original, folders }: EditedFile, text: string | null): void {
  if (text === null || (text === '' && original === null)) {
    rmSync(path);
    for (const folder of [...folders].reverse()) removeIfEmpty(folder);
  } else replaceFile(path, text, statSync(path).mode & 0o777);
}

function isRecorded(file: UndoableFile): file is EditedFile {
  return file.written !== undefined && file.original !== undefined;
}
