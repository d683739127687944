import { setTimeout as sleep } from 'node:timers/promises';
import { asCcwbError } from '../../protocol/errors.ts';
import type { OidcClient } from '../oidc/oidc-client.ts';
import { endedWithoutReason, LostReply, UnexplainedRefusal } from '../oidc/provider-errors.ts';
import type { IdToken, Tokens } from '../oidc/tokens.ts';
import type { Clock } from '../platform/clock.ts';
import { causeOf, type Log } from '../platform/log.ts';
import { createSharedCall, type SharedCall } from '../shared-call.ts';
import {
  addRefusal,
  hasEnoughLife,
  idTokenUsableUntil,
  isEndOfSession,
  isRefusalProven,
  lostReplyPauseMs,
  mayBringIdToken,
  newIdentity,
  type Refusals,
} from './id-token-policy.ts';
import type { Identity } from './refresh-token-policy.ts';
import type { RefreshTokenSpender } from './refresh-token-spender.ts';
import type { StoredSession } from './stores/secret-store.ts';

/** The ID token of a session, in memory only, and its renewal. */
export type IdTokenCache = {
  /** The last ID token, even if it has expired. */
  last(): IdToken | undefined;
  /** The time until which it is used without a refresh, in milliseconds since the epoch; null without one. */
  usableUntil(): number | null;
  /** The ID token until it expires; undefined if it is the one that AWS rejected. */
  unexpired(rejected: IdToken | undefined): IdToken | undefined;
  /** The ID token while it has enough time left to be used without a refresh. */
  usable(rejected: IdToken | undefined, leastLifeMs?: number): IdToken | undefined;
  /** True while the refresh token may bring another ID token. */
  canRefresh(): boolean;
  /** True while the provider refuses to refresh and gives no reason. */
  isRefused(): boolean;
  /** Spends the refresh token. Concurrent callers share one refresh. @throws CcwbError */
  refresh: SharedCall<void>;
  /** Takes over the ID token of a sign-in: earlier refusals no longer count. */
  replace(idToken: IdToken): void;
  /** Forgets the ID token, and the refresh token here and in the store. */
  forget(): Promise<void>;
};

export function createIdTokenCache(
  oidc: OidcClient,
  spender: RefreshTokenSpender,
  storage: string,
  edges: { clock: Clock; log: Log },
): IdTokenCache {
  const { clock, log } = edges;
  let idToken: IdToken | undefined;
  /** The subject whose refresh brought no ID token, the only thing it is needed for. */
  let subjectWithoutIdToken: string | undefined;
  let refusals: Refusals | undefined;

  /** Returns the user of a session whose user was unknown. */
  const accept = (session: StoredSession, tokens: Tokens): Identity | undefined => {
    refusals = undefined;
    if (tokens.idToken) idToken = tokens.idToken;
    else subjectWithoutIdToken = session.subject;
    return tokens.idToken && newIdentity(session, tokens.idToken);
  };

  const afterRefusal = ({ cause }: UnexplainedRefusal): Error => {
    refusals = addRefusal(refusals, clock.now());
    return isRefusalProven(refusals, clock.now()) ? endedWithoutReason(cause) : cause;
  };

  const forget = async (): Promise<void> => {
    idToken = undefined;
    await spender.forget();
  };

  const spend = async (isFirst = true): Promise<void> => {
    // A request without effect goes first: the refresh token is sent only to a provider that answers.
    await oidc.rediscover();
    const startedIn = spender.generation();
    const isSameSignIn = (): boolean => startedIn === spender.generation();
    let spent: StoredSession | undefined;
    try {
      await spender.spend(async (session, onRotated, onIdentified) => {
        spent = session;
        const tokens = await resendLost(() => oidc.refresh(session.refreshToken, session.subject, onRotated));
        const identity = isSameSignIn() ? accept(session, tokens) : undefined;
        if (identity) onIdentified(identity);
      });
    } catch (thrown) {
      if (thrown instanceof UnexplainedRefusal) throw afterRefusal(thrown);
      const { code } = asCcwbError(thrown);
      const wasSent = spent !== undefined;
      if (!isEndOfSession({ code, wasSent, signedInOrOutMeanwhile: !isSameSignIn() }) || !spent) throw thrown;
      if (isFirst && (await spender.isReplacedElsewhere(spent.refreshToken))) return spend(false);
      if (isSameSignIn()) {
        if (spent.spentAt !== undefined) log('error', 'interrupted refresh could not be mended', { storage });
        await forget();
      }
      throw thrown;
    }
  };

  const unexpired = (rejected: IdToken | undefined): IdToken | undefined =>
    idToken && idToken !== rejected && idToken.expiresAt > clock.now() ? idToken : undefined;
  return {
    last: () => idToken,
    usableUntil: () => (idToken ? idTokenUsableUntil(idToken) : null),
    unexpired,
    usable: (rejected, leastLifeMs = 0) => {
      const candidate = unexpired(rejected);
      return candidate && hasEnoughLife(candidate, leastLifeMs, clock.now()) ? candidate : undefined;
    },
    canRefresh: () =>
      mayBringIdToken(spender.current(), { subjectWithoutIdToken, refusals, now: clock.now() }),
    isRefused: () => refusals !== undefined,
    refresh: createSharedCall(() => logged(() => spend(), edges)),
    replace: (replacement) => {
      subjectWithoutIdToken = undefined;
      refusals = undefined;
      idToken = replacement;
    },
    forget,
  };
}

async function logged(
  refresh: () => Promise<void>,
  { clock, log }: { clock: Clock; log: Log },
): Promise<void> {
  const startedAt = clock.now();
  try {
    await refresh();
    log('info', 'ID token refreshed', { durationMs: clock.now() - startedAt });
  } catch (thrown) {
    const { code } = asCcwbError(thrown);
    log('warn', 'refresh failed', { code, cause: causeOf(thrown), durationMs: clock.now() - startedAt });
    throw thrown;
  }
}

/**
 * Sends the same refresh token again at once after a lost reply: inside the grace period that providers
 * grant for that case, the next reply still brings its successor.
 */
async function resendLost(refresh: () => Promise<Tokens>): Promise<Tokens> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await refresh();
    } catch (thrown) {
      if (!(thrown instanceof LostReply)) throw thrown;
      const pauseMs = lostReplyPauseMs(tries);
      if (pauseMs === undefined) throw thrown.cause;
      await sleep(pauseMs);
    }
  }
}
