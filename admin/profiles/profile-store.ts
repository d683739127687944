/** The administrator's profiles on disk: one file each, for this user only. */
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { readFileIfExists } from '../../common/atomic-file.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { isObject } from '../../protocol/json.ts';
import { formatValue } from '../../protocol/profile-reader.ts';
import type { Environment } from '../edges.ts';
import {
  closeFolder,
  readOwnerFile,
  removeOwnerFile,
  unreadable,
  writeOwnerFile,
} from '../files/owner-files.ts';
import { type AdminProfile, PROFILE_NAME, PROFILE_NAME_WORDS, PROFILE_SCHEMA } from './admin-profile.ts';
import { checkProfile } from './profile-check.ts';
import { migrate, schemaOf } from './profile-migrations.ts';

/** Folder of everything an administrator keeps: `~/.ccwb`, or `CCWB_HOME`. */
export function ccwbHome(env: Environment): string {
  return resolve(env.CCWB_HOME || join(env.HOME || homedir(), '.ccwb'));
}

export function profilesFolder(env: Environment): string {
  return join(ccwbHome(env), 'profiles');
}

/** Returns the path of a profile's file, which need not exist. @throws CcwbError ERR_USAGE for a name that cannot be one. */
export function profilePath(name: string, env: Environment): string {
  if (PROFILE_NAME.test(name)) return join(profilesFolder(env), `${name}.json`);
  throw new CcwbError(
    'ERR_USAGE',
    `${formatValue(name)} is no name for a profile; allowed: ${PROFILE_NAME_WORDS}`,
    'choose another name',
  );
}

/** Names of all profiles, those of broken files included, in the order of the alphabet. */
export function listProfiles(env: Environment): string[] {
  const files = entriesOf(profilesFolder(env)).flatMap((entry) => {
    const name = basename(entry, '.json');
    return entry.endsWith('.json') && PROFILE_NAME.test(name) ? [name] : [];
  });
  const earlier = Object.keys(legacyFile(env).profiles).filter((name) => PROFILE_NAME.test(name));
  return [...new Set([...files, ...earlier])].sort();
}

/**
 * Reads and checks a profile, migrated when its file has an older form. The file is not changed.
 *
 * @throws CcwbError ERR_PROFILE_UNKNOWN, naming the existing ones; ERR_CONFIG_INVALID with file, field, value and
 *   what is allowed.
 */
export function readProfile(name: string, env: Environment): AdminProfile {
  const path = profilePath(name, env);
  const text = readOwnerFile(path);
  if (text !== undefined) return parseAdminProfile(text, path, name);
  const { profiles, path: legacyPath } = legacyFile(env);
  if (Object.hasOwn(profiles, name)) return asProfile(profiles[name], legacyPath, name);
  const there = listProfiles(env);
  throw new CcwbError(
    'ERR_PROFILE_UNKNOWN',
    `no profile ${name} in ${profilesFolder(env)}; ${there.length === 0 ? 'there is none' : `there are ${there.join(', ')}`}`,
    there.length === 0 ? 'run ccwb init' : `use --profile ${there[0]}, or run ccwb init to make another`,
  );
}

/**
 * Parses the text of a profile's file.
 *
 * @param name the name it must have; undefined: any name.
 * @throws CcwbError ERR_CONFIG_INVALID
 */
export function parseAdminProfile(text: string, path: string, name?: string): AdminProfile {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new CcwbError('ERR_CONFIG_INVALID', `${path} is not valid JSON`, `correct ${path}`, { cause });
  }
  return asProfile(value, path, name);
}

function asProfile(value: unknown, path: string, name: string | undefined): AdminProfile {
  return checkProfile(migrate(value, path, name), path, name);
}

/**
 * Writes a profile as a whole, for this user only. A file of an older form stays beside it, as `NAME.json.bak`.
 *
 * @param keepOld true to keep a copy of the old file, whatever its form.
 * @returns true when anything had to change.
 * @throws CcwbError ERR_CONFIG_INVALID for a profile that could not be read again; nothing is written then.
 */
export function writeProfile(profile: AdminProfile, env: Environment, keepOld = false): boolean {
  const path = profilePath(profile.name, env);
  checkProfile(profile, path, profile.name);
  const there = readOwnerFile(path);
  if (there !== undefined && (keepOld || isOlder(there))) writeOwnerFile(`${path}.bak`, there);
  const changed = writeOwnerFile(path, `${JSON.stringify(profile, undefined, 2)}\n`);
  closeFolder(dirname(path));
  return changed;
}

/** Changes a profile as it stands on disk now: somebody may have edited it since it was read. */
export function updateProfile(
  name: string,
  env: Environment,
  change: (profile: AdminProfile) => AdminProfile,
): boolean {
  return writeProfile(change(readProfile(name, env)), env);
}

/** Removes the file of a profile. @throws CcwbError ERR_PROFILE_UNKNOWN, ERR_CONFIG_INVALID when there is none. */
export function removeProfile(name: string, env: Environment): void {
  const path = profilePath(name, env);
  if (readOwnerFile(path) === undefined) {
    readProfile(name, env);
    throw new CcwbError(
      'ERR_CONFIG_INVALID',
      `profile ${name} stands in ${legacyFile(env).path}, a file of another tool`,
      'remove it there yourself',
    );
  }
  removeOwnerFile(path);
}

/** The config.json of the legacy tool, with the profiles that have no file of their own. */
export function legacyFile(env: Environment): {
  readonly path: string;
  readonly profiles: Readonly<Record<string, unknown>>;
  /** Name of its active profile. */
  readonly current: string | undefined;
} {
  const path = join(ccwbHome(env), 'config.json');
  let value: unknown;
  try {
    value = JSON.parse(readFileIfExists(path) ?? '{}');
  } catch {
    // The file is not ours: unreadable content counts as absent.
  }
  const root = isObject(value) ? value : {};
  const current = root.active_profile ?? root.default_profile;
  return {
    path,
    profiles: isObject(root.profiles) ? root.profiles : {},
    current: typeof current === 'string' && PROFILE_NAME.test(current) ? current : undefined,
  };
}

function isOlder(text: string): boolean {
  try {
    return schemaOf(JSON.parse(text.replace(/^\uFEFF/, ''))) < PROFILE_SCHEMA;
  } catch {
    return false;
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw unreadable(folder, error);
  }
}
