import { type CcwbError, loginRequired } from '../../protocol/errors.ts';
import { displayName, type IdToken, UNKNOWN_SUBJECT } from '../oidc/tokens.ts';
import { idTokenLifeMs, TIMING } from '../timing.ts';
import type { Identity } from './refresh-token-policy.ts';
import type { StoredSession } from './stores/secret-store.ts';

/**
 * The decisions about an ID token and about the provider's refusals to refresh it. Times are in
 * milliseconds since the epoch.
 */

/** The first and the last of a series of refusals without a reason. */
export type Refusals = { readonly first: number; readonly last: number };

/** Returns the time until which an ID token is used without a refresh. */
export function idTokenUsableUntil({ expiresAt, lifetimeMs }: IdToken): number {
  return expiresAt - idTokenLifeMs(lifetimeMs);
}

/** Returns true when the ID token has enough time left to be used without a refresh. */
export function hasEnoughLife(idToken: IdToken, leastLifeMs: number, now: number): boolean {
  return now < idTokenUsableUntil(idToken) && idToken.expiresAt - now >= leastLifeMs;
}

/**
 * Returns true while the refresh token may bring another ID token.
 *
 * @param state.subjectWithoutIdToken the user whose last refresh brought no ID token.
 */
export function mayBringIdToken(
  session: StoredSession | undefined,
  state: { subjectWithoutIdToken: string | undefined; refusals: Refusals | undefined; now: number },
): boolean {
  return (
    session !== undefined &&
    session.subject !== state.subjectWithoutIdToken &&
    !isRefusalProven(state.refusals, state.now)
  );
}

/** Returns the user that the first ID token of an imported session shows; undefined when the user was known. */
export function newIdentity(session: StoredSession, { claims }: IdToken): Identity | undefined {
  if (session.subject !== UNKNOWN_SUBJECT) return undefined;
  return { subject: claims.sub, user: displayName(claims) };
}

/** Returns the series of refusals with one more at the end. */
export function addRefusal(refusals: Refusals | undefined, now: number): Refusals {
  return { first: refusals?.first ?? now, last: now };
}

/**
 * Returns true once refusals without a reason count as the provider's own: they lasted longer than a fault
 * of the network in between. The proof expires, so that a mistake of the provider does not end the session.
 */
export function isRefusalProven(refusals: Refusals | undefined, now: number): boolean {
  return (
    refusals !== undefined &&
    refusals.last - refusals.first >= TIMING.refusalProofMs &&
    now - refusals.last < TIMING.refusalMemoryMs
  );
}

/**
 * Returns true when a failed refresh proves that the session has ended: only `invalid_grant` does, in answer
 * to a token that was really sent, and only if nobody signed in or out meanwhile.
 */
export function isEndOfSession(failure: {
  code: CcwbError['code'];
  wasSent: boolean;
  signedInOrOutMeanwhile: boolean;
}): boolean {
  return failure.code === 'ERR_LOGIN_REQUIRED' && failure.wasSent && !failure.signedInOrOutMeanwhile;
}

/**
 * Returns the pause before the same refresh token is sent again after a lost reply, in milliseconds;
 * undefined when it was sent often enough.
 *
 * @param tries how often it was sent, from 1.
 */
export function lostReplyPauseMs(tries: number): number | undefined {
  if (tries >= TIMING.lostReplyTries) return undefined;
  return tries === 1 ? 0 : TIMING.lostReplyRetryMs;
}

/**
 * Returns the error of a session without a usable ID token. While the keyring is locked a user may well be
 * signed in, and a sign-in page would not help.
 */
export function noIdTokenError(store: { isRestored: boolean; problem: CcwbError | undefined }): CcwbError {
  return !store.isRestored && store.problem?.code === 'ERR_STORE_LOCKED' ? store.problem : loginRequired();
}
