/**
 * installed.json: what an installer wrote outside the installation's folder, and what stood there before, so
 * that an uninstallation gives that back. Mode 0600: files of people may hold secrets.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readIfThere, replaceFile } from '../protocol/replace-file.ts';
import type { AwsEdits } from './aws-edit.ts';
import type { JsonPath } from './json-text.ts';
import { RECORD } from './layout.ts';

/** Values that were put into a JSON file; `earlier` is left out where there was none. */
export type ValueEdit = { path: JsonPath; wrote: unknown; earlier?: unknown };

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

export type InstallationRecord = { version: 1; files: readonly EditedFile[] };

/** Empty when there is none, or none that can be read: then what leads here tells what is ours. */
export function readRecord(installation: string): InstallationRecord {
  try {
    const record = JSON.parse(readIfThere(join(installation, RECORD)) ?? '{}') as Partial<InstallationRecord>;
    if (record.version === 1 && Array.isArray(record.files)) return { version: 1, files: record.files };
  } catch {
    // As good as none.
  }
  return { version: 1, files: [] };
}

/** Has the record say this of a file, or nothing about it. */
export function record(
  installation: string,
  { kind, path }: Pick<EditedFile, 'kind' | 'path'>,
  file: EditedFile | undefined,
): void {
  const { files } = readRecord(installation);
  const others = files.filter((each) => each.kind !== kind || each.path !== path);
  const all: InstallationRecord = { version: 1, files: file ? [...others, file] : others };
  replaceFile(join(installation, RECORD), `${JSON.stringify(all, null, 2)}\n`, 0o600);
}

/** What became of an edited file: `undone` when it is as it was before the first edit. */
export function stateOf(file: EditedFile, text: string | undefined): 'as written' | 'undone' | 'changed' {
  if (text !== undefined && !file.changed && sha256(text) === file.written) return 'as written';
  return (text ?? null) === file.original ? 'undone' : 'changed';
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
