import { chooseProfile, loadConfig, PROFILE_NAME_PATTERN, profileNamed } from '../../protocol/config.ts';
import type { ShimEdges } from './edges.ts';

/**
 * Returns the name of the profile to use. A given name is not looked up in config.json: a running daemon may
 * know it, and its answer matters more than a file that is being edited.
 *
 * @throws CcwbError ERR_CONFIG_MISSING, ERR_CONFIG_INVALID or ERR_PROFILE_UNKNOWN.
 */
export function chooseProfileName({ env, paths }: ShimEdges, flag: string | undefined): string {
  const given = flag ?? env.CCWB_PROFILE;
  if (given !== undefined && PROFILE_NAME_PATTERN.test(given)) return given;
  const config = loadConfig(paths.config);
  return profileNamed(config, chooseProfile(config, flag, env.CCWB_PROFILE)).name;
}

/** @throws CcwbError if the profile is missing or its configuration is wrong: no daemon can serve it then. */
export function requireProfile({ paths }: ShimEdges, profile: string): void {
  profileNamed(loadConfig(paths.config), profile);
}
