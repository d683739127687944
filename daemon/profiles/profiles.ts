import { profileNamed } from '../../protocol/config.ts';
import type { CcwbError } from '../../protocol/errors.ts';
import type { DaemonEdges } from '../edges.ts';
import type { LoopbackRedirect } from '../sign-in/loopback-redirect.ts';
import { createConfigWatch } from './config-watch.ts';
import { createProfile, type Profile, type ProfilesInUse } from './profile.ts';
import { createSessionRegistry, signInCancelled } from './session-registry.ts';

/** The profiles of config.json. */
export type Profiles = {
  /** @throws CcwbError ERR_CONFIG_…, ERR_PROFILE_UNKNOWN */
  get(name: string): Profile;
  all(): Profile[];
  /** Names and problems of profiles whose fields are wrong, and the problem of the whole file. */
  invalid(): { profiles: ReadonlyMap<string, CcwbError>; file: CcwbError | undefined };
  /** Reads config.json again if it changed. Unchanged profiles keep their credentials. */
  reloadIfChanged(): void;
  /** Removes the session at the provider, in the store and in memory. */
  signOut(profile: Profile): Promise<{ wasSignedIn: boolean; revoked: boolean }>;
  /** Ends every sign-in in progress; its callers get `error`. */
  cancelSignIns(error: CcwbError): void;
  /** Resolves when no token is being redeemed or refreshed and every received token is stored. */
  settled(): Promise<void>;
};

export function createProfiles(configPath: string, redirect: LoopbackRedirect, edges: DaemonEdges): Profiles {
  let profiles = new Map<string, Profile>();
  const inUse: ProfilesInUse = {
    find: (name) => profiles.get(name),
    ofSession: (session) => [...profiles.values()].filter((profile) => profile.session === session),
  };
  const watch = createConfigWatch(configPath, edges.log);
  const sessions = createSessionRegistry(inUse, redirect, edges);

  const reloadIfChanged = (): void => {
    const config = watch.readIfChanged();
    if (!config) return;
    sessions.update(config);
    const next = new Map<string, Profile>();
    for (const [name, profile] of config.profiles) {
      const known = profiles.get(name);
      const shared = sessions.sessionOf(profile);
      const unchanged =
        known?.session === shared.session && JSON.stringify(known.config) === JSON.stringify(profile);
      next.set(name, known && unchanged ? known : createProfile(profile, shared, edges));
    }
    profiles = next;
  };

  reloadIfChanged();
  return {
    get: (name) => {
      const known = profiles.get(name);
      if (known) return known;
      reloadIfChanged();
      const reloaded = profiles.get(name);
      if (reloaded) return reloaded;
      const config = watch.current();
      const problem = watch.problem();
      if (!config || problem) throw problem;
      profileNamed(config, name);
      throw new Error('a profile that was not opened');
    },
    all: () => [...profiles.values()],
    invalid: () => ({ profiles: watch.current()?.invalid ?? new Map(), file: watch.problem() }),
    reloadIfChanged,
    signOut: async ({ session, signIns }) => {
      await signIns.settled();
      signIns.cancel(signInCancelled('bedrock-auth logout'));
      for (const { credentials } of inUse.ofSession(session)) credentials.onSignOut();
      return session.signOut();
    },
    cancelSignIns: sessions.cancelSignIns,
    settled: sessions.settled,
  };
}
