/**
 * installed.json: what an installer wrote outside the installation's folder, and what stood there before, so
 * that an uninstallation gives that back. Mode 0600: files of people may hold secrets.
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
  /** The text before the first edit, without what leads to this installation; null when there was no file. */
  original: string | null;
  /** Somebody else has changed the file since: then only what is ours is taken out of it. */
  changed?: true;
  /** SHA-256 of the text that was written, in hexadecimal digits. */
  written: string;
  /** Folders that were made for it, outermost first. */
  folders: readonly string[];
  /** For `aws-config`. */
  aws?: AwsEdits;
  /** For `claude-settings`. */
  values?: readonly ValueEdit[];
};

export type InstallationRecord = {
  files: readonly EditedFile[];
  /** What was about to be written when an installer ended: the files are as they were before it. */
  unfinished: readonly EditedFile[];
};

/** As it is in the file: `announced` is noted before a file is written, and holds when it was. */
type StoredRecord = { version: 1; files: readonly EditedFile[]; announced: readonly EditedFile[] };

/** Empty when there is none, or none that can be read: then what leads here tells what is ours. */
export function readInstallationRecord(installation: string): InstallationRecord {
  const { files, announced } = readStoredRecord(installation);
  const done = announced.filter((file) => hasPlannedText(file));
  return {
    files: [...files.filter((file) => !done.some((each) => isSameFile(each, file))), ...done],
    unfinished: announced.filter((file) => !done.includes(file)),
  };
}

/** Notes what is about to be written, before it is: whichever of both is found later, it is known. */
export function recordPlannedEdit(installation: string, file: EditedFile): void {
  const { files, unfinished: abandoned } = readInstallationRecord(installation);
  writeStoredRecord(installation, files, [...abandoned.filter((each) => !isSameFile(each, file)), file]);
}

/** Notes that what was announced has been written. */
export function recordFinishedEdit(installation: string, file: EditedFile): void {
  const { files, unfinished: abandoned } = readInstallationRecord(installation);
  writeStoredRecord(installation, [...files.filter((each) => !isSameFile(each, file)), file], abandoned);
}

export function isSameFile(one: EditedFile, { kind, path }: Pick<EditedFile, 'kind' | 'path'>): boolean {
  return one.kind === kind && one.path === path;
}

/** What became of an edited file: `undone` when it is as it was before the first edit. */
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
    // As good as none.
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
