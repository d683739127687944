import { createHash } from 'node:crypto';
import type { ProfileConfig } from '../protocol/config.ts';
import { asCcwbError, type CcwbError, loginRequired } from '../protocol/errors.ts';
import type { Clock } from './edges.ts';
import { causeOf, type Log } from './log.ts';
import type { IdToken, OidcClient, Tokens } from './oidc-client.ts';
import type { SecretStore, StoredSession } from './secret-store.ts';
import { sharedCall } from './shared-call.ts';
import { idTokenLifeMs, TIMING } from './timing.ts';

/** What a session shows of itself; no secret among it. */
export type SessionView = {
  signedIn: boolean;
  user: string | null;
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
  /** Reads the store, once it can be read; a failure is tried again later. Never throws: see {@link SessionView.storeProblem}. */
  restore(): Promise<void>;
  view(): SessionView;
  /** The verified claims of the current user, also of an ID token that has expired. */
  lastIdToken(): IdToken | undefined;
  /**
   * An ID token with life left, refreshed when it has too little. Concurrent callers share one refresh.
   *
   * @param rejected a token AWS did not take any more: not given again.
   * @throws CcwbError ERR_LOGIN_REQUIRED, ERR_PROVIDER_…, ERR_ID_TOKEN_INVALID
   */
  idToken(rejected?: IdToken): Promise<IdToken>;
  /** Takes over the tokens of a finished sign-in. */
  signedIn(tokens: Tokens & { idToken: IdToken }): Promise<void>;
  /** Resolves when no refresh is under way: what the provider has rotated is stored by then. */
  settled(): Promise<void>;
  /** Spends nothing any more: another session has taken over what is stored. */
  retire(): void;
  /**
   * Revokes and forgets; `revoked` tells whether the provider took part.
   *
   * @throws CcwbError ERR_STORE_… when neither the provider nor the store let go of the refresh token.
   */
  signOut(): Promise<{ wasSignedIn: boolean; revoked: boolean }>;
};

/** The store's name for a credential: one per issuer and client, without telling either. */
export function sessionKey({
  identityProvider,
  clientId,
}: Pick<ProfileConfig, 'identityProvider' | 'clientId'>): string {
  return createHash('sha256').update(`${identityProvider.issuer}\n${clientId}`).digest('hex').slice(0, 32);
}

export function openSession(
  key: string,
  oidc: OidcClient,
  store: SecretStore,
  edges: { clock: Clock; log: Log },
  /** Awaited before the store is read: what spent the same refresh token before has come to rest. */
  after: () => Promise<void> = async () => {},
): Session {
  const { clock, log } = edges;
  let stored: StoredSession | undefined;
  let idToken: IdToken | undefined;
  let storeProblem: CcwbError | undefined;
  let storeRead = false;
  let storeReadAgainAt = 0;
  /** The subject whose refresh token brought no ID token, the one thing it is needed for. */
  let refreshGivesNoIdToken: string | undefined;
  /** Grows with each sign-in and sign-out: what a refresh of an older one brings back is nobody's. */
  let generation = 0;

  /** A store that fails costs the next restart a sign-in, not this session. */
  const storing = async (action: () => Promise<void>): Promise<void> => {
    try {
      await action();
      storeProblem = undefined;
    } catch (error) {
      storeProblem = asCcwbError(error);
      log('error', 'secret store failed', {
        code: storeProblem.code,
        storage: store.kind,
        cause: causeOf(error),
      });
    }
  };

  const keep = async (session: StoredSession): Promise<void> => {
    stored = session;
    await storing(() => store.write(key, session));
  };

  const readStore = sharedCall(() =>
    storing(async () => {
      storeReadAgainAt = clock.now() + TIMING.storeRetryMs;
      const startedIn = generation;
      await after();
      const found = await store.read(key);
      storeRead = true;
      // A sign-in may have finished while a slow keyring was asked.
      if (!found || startedIn !== generation) return;
      stored = found;
      log('info', 'session restored', { storage: store.kind });
    }),
  );

  const restore = async (): Promise<void> => {
    const early = clock.now() < storeReadAgainAt && storeReadAgainAt - clock.now() <= TIMING.storeRetryMs;
    if (storeRead || (early && storeProblem)) return;
    await readStore();
  };

  /** Another process may have rotated the token since it was read: only the stored one can be dead. */
  const tokenReplacedElsewhere = async (spent: string, startedIn: number): Promise<boolean> => {
    let found: StoredSession | undefined;
    await storing(async () => {
      found = await store.read(key);
    });
    if (startedIn !== generation || !found || found.refreshToken === spent) return false;
    stored = found;
    return true;
  };

  const forget = async (): Promise<void> => {
    generation += 1;
    stored = undefined;
    idToken = undefined;
    await storing(() => store.remove(key));
  };

  const spendRefreshToken = async (again = true): Promise<void> => {
    if (!stored) throw loginRequired();
    const spent = stored;
    const startedIn = generation;
    const startedAt = clock.now();
    try {
      const tokens = await oidc.refresh(spent.refreshToken, spent.subject, async (refreshToken) => {
        if (startedIn === generation && refreshToken !== spent.refreshToken)
          await keep({ ...spent, refreshToken });
      });
      if (startedIn !== generation) return;
      log('info', 'ID token refreshed', { durationMs: clock.now() - startedAt });
      if (tokens.idToken) idToken = tokens.idToken;
      else refreshGivesNoIdToken = spent.subject;
    } catch (error) {
      const { code } = asCcwbError(error);
      log('warn', 'refresh failed', { code, cause: causeOf(error), durationMs: clock.now() - startedAt });
      if (startedIn !== generation || code !== 'ERR_LOGIN_REQUIRED') throw error;
      if (again && (await tokenReplacedElsewhere(spent.refreshToken, startedIn)))
        return spendRefreshToken(false);
      if (startedIn === generation) await forget();
      throw error;
    }
  };
  const refresh = sharedCall(() => spendRefreshToken());
  const unexpired = (rejected: IdToken | undefined): IdToken | undefined =>
    idToken && idToken !== rejected && idToken.expiresAt > clock.now() ? idToken : undefined;
  const usable = (rejected: IdToken | undefined): IdToken | undefined => {
    const candidate = unexpired(rejected);
    return candidate && candidate.expiresAt - clock.now() > idTokenLifeMs(candidate.lifetimeMs)
      ? candidate
      : undefined;
  };
  const canRefresh = (): boolean => stored !== undefined && refreshGivesNoIdToken !== stored.subject;

  return {
    key,
    restore,
    view: () => ({
      signedIn: canRefresh() || unexpired(undefined) !== undefined,
      user: idToken ? userOf(idToken) : (stored?.user ?? null),
      idTokenUntil: idToken?.expiresAt ?? null,
      storage: store.description,
      storeProblem,
    }),
    lastIdToken: () => idToken,
    settled: refresh.settled,

    idToken: async (rejected) => {
      await restore();
      const current = usable(rejected);
      if (current) return current;
      if (canRefresh()) {
        try {
          await refresh();
        } catch (error) {
          const last = unexpired(rejected);
          if (last) return last;
          throw error;
        }
      }
      // Without a refresh the ID token of the sign-in is all there is: used to its end.
      const best = usable(rejected) ?? unexpired(rejected);
      if (best) return best;
      // Somebody may well be signed in; a page would not help while the keyring is locked.
      if (!storeRead && storeProblem?.code === 'ERR_STORE_LOCKED') throw storeProblem;
      throw loginRequired();
    },

    signedIn: async (tokens) => {
      await restore();
      const { sub } = tokens.idToken.claims;
      generation += 1;
      refreshGivesNoIdToken = undefined;
      idToken = tokens.idToken;
      if (tokens.refreshToken !== undefined) {
        await keep({ version: 1, refreshToken: tokens.refreshToken, subject: sub, user: userOf(idToken) });
      } else {
        stored = undefined;
        await storing(() => store.remove(key));
      }
    },

    retire: () => {
      generation += 1;
      storeRead = true;
      stored = undefined;
    },

    signOut: async () => {
      await restore();
      // The token that a refresh under way brings back is the one to revoke.
      await refresh.settled();
      const leaving = stored;
      const wasSignedIn = leaving !== undefined || idToken !== undefined;
      await forget();
      let revoked = false;
      if (leaving) {
        try {
          revoked = await oidc.revoke(leaving.refreshToken);
        } catch (error) {
          log('warn', 'revocation failed', { code: asCcwbError(error).code, cause: causeOf(error) });
        }
      }
      // A token that lives on in the store, and at the provider, would sign the user in again.
      if (storeProblem && leaving && !revoked) throw storeProblem;
      return { wasSignedIn, revoked };
    },
  };
}

/** How a person recognises the account. */
function userOf({ claims }: IdToken): string {
  for (const name of ['email', 'preferred_username', 'name']) {
    const value = claims[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return claims.sub;
}
