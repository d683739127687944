/** Chooses the profile of a command. */
import { join } from 'node:path';
import { CcwbError } from '../../protocol/errors.ts';
import type { Environment } from '../edges.ts';
import { readOwnerFile, removeOwnerFile, writeOwnerFile } from '../files/owner-files.ts';
import { ccwbHome, legacyFile, listProfiles, profilesFolder, readProfile } from './profile-store.ts';

/** Holds the name of the current profile, and a newline. */
function currentPath(env: Environment): string {
  return join(ccwbHome(env), 'current');
}

/** Returns the profile chosen last with `ccwb profiles use`; undefined when there is none or it does not exist. */
export function currentProfile(env: Environment): string | undefined {
  const name = readOwnerFile(currentPath(env))?.trim() || legacyFile(env).current;
  return name !== undefined && listProfiles(env).includes(name) ? name : undefined;
}

/** Makes a profile the current one. @throws CcwbError as `readProfile` does, e.g. for a broken profile. */
export function useProfile(name: string, env: Environment): void {
  readProfile(name, env);
  writeOwnerFile(currentPath(env), `${name}\n`);
}

/** Forgets which profile is the current one. */
export function useNoProfile(env: Environment): void {
  removeOwnerFile(currentPath(env));
}

/**
 * Returns the name of the profile for a command: the flag, else `CCWB_PROFILE`, else the current one, else the
 * only one.
 *
 * @throws CcwbError ERR_PROFILE_UNKNOWN when there is none, or several and none is chosen.
 */
export function chooseProfileFile(
  flags: { readonly profile?: string | undefined },
  env: Environment,
): string {
  const named = flags.profile ?? (env.CCWB_PROFILE || currentProfile(env));
  if (named !== undefined) return named;
  const names = listProfiles(env);
  const [only, ...more] = names;
  if (only !== undefined && more.length === 0) return only;
  const folder = profilesFolder(env);
  if (only === undefined) {
    throw new CcwbError(
      'ERR_PROFILE_UNKNOWN',
      `there is no profile in ${folder}`,
      'run ccwb init to make one, or ccwb profiles import FILE',
    );
  }
  throw new CcwbError(
    'ERR_PROFILE_UNKNOWN',
    `there are several profiles in ${folder} and none is the current one: ${names.join(', ')}`,
    `choose one with --profile ${only}, with CCWB_PROFILE, or for good with ccwb profiles use ${only}`,
  );
}
