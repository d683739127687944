import { rmSync, statSync } from 'node:fs';
import { replaceFile } from '../../common/atomic-file.ts';
import { type EditedFile, editState } from '../installation/installation-record.ts';
import type { ShimEdges } from '../program/edges.ts';
import { shortPath } from '../terminal/format.ts';
import { readForEdit, removeIfEmpty, writeEdited } from '../user-files/edit-file.ts';
import type { UninstallPlan } from './uninstall-plan.ts';

/** A file of the user's, with what the record has of it. */
export type UndoableFile = Pick<EditedFile, 'path'> & Partial<EditedFile>;

export type UndoRules = {
  /** What of the text is ours, and what may be; undefined when it cannot be read. */
  ownNames(text: string): { ours: readonly string[]; maybe: readonly string[] } | undefined;
  /** The text without what is ours. */
  textWithoutOurs(text: string): string;
};

/**
 * What an installation has put into a file of the user's: the same bytes come back when nobody has changed it
 * since, else what is ours goes and the rest stays. Without a record what leads here tells what is ours.
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
  const left = maybe.length === 0 ? [] : [`${where}: ${maybe.join(', ')} may be your own`];
  if (!back && undo.textWithoutOurs(found.text) === found.text) return { steps: [], kept: left };
  const what = ours.length === 0 ? 'what was put into it' : ours.join(', ');
  const remove = async (): Promise<string[]> => {
    // As it is now: a person may have taken a while to say yes.
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
  return { steps: [{ text: `${what} in ${where}`, remove }], kept: left };
}

/** A file that was made for this goes when nothing is left in it, and so do the folders made for it. */
function restore({ path, original, folders }: EditedFile, text: string | null): void {
  if (text === null || (text === '' && original === null)) {
    rmSync(path);
    for (const folder of [...folders].reverse()) removeIfEmpty(folder);
  } else replaceFile(path, text, statSync(path).mode & 0o777);
}

function isRecorded(file: UndoableFile): file is EditedFile {
  return file.written !== undefined && file.original !== undefined;
}
