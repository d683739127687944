import { type Stats, statSync } from 'node:fs';
import { type Config, loadConfig, type ProfileConfig, profileNamed } from '../../protocol/config.ts';
import { asCcwbError, CcwbError } from '../../protocol/errors.ts';
import { type CredentialCache, createCredentialCache } from '../aws/credential-cache.ts';
import { createFederation } from '../aws/federation.ts';
import type { DaemonEdges } from '../edges.ts';
import { createOidcClient } from '../oidc/oidc-client.ts';
import { createImportingStore } from '../session/legacy-tokens.ts';
import { createSession, type Session } from '../session/session.ts';
import { sessionKey } from '../session/stores/secret-store.ts';
import type { LoopbackRedirect } from '../sign-in/loopback-redirect.ts';
import { resultPage } from '../sign-in/result-page.ts';
import { createSignIns, type SignIns } from '../sign-in/sign-ins.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';

/** One profile at work: who is signed in (shared with its siblings) and its own AWS credentials. */
export type Profile = {
  config: ProfileConfig;
  session: Session;
  signIns: SignIns;
  credentials: CredentialCache;
  telemetry: Telemetry;
};

export type Profiles = {
  /** @throws CcwbError ERR_CONFIG_…, ERR_PROFILE_UNKNOWN */
  get(name: string): Profile;
  all(): Profile[];
  /** Names and problems of profiles whose fields are wrong; or the one problem of the whole file. */
  invalid(): { profiles: ReadonlyMap<string, CcwbError>; file: CcwbError | undefined };
  /** Reads config.json again when it has changed: what did not change keeps its credentials. */
  reloadIfChanged(): void;
  /** Forgets everything of this session at the provider, in the store and in memory. */
  signOut(profile: Profile): Promise<{ wasSignedIn: boolean; revoked: boolean }>;
  /** Ends every sign-in under way; those who wait get `error`. */
  cancelSignIns(error: CcwbError): void;
  /** Resolves when no token is being redeemed or refreshed: what a provider has given is stored by then. */
  settled(): Promise<void>;
};

/** `settings`: what it was opened with, apart from what makes it the same credential. */
type SharedSession = { session: Session; signIns: SignIns; settings: string };

export function createProfiles(configPath: string, redirect: LoopbackRedirect, edges: DaemonEdges): Profiles {
  let sessions = new Map<string, SharedSession>();
  /** Sessions of former configurations that may be in the middle of a refresh. */
  const replaced = new Set<SharedSession>();
  let profiles = new Map<string, Profile>();
  let config: Config | undefined;
  let fileProblem: CcwbError | undefined;
  let seen = '';

  const load = (): void => {
    seen = fingerprint(configPath);
    try {
      config = loadConfig(configPath);
      fileProblem = undefined;
    } catch (error) {
      // A file that is being rewritten, or was damaged, takes nothing from profiles that work.
      fileProblem = asCcwbError(error);
      edges.log('error', 'config not usable', { code: fileProblem.code, config: configPath });
      return;
    }
    for (const problem of config.invalid.values())
      edges.log('error', 'profile not usable', { code: problem.code });
    if (config.unknownFields.length > 0)
      edges.log('warn', 'config has unknown fields', { fields: config.unknownFields });
    openSessions(config);
    const next = new Map<string, Profile>();
    for (const [name, profile] of config.profiles) {
      const known = profiles.get(name);
      const unchanged =
        known?.session === sessionOf(profile).session &&
        JSON.stringify(known.config) === JSON.stringify(profile);
      next.set(name, known && unchanged ? known : open(profile));
    }
    profiles = next;
  };

  /**
   * One session for each credential, shared by the profiles that have it in common: two would spend the
   * same refresh token. Where such profiles differ in port, scopes or secret, the first one's count.
   */
  const openSessions = ({ profiles: configured }: Config): void => {
    const next = new Map<string, SharedSession>();
    for (const profile of configured.values()) {
      const id = credentialOf(profile);
      if (next.has(id)) continue;
      const known = sessions.get(id);
      const settings = JSON.stringify([profile.redirectPort, profile.scopes, profile.clientSecret]);
      const sharers = [...configured.values()].filter((other) => credentialOf(other) === id);
      next.set(
        id,
        known?.settings === settings
          ? known
          : openSharedSession(
              profile,
              settings,
              sharers.map(({ name }) => name),
              known,
            ),
      );
    }
    for (const [id, shared] of sessions) {
      if (next.get(id) === shared) continue;
      shared.signIns.cancel(cancelled('a change of config.json'));
      replaced.add(shared);
    }
    sessions = next;
  };

  const sessionOf = (profile: ProfileConfig): SharedSession => {
    const shared = sessions.get(credentialOf(profile));
    if (!shared) throw new Error('a profile without a session');
    return shared;
  };

  const open = (profile: ProfileConfig): Profile => {
    const { session, signIns } = sessionOf(profile);
    const federation = createFederation(profile, edges);
    return {
      config: profile,
      session,
      signIns,
      credentials: createCredentialCache(profile.name, session, federation, edges),
      telemetry: createTelemetry(profile, session, edges.clock),
    };
  };

  const openSharedSession = (
    profile: ProfileConfig,
    settings: string,
    sharers: readonly string[],
    former: SharedSession | undefined,
  ): SharedSession => {
    const oidc = createOidcClient(profile, edges);
    const store = createImportingStore(
      edges.createStore(profile.credentialStorage),
      sharers,
      edges.legacyTokens,
      edges.log,
    );
    const lockCredential = edges.createLocks(profile.credentialStorage);
    const session = createSession(
      sessionKey(profile),
      oidc,
      store,
      { ...edges, lockCredential },
      async () => {
        if (!former) return;
        await former.signIns.settled();
        await former.session.settled();
        former.session.retire();
        replaced.delete(former);
      },
    );
    const shared = createSignIns(profile.redirectPort, {
      ...edges,
      oidc,
      redirect,
      currentUser: async ({ automatic }) => {
        await session.restore();
        const { signedIn, doubtful, user } = session.view();
        // Who types "login" while the provider refuses the session wants a new one.
        return signedIn && (automatic || !doubtful) ? user : undefined;
      },
      complete: async (tokens) => {
        await session.completeSignIn(tokens);
        for (const sibling of siblings(session)) sibling.credentials.onSignIn(tokens.idToken.claims.sub);
        return session.view().user ?? '';
      },
      successPage: async (name) => {
        const user = session.view().user ?? '';
        try {
          await profiles.get(name)?.credentials.refresh();
          return resultPage({ outcome: 'signed-in', user, profile: name });
        } catch (error) {
          const { message, fix } = asCcwbError(error);
          return resultPage({ outcome: 'signed-in-without-aws', user, message, fix });
        }
      },
    });
    return { session, signIns: shared, settings };
  };

  const siblings = (session: Session): Profile[] =>
    [...profiles.values()].filter((profile) => profile.session === session);

  load();
  return {
    get: (name) => {
      const profile = profiles.get(name);
      if (profile) return profile;
      reloadIfChanged();
      const reloaded = profiles.get(name);
      if (reloaded) return reloaded;
      if (!config || fileProblem) throw fileProblem;
      profileNamed(config, name);
      throw new Error('a profile that was not opened');
    },
    all: () => [...profiles.values()],
    invalid: () => ({ profiles: config?.invalid ?? new Map(), file: fileProblem }),
    reloadIfChanged,
    signOut: async (profile) => {
      await profile.signIns.settled();
      profile.signIns.cancel(cancelled('bedrock-auth logout'));
      for (const sibling of siblings(profile.session)) sibling.credentials.onSignOut();
      return profile.session.signOut();
    },
    cancelSignIns: (error) => {
      for (const shared of sessions.values()) shared.signIns.cancel(error);
    },
    settled: async () => {
      const shared = [...sessions.values(), ...replaced];
      await Promise.all(shared.flatMap(({ session, signIns }) => [session.settled(), signIns.settled()]));
    },
  };

  function reloadIfChanged(): void {
    if (fingerprint(configPath) !== seen) load();
  }
}

/** Where it is stored and what it is for: profiles that agree in this have the same user. */
function credentialOf(profile: ProfileConfig): string {
  return `${profile.credentialStorage} ${sessionKey(profile)}`;
}

function cancelled(by: string): CcwbError {
  return new CcwbError('ERR_LOGIN_CANCELLED', `the sign-in was cancelled by ${by}`, 'run bedrock-auth login');
}

/** Changes whenever the file does: it may be replaced, rewritten or removed. */
function fingerprint(path: string): string {
  let stat: Stats | undefined;
  try {
    stat = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unreadable';
  }
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : 'missing';
}
