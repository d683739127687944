/**
 * The installation record, installed.json: every edit of a file outside the installation's folder, and the text from
 * before it, which an uninstallation restores. Mode 0600, because files of users may hold secrets.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readFileIfExists, replaceFile } from '../../common/atomic-file.ts';
import type { AwsEdits } from '../user-files/aws-edit.ts';
import type { ValueEdit } from '../user-files/settings-edit.ts';
import { RECORD_FILE } from './layout.ts';

export type EditedFile = {
  kind: 'aws-config' | 'claude-settings';
  path: string;
  /** The text before the first edit, without references to this installation; null if there was no file. */
  original: string | null;
  /** The file was changed by others between two installations: an uninstallation then removes only our edits. */
  changed?: true;
  /** SHA-256 of the written text, in hexadecimal digits. */
  written: string;
  /** Folders that were created for the file, outermost first. */
  folders: readonly string[];
  /** For `aws-config`. */
  aws?: AwsEdits;
  /** For `claude-settings`. */
  values?: readonly ValueEdit[];
};

export type InstallationRecord = {
  files: readonly EditedFile[];
  /** Edits that were recorded but never written, because the installer was killed. */
  unfinished: readonly EditedFile[];
};

/** The JSON in the file. An entry of `announced` is added before a file is written, and counts once it was. */
type StoredRecord = { version: 1; files: readonly EditedFile[]; announced: readonly EditedFile[] };

/** Reads the record. Empty if it is missing or unreadable: references to the installation then show what is ours. */
export function readInstallationRecord(installation: string): InstallationRecord {
  const { files, announced } = readStoredRecord(installation);
  const done = announced.filter((file) => hasPlannedText(file));
  return {
    files: [...files.filter((file) => !done.some((each) => isSameFile(each, file))), ...done],
    unfinished: announced.filter((file) => !done.includes(file)),
  };
}

/** Records an edit before the file is written, so that a killed installer leaves no unknown edit. */
export function recordPlannedEdit(installation: string, file: EditedFile): void {
  const { files, unfinished } = readInstallationRecord(installation);
  writeStoredRecord(installation, files, [...unfinished.filter((each) => !isSameFile(each, file)), file]);
}

/** Records that the file of a planned edit has been written. */
export function recordFinishedEdit(installation: string, file: EditedFile): void {
  const { files, unfinished } = readInstallationRecord(installation);
  writeStoredRecord(installation, [...files.filter((each) => !isSameFile(each, file)), file], unfinished);
}

/** Compares kind and path. */
export function isSameFile(one: EditedFile, { kind, path }: Pick<EditedFile, 'kind' | 'path'>): boolean {
  return one.kind === kind && one.path === path;
}

/** Returns the state of an edited file: `undone` means that it has the text from before the first edit. */
export function editState(file: EditedFile, text: string | undefined): 'as written' | 'undone' | 'changed' {
  if (text !== undefined && !file.changed && sha256(text) === file.written) return 'as written';
  return (text ?? null) === file.original ? 'undone' : 'changed';
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function hasPlannedText({ path, written }: EditedFile): boolean {
  try {
    return sha256(readFileIfExists(path) ?? '') === written;
  } catch {
    return false;
  }
}

function readStoredRecord(installation: string): StoredRecord {
  try {
    const stored = JSON.parse(
      readFileIfExists(join(installation, RECORD_FILE)) ?? '{}',
    ) as Partial<StoredRecord>;
    if (stored.version === 1 && Array.isArray(stored.files) && Array.isArray(stored.announced)) {
      return { version: 1, files: stored.files, announced: stored.announced };
    }
  } catch {
    // A damaged record counts as a missing one.
  }
  return { version: 1, files: [], announced: [] };
}

function writeStoredRecord(
  installation: string,
  files: readonly EditedFile[],
  announced: readonly EditedFile[],
): void {
  const stored: StoredRecord = { version: 1, files, announced };
  replaceFile(join(installation, RECORD_FILE), `${JSON.stringify(stored, null, 2)}\n`, 0o600);
}
