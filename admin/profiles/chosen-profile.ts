import { chooseProfile, profileNamed, type UndeployedProfile } from '../../protocol/config.ts';
import type { AdminEdges } from '../edges.ts';
import type { AdminProfile } from './admin-profile.ts';
import { chooseProfileFile } from './current-profile.ts';
import { userProfileOf } from './profile-check.ts';
import { listProfiles, profilePath, readProfile } from './profile-store.ts';
import { readConfig } from './read-config.ts';

/** Flags with which every command finds its profile. */
export type ProfileFlags = { readonly config?: string; readonly profile?: string };

/** The profile that a command works on, and the file that it was read from. */
export type ChosenProfile = {
  readonly profile: UndeployedProfile;
  /** The file it was read from. */
  readonly path: string;
  /** Roles of users that the file names. */
  readonly roleArns: readonly string[];
  /** The administrator's profile; undefined when a config.json was read in its place. */
  readonly admin: AdminProfile | undefined;
};

/**
 * Reads the profile that a command line names: from the config.json of `--config`, else an administrator's
 * profile. Without any profile, CCWB_CONFIG may name a config.json too.
 *
 * @throws CcwbError ERR_PROFILE_UNKNOWN, ERR_CONFIG_MISSING, ERR_CONFIG_INVALID
 */
export function readChosenProfile(flags: ProfileFlags, edges: AdminEdges): ChosenProfile {
  const file = flags.config ?? (listProfiles(edges.env).length === 0 ? edges.env.CCWB_CONFIG : undefined);
  if (file) return fromConfig(file, flags.profile, edges);
  const name = chooseProfileFile(flags, edges.env);
  const path = profilePath(name, edges.env);
  const admin = readProfile(name, edges.env);
  const profile = userProfileOf(admin, path);
  return { profile, path, roleArns: rolesOf([profile]), admin };
}

function fromConfig(file: string, flag: string | undefined, edges: AdminEdges): ChosenProfile {
  const config = readConfig(file);
  const profile = profileNamed(config, chooseProfile(config, flag, edges.env.CCWB_PROFILE));
  return { profile, path: config.path, roleArns: rolesOf([...config.profiles.values()]), admin: undefined };
}

function rolesOf(profiles: readonly UndeployedProfile[]): string[] {
  return profiles.flatMap(({ federation }) =>
    federation.type === 'direct' && federation.roleArn !== undefined ? [federation.roleArn] : [],
  );
}
