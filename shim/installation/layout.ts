import { TEMPORARY_PREFIX } from '../../common/atomic-file.ts';

/**
 * What an installation is made of: each package as it was unpacked, in a folder of its own that never changes,
 * and one link that says which of them is used. What has the path of the installation in it outlives them all.
 */

/** The folder of the versions. */
export const VERSIONS_FOLDER = 'versions';

/** The link to the version that is used: an upgrade replaces it by one rename. */
export const CURRENT_LINK = 'current';

/** Links to what is in the version that is used; made once. `bedrock-auth` last: whoever has it has all. */
export const PROGRAM_LINKS = [
  ...['daemon', 'runtime', 'service-files', 'shim'],
  ...['credential-process', 'otel-helper', 'bedrock-authd', 'bedrock-auth'],
] as const;

/** What was written elsewhere, and what stood there before. */
export const RECORD_FILE = 'installed.json';

/** Held by an installer while it works. */
export const LOCK_FILE = 'installing';

/** A config.json that could not be read, put aside by an installer. */
export const UNREADABLE_CONFIG = 'config.json.unreadable';

/** How the name of a file or folder begins that an installer had in its way. */
export const REPLACED_PREFIX = '.replaced-';

/** How the name of a version or link ends that is not whole yet. */
export const UNFINISHED_SUFFIX = '.new';

/** What an installer that was killed has left in a folder. */
export function isStaleFile(name: string): boolean {
  const begun = name.startsWith('.') && name.endsWith(UNFINISHED_SUFFIX);
  return begun || name.startsWith(TEMPORARY_PREFIX) || name.startsWith(REPLACED_PREFIX);
}
