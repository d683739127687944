import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { replaceFile } from '../../common/atomic-file.ts';
import {
  type EditedFile,
  editState,
  isSameFile,
  readInstallationRecord,
  recordFinishedEdit,
  recordPlannedEdit,
  sha256,
} from '../installation/installation-record.ts';
import type { ShimEdges } from '../program/edges.ts';
import { shortPath } from '../terminal/format.ts';
import { readForEdit } from '../user-files/edit-file.ts';
import { type InstallPlan, manualStep, NO_CHANGES } from './install-plan.ts';

/** The new text of a file, and all edits that installations have made in it. */
export type EditedText = Pick<EditedFile, 'aws' | 'values'> & { text: string };

export type UserFileEdit = {
  kind: EditedFile['kind'];
  path: string;
  /** Names of the parts that change, for the plan. */
  summary: string;
  /** Lines for a user who has to edit the file by hand. */
  manualLines: string;
  /** @param before the record of earlier edits; undefined if none of them is left in the file. */
  edit(text: string, before: EditedFile | undefined): EditedText | { problem: string };
  /** Returns the text without parts that refer to this installation: old versions wrote no record. */
  textWithoutOurs(text: string): string;
};

/**
 * Plans the change of one file of the user. The original text is recorded before the file is written, so that an
 * uninstallation can restore it even if the installer is killed in between.
 */
export function planUserFileEdit(edges: ShimEdges, wanted: UserFileEdit): InstallPlan {
  const { kind, path } = wanted;
  const { installation, env } = edges;
  const where = shortPath(path, env.HOME);
  const leave = (problem: string): InstallPlan =>
    manualStep(`${where} is left as it is: ${problem}`, `put this into it yourself:\n${wanted.manualLines}`);
  const file = readForEdit(path);
  if (file && 'problem' in file) return leave(file.problem);
  const text = file?.text;
  const { files, unfinished } = readInstallationRecord(installation);
  const known = files.find((each) => isSameFile(each, wanted));
  const interrupted = unfinished.find((each) => isSameFile(each, wanted));
  const state = known && editState(known, text);
  const before = state === 'undone' ? undefined : known;
  const edited = wanted.edit(text ?? '', before);
  if ('problem' in edited) return leave(edited.problem);
  if (edited.text === text) return NO_CHANGES;
  const { text: written, ...edits } = edited;
  const entry: EditedFile = {
    kind,
    path,
    original: before ? before.original : text === undefined ? null : wanted.textWithoutOurs(text),
    ...(before?.changed || state === 'changed' ? { changed: true } : {}),
    written: sha256(written),
    folders: [...new Set([...((known ?? interrupted)?.folders ?? []), ...missingFolders(path)])],
    ...edits,
  };
  const apply = (): undefined => {
    recordPlannedEdit(installation, entry);
    replaceFile(path, written, text === undefined ? 0o600 : statSync(path).mode & 0o777);
    recordFinishedEdit(installation, entry);
  };
  return { changes: [{ text: `${where}: ${wanted.summary}`, apply }], manualSteps: [] };
}

/** Returns the folders that have to be created for a file, outermost first. */
function missingFolders(path: string): string[] {
  const folder = dirname(path);
  return existsSync(folder) ? [] : [...missingFolders(folder), folder];
}
