import { chooseProfile, loadConfig, PROFILE_NAME_PATTERN, profileNamed } from '../../protocol/config.ts';
import type { ShimEdges } from './edges.ts';

/**
 * Which profile is meant. A name that was given is taken as it is, without a look at config.json: a
 * daemon that runs may know it, and its answer matters more than a file that somebody is just editing.
 *
 * @throws CcwbError ERR_CONFIG_MISSING, ERR_CONFIG_INVALID or ERR_PROFILE_UNKNOWN.
 */
export function chooseProfileName({ env, paths }: ShimEdges, flag: string | undefined): string {
  const given = flag ?? env.CCWB_PROFILE;
  if (given !== undefined && PROFILE_NAME_PATTERN.test(given)) return given;
  const config = loadConfig(paths.config);
  return profileNamed(config, chooseProfile(config, flag, env.CCWB_PROFILE)).name;
}

/** Throws what is wrong with the profile's configuration, if anything; no daemon can serve it then. */
export function requireProfile({ paths }: ShimEdges, profile: string): void {
  profileNamed(loadConfig(paths.config), profile);
}
