import { setTimeout as sleep } from 'node:timers/promises';
import { asCcwbError, type CcwbError, loginRequired } from '../../protocol/errors.ts';
import type { OidcClient } from '../oidc/oidc-client.ts';
import { endedWithoutReason, LostReply, UnexplainedRefusal } from '../oidc/provider-errors.ts';
import {
  displayName,
  type IdToken,
  type SignInTokens,
  type Tokens,
  UNKNOWN_SUBJECT,
} from '../oidc/tokens.ts';
import type { Clock } from '../platform/clock.ts';
import { causeOf, type Log } from '../platform/log.ts';
import { createSharedCall } from '../shared-call.ts';
import { idTokenLifeMs, TIMING } from '../timing.ts';
import type { LockCredential } from './credential-lock.ts';
import { createRefreshTokenSpender } from './refresh-token-spender.ts';
import type { SecretStore, StoredSession } from './stores/secret-store.ts';

/** What a session shows of itself; no secret among it. */
export type SessionView = {
  signedIn: boolean;
  /** The provider refuses to go on with this session, without saying that it has ended. */
  doubtful: boolean;
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
  /** Until when the ID token is used without a refresh, in milliseconds since the epoch; null without one. */
  idTokenUsableUntil(): number | null;
  /**
   * An ID token with life left, refreshed when it has too little. Concurrent callers share one refresh.
   *
   * @param rejected a token AWS did not take any more: not given again.
   * @param leastLifeMs refreshed with less life than this too; what is still valid is given if that fails.
   * @throws CcwbError ERR_LOGIN_REQUIRED, ERR_PROVIDER_…, ERR_ID_TOKEN_INVALID
   */
  idToken(rejected?: IdToken, leastLifeMs?: number): Promise<IdToken>;
  /** Takes over the tokens of a finished sign-in. */
  completeSignIn(tokens: SignInTokens): Promise<void>;
  /** Resolves when no refresh and no write is under way: what the provider has rotated is stored by then. */
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

export function createSession(
  key: string,
  oidc: OidcClient,
  store: SecretStore,
  edges: { clock: Clock; log: Log; lockCredential: LockCredential },
  /** Awaited before the store is read: what spent the same refresh token before has come to rest. */
  after?: () => Promise<void>,
): Session {
  const { clock, log } = edges;
  const spender = createRefreshTokenSpender(key, store, edges, after);
  let idToken: IdToken | undefined;
  /** The subject whose refresh token brought no ID token, the one thing it is needed for. */
  let refreshGivesNoIdToken: string | undefined;
  /** Since when, and when last, the provider has refused the refresh token without saying why. */
  let refusal: { since: number; last: number } | undefined;
  let retired = false;

  const forget = async (): Promise<void> => {
    idToken = undefined;
    await spender.forget();
  };

  const spendRefreshToken = async (again = true): Promise<void> => {
    // Nothing is lost by a request of no effect: the token leaves only for a provider that answers.
    await oidc.rediscover();
    const startedIn = spender.generation();
    let spent: StoredSession | undefined;
    try {
      await spender.spend(async (session, rotated, identified) => {
        spent = session;
        const tokens = await patiently(() => oidc.refresh(session.refreshToken, session.subject, rotated));
        if (startedIn !== spender.generation()) return;
        refusal = undefined;
        if (!tokens.idToken) {
          refreshGivesNoIdToken = session.subject;
          return;
        }
        idToken = tokens.idToken;
        if (session.subject === UNKNOWN_SUBJECT)
          identified({ subject: idToken.claims.sub, user: displayName(idToken.claims) });
      });
    } catch (thrown) {
      if (thrown instanceof UnexplainedRefusal) {
        refusal = { since: refusal?.since ?? clock.now(), last: clock.now() };
        throw refused() ? endedWithoutReason(thrown.cause) : thrown.cause;
      }
      if (asCcwbError(thrown).code !== 'ERR_LOGIN_REQUIRED' || !spent) throw thrown;
      if (startedIn !== spender.generation()) throw thrown;
      if (again && (await spender.replacedElsewhere(spent.refreshToken))) return spendRefreshToken(false);
      if (startedIn === spender.generation()) {
        if (spent.spentAt !== undefined)
          log('error', 'interrupted refresh could not be mended', { storage: store.kind });
        await forget();
      }
      throw thrown;
    }
  };

  const refresh = createSharedCall(async () => {
    const startedAt = clock.now();
    try {
      await spendRefreshToken();
      log('info', 'ID token refreshed', { durationMs: clock.now() - startedAt });
    } catch (thrown) {
      const { code } = asCcwbError(thrown);
      log('warn', 'refresh failed', { code, cause: causeOf(thrown), durationMs: clock.now() - startedAt });
      throw thrown;
    }
  });

  const unexpired = (rejected: IdToken | undefined): IdToken | undefined =>
    idToken && idToken !== rejected && idToken.expiresAt > clock.now() ? idToken : undefined;
  const usable = (rejected: IdToken | undefined, leastLifeMs = 0): IdToken | undefined => {
    const candidate = unexpired(rejected);
    if (!candidate) return undefined;
    const life = candidate.expiresAt - clock.now();
    return life > idTokenLifeMs(candidate.lifetimeMs) && life >= leastLifeMs ? candidate : undefined;
  };
  /** True once the refusals have gone on for so long that nothing but the provider can mean them. */
  const refused = (): boolean =>
    refusal !== undefined &&
    refusal.last - refusal.since >= TIMING.refusalProofMs &&
    clock.now() - refusal.last < TIMING.refusalMemoryMs;
  const canRefresh = (): boolean => {
    const stored = spender.current();
    return !retired && stored !== undefined && refreshGivesNoIdToken !== stored.subject && !refused();
  };

  return {
    key,
    restore: spender.restore,
    view: () => ({
      signedIn: canRefresh() || unexpired(undefined) !== undefined,
      doubtful: refusal !== undefined,
      user: idToken ? displayName(idToken.claims) : (spender.current()?.user ?? null),
      idTokenUntil: idToken?.expiresAt ?? null,
      storage: store.description,
      storeProblem: spender.problem(),
    }),
    lastIdToken: () => idToken,
    idTokenUsableUntil: () => (idToken ? idToken.expiresAt - idTokenLifeMs(idToken.lifetimeMs) : null),
    settled: async () => {
      await refresh.settled();
      await spender.settled();
    },

    idToken: async (rejected, leastLifeMs) => {
      await spender.restore();
      const current = usable(rejected, leastLifeMs);
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
      const problem = spender.problem();
      if (!spender.restored() && problem?.code === 'ERR_STORE_LOCKED') throw problem;
      throw loginRequired();
    },

    completeSignIn: async (tokens) => {
      await spender.restore();
      refreshGivesNoIdToken = undefined;
      refusal = undefined;
      idToken = tokens.idToken;
      await spender.replace(
        tokens.refreshToken === undefined
          ? // Whoever was signed in before is not the one who is now.
            undefined
          : {
              version: 1,
              refreshToken: tokens.refreshToken,
              subject: idToken.claims.sub,
              user: displayName(idToken.claims),
            },
      );
      log('info', 'signed in', { storage: store.kind });
    },

    retire: () => {
      retired = true;
    },

    signOut: async () => {
      await spender.restore();
      // The token that a refresh under way brings back is the one to revoke.
      await refresh.settled();
      const leaving = spender.current();
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
      const problem = spender.problem();
      if (problem && leaving && !revoked) throw problem;
      return { wasSignedIn, revoked };
    },
  };
}

/**
 * Sends the same refresh token again at once when its use had no clear end: inside the grace that providers
 * give for a reply that was lost, that brings its successor after all.
 */
async function patiently(refresh: () => Promise<Tokens>): Promise<Tokens> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await refresh();
    } catch (thrown) {
      if (!(thrown instanceof LostReply)) throw thrown;
      if (tries === TIMING.unclearTries) throw thrown.cause;
    }
    await sleep(tries === 1 ? 0 : TIMING.unclearRetryMs);
  }
}
