import { TEMPORARY_PREFIX } from '../../common/atomic-file.ts';

/**
 * Names in the folder of an installation. Each version has a folder that never changes, and one link names the
 * version in use. Paths outside the installation refer to links here, so they stay valid across upgrades.
 */

/** The folder that holds one folder for each version. */
export const VERSIONS_FOLDER = 'versions';

/** The link to the version in use. An upgrade replaces it by one rename. */
export const CURRENT_LINK = 'current';

/** Links into the version in use, created once. `bedrock-auth` is last: if it exists, all others do. */
export const PROGRAM_LINKS = [
  ...['daemon', 'runtime', 'service-files', 'shim'],
  ...['credential-process', 'otel-helper', 'bedrock-authd', 'bedrock-auth'],
] as const;

/** The installation record: edits of files elsewhere, and the texts from before them. */
export const RECORD_FILE = 'installed.json';

/** The lock of a running installer. */
export const LOCK_FILE = 'installing';

/** Copy of a config.json that could not be parsed. */
export const UNREADABLE_CONFIG = 'config.json.unreadable';

/** Prefix of a file or folder that an installer has moved out of its way. */
export const REPLACED_PREFIX = '.replaced-';

/** Suffix of a version or link that is not complete yet. */
export const UNFINISHED_SUFFIX = '.new';

/** Recognizes the names that a killed installer leaves in a folder. */
export function isStaleFile(name: string): boolean {
  const isUnfinished = name.startsWith('.') && name.endsWith(UNFINISHED_SUFFIX);
  return isUnfinished || name.startsWith(TEMPORARY_PREFIX) || name.startsWith(REPLACED_PREFIX);
}
