import type { Config, ProfileConfig } from '../../protocol/config.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { DaemonEdges } from '../edges.ts';
import { createOidcClient } from '../oidc/oidc-client.ts';
import { createImportingStore } from '../session/legacy-tokens.ts';
import { createSession, type Session } from '../session/session.ts';
import { sessionKey } from '../session/stores/secret-store.ts';
import type { LoopbackRedirect } from '../sign-in/loopback-redirect.ts';
import type { SignIns } from '../sign-in/sign-ins.ts';
import type { ProfilesInUse } from './profile.ts';
import { createSessionSignIns } from './session-sign-ins.ts';

/** One user at one identity provider. `settings`: its configuration apart from what identifies the credential. */
export type SharedSession = { session: Session; signIns: SignIns; settings: string };

/**
 * The sessions, one for each credential. Two sessions of one credential would spend the same refresh token.
 */
export type SessionRegistry = {
  /**
   * Opens the sessions of a new configuration and replaces those whose settings changed. Profiles that share
   * a credential but differ in port, scopes or secret use the settings of the first one.
   */
  update(config: Config): void;
  /** Returns the session of a profile of the last configuration. */
  sessionOf(profile: ProfileConfig): SharedSession;
  /** Ends every sign-in in progress; its callers get `error`. */
  cancelSignIns(error: CcwbError): void;
  /** Resolves when no token is being redeemed or refreshed, in replaced sessions neither. */
  settled(): Promise<void>;
};

export function createSessionRegistry(
  profiles: ProfilesInUse,
  redirect: LoopbackRedirect,
  edges: DaemonEdges,
): SessionRegistry {
  let sessions = new Map<string, SharedSession>();
  /** Sessions of earlier configurations that may be in the middle of a refresh. */
  const replaced = new Set<SharedSession>();

  const open = (
    profile: ProfileConfig,
    sharers: readonly string[],
    former: SharedSession | undefined,
  ): SharedSession => {
    const oidc = createOidcClient(profile, edges);
    const session = createSession(
      sessionKey(profile),
      oidc,
      createImportingStore(
        edges.createStore(profile.credentialStorage),
        sharers,
        edges.legacyTokens,
        edges.log,
      ),
      { ...edges, lockCredential: edges.createLocks(profile.credentialStorage) },
      async () => {
        if (!former) return;
        await former.signIns.settled();
        await former.session.settled();
        former.session.retire();
        replaced.delete(former);
      },
    );
    const signIns = createSessionSignIns(profile, { session, oidc, redirect, profiles }, edges);
    return { session, signIns, settings: settingsOf(profile) };
  };

  return {
    update: ({ profiles: configured }) => {
      const next = new Map<string, SharedSession>();
      for (const profile of configured.values()) {
        const id = credentialOf(profile);
        if (next.has(id)) continue;
        const known = sessions.get(id);
        const sharers = [...configured.values()].filter((other) => credentialOf(other) === id);
        next.set(
          id,
          known?.settings === settingsOf(profile)
            ? known
            : open(
                profile,
                sharers.map(({ name }) => name),
                known,
              ),
        );
      }
      for (const [id, shared] of sessions) {
        if (next.get(id) === shared) continue;
        shared.signIns.cancel(signInCancelled('a change of config.json'));
        replaced.add(shared);
      }
      sessions = next;
    },
    sessionOf: (profile) => {
      const shared = sessions.get(credentialOf(profile));
      if (!shared) throw new Error('a profile without a session');
      return shared;
    },
    cancelSignIns: (error) => {
      for (const { signIns } of sessions.values()) signIns.cancel(error);
    },
    settled: async () => {
      const all = [...sessions.values(), ...replaced];
      await Promise.all(all.flatMap(({ session, signIns }) => [session.settled(), signIns.settled()]));
    },
  };
}

export function signInCancelled(by: string): CcwbError {
  return new CcwbError('ERR_LOGIN_CANCELLED', `the sign-in was cancelled by ${by}`, 'run bedrock-auth login');
}

/** Identifies a credential by its place and purpose: profiles that agree in both have the same user. */
function credentialOf(profile: ProfileConfig): string {
  return `${profile.credentialStorage} ${sessionKey(profile)}`;
}

function settingsOf({ redirectPort, scopes, clientSecret }: ProfileConfig): string {
  return JSON.stringify([redirectPort, scopes, clientSecret]);
}
