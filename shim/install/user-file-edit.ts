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

/** What a file is to say, and what was put into it for that, now and earlier. */
export type EditedText = Pick<EditedFile, 'aws' | 'values'> & { text: string };

export type UserFileEdit = {
  kind: EditedFile['kind'];
  path: string;
  /** What of the file changes, for the plan. */
  summary: string;
  /** The lines for a person who has to do it. */
  manualLines: string;
  /** @param before what the record has of it; undefined when nothing of it is there. */
  edit(text: string, before: EditedFile | undefined): EditedText | { problem: string };
  /** The text without what leads to this installation: an earlier one left no record. */
  textWithoutOurs(text: string): string;
};

/**
 * The change of one file of the user's. What was there is recorded before anything is written, so that an
 * uninstallation can give it back whatever comes between.
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
  const { files, unfinished: abandoned } = readInstallationRecord(installation);
  const known = files.find((each) => isSameFile(each, wanted));
  const begun = abandoned.find((each) => isSameFile(each, wanted));
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
    folders: [...new Set([...((known ?? begun)?.folders ?? []), ...missingFolders(path)])],
    ...edits,
  };
  const make = (): undefined => {
    recordPlannedEdit(installation, entry);
    replaceFile(path, written, text === undefined ? 0o600 : statSync(path).mode & 0o777);
    recordFinishedEdit(installation, entry);
  };
  return { changes: [{ text: `${where}: ${wanted.summary}`, apply: make }], manualSteps: [] };
}

/** Those that have to be made for a file, outermost first. */
function missingFolders(path: string): string[] {
  const folder = dirname(path);
  return existsSync(folder) ? [] : [...missingFolders(folder), folder];
}
