import { asCcwbError, type CcwbError } from '../../protocol/errors.ts';
import type { OidcClient } from '../oidc/oidc-client.ts';
import { displayName, type IdToken, type SignInTokens } from '../oidc/tokens.ts';
import type { Clock } from '../platform/clock.ts';
import { causeOf, type Log } from '../platform/log.ts';
import type { LockCredential } from './credential-lock.ts';
import { createIdTokenCache } from './id-token-cache.ts';
import { noIdTokenError } from './id-token-policy.ts';
import { storedSessionOf } from './refresh-token-policy.ts';
import { createRefreshTokenSpender } from './refresh-token-spender.ts';
import type { SecretStore } from './stores/secret-store.ts';

/** The state of a session as `status` shows it, without secrets. */
export type SessionView = {
  signedIn: boolean;
  /** True while the provider refuses to refresh this session and gives no reason. */
  doubtful: boolean;
  user: string | null;
  /** The expiry of the ID token, in milliseconds since the epoch; null without one. */
  idTokenUntil: number | null;
  storage: string;
  /** The store's last failure: the session works, but would not survive a restart. */
  storeProblem: CcwbError | undefined;
};

/**
 * One user signed in at one identity provider, and the only spender of that user's refresh token.
 * Profiles with the same issuer and client share it.
 */
export type Session = {
  readonly key: string;
  /**
   * Reads the store once that is possible. A failure is retried later. Never throws: see
   * {@link SessionView.storeProblem}.
   */
  restore(): Promise<void>;
  view(): SessionView;
  /** The last verified ID token of the current user, even if it has expired. */
  lastIdToken(): IdToken | undefined;
  /** The time until which the ID token is used without a refresh, in milliseconds since the epoch; null without one. */
  idTokenUsableUntil(): number | null;
  /**
   * Returns an ID token that has not expired, refreshed if it expires soon. Concurrent callers share one refresh.
   *
   * @param rejected a token that AWS no longer accepts: it is not returned again.
   * @param leastLifeMs the time left below which the token is refreshed too. If the refresh fails, a token
   *   that has not expired is returned.
   * @throws CcwbError ERR_LOGIN_REQUIRED, ERR_PROVIDER_…, ERR_ID_TOKEN_INVALID
   */
  idToken(rejected?: IdToken, leastLifeMs?: number): Promise<IdToken>;
  /** Takes over the tokens of a finished sign-in. */
  completeSignIn(tokens: SignInTokens): Promise<void>;
  /** Resolves when no refresh and no write is in progress: a rotated token is stored by then. */
  settled(): Promise<void>;
  /** Stops spending the refresh token: another session has taken over the stored item. */
  retire(): void;
  /**
   * Revokes and forgets the refresh token; `revoked` is true when the provider revoked it.
   *
   * @throws CcwbError ERR_STORE_… when the token could be neither revoked nor removed from the store.
   */
  signOut(): Promise<{ wasSignedIn: boolean; revoked: boolean }>;
};

/** @param after awaited before the store is read: the former spender of the same refresh token has stopped. */
export function createSession(
  key: string,
  oidc: OidcClient,
  store: SecretStore,
  edges: { clock: Clock; log: Log; lockCredential: LockCredential },
  after?: () => Promise<void>,
): Session {
  const { log } = edges;
  const spender = createRefreshTokenSpender(key, store, edges, after);
  const idTokens = createIdTokenCache(oidc, spender, store.kind, edges);
  let retired = false;
  const canRefresh = (): boolean => !retired && idTokens.canRefresh();

  return {
    key,
    restore: spender.restore,
    view: () => {
      const idToken = idTokens.last();
      return {
        signedIn: canRefresh() || idTokens.unexpired(undefined) !== undefined,
        doubtful: idTokens.isRefused(),
        user: idToken ? displayName(idToken.claims) : (spender.current()?.user ?? null),
        idTokenUntil: idToken?.expiresAt ?? null,
        storage: store.description,
        storeProblem: spender.problem(),
      };
    },
    lastIdToken: idTokens.last,
    idTokenUsableUntil: idTokens.usableUntil,
    settled: async () => {
      await idTokens.refresh.settled();
      await spender.settled();
    },

    idToken: async (rejected, leastLifeMs) => {
      await spender.restore();
      const current = idTokens.usable(rejected, leastLifeMs);
      if (current) return current;
      if (canRefresh()) {
        try {
          await idTokens.refresh();
        } catch (error) {
          const last = idTokens.unexpired(rejected);
          if (last) return last;
          throw error;
        }
      }
      // Without a refresh the session has only the ID token of the sign-in, and uses it until it expires.
      const best = idTokens.usable(rejected) ?? idTokens.unexpired(rejected);
      if (best) return best;
      throw noIdTokenError({ isRestored: spender.isRestored(), problem: spender.problem() });
    },

    completeSignIn: async (tokens) => {
      await spender.restore();
      idTokens.replace(tokens.idToken);
      await spender.replace(storedSessionOf(tokens));
      log('info', 'signed in', { storage: store.kind });
    },

    retire: () => {
      retired = true;
    },

    signOut: async () => {
      await spender.restore();
      // A refresh in progress may rotate the token: the successor is the one to revoke.
      await idTokens.refresh.settled();
      const leaving = spender.current();
      const wasSignedIn = leaving !== undefined || idTokens.last() !== undefined;
      await idTokens.forget();
      const revoked = leaving !== undefined && (await revoke(oidc, leaving.refreshToken, log));
      // A token that is still valid and still stored would sign the user in again.
      const problem = spender.problem();
      if (problem && leaving && !revoked) throw problem;
      return { wasSignedIn, revoked };
    },
  };
}

/** Returns false when the provider offers no revocation or cannot be reached. */
async function revoke(oidc: OidcClient, refreshToken: string, log: Log): Promise<boolean> {
  try {
    return await oidc.revoke(refreshToken);
  } catch (error) {
    log('warn', 'revocation failed', { code: asCcwbError(error).code, cause: causeOf(error) });
    return false;
  }
}
