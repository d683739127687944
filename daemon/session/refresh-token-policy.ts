import { displayName, type SignInTokens } from '../oidc/tokens.ts';
import { TIMING } from '../timing.ts';
import type { StoredSession } from './stores/secret-store.ts';

/**
 * The decisions about a stored refresh token: what the journal notes, what a successor means, and when a
 * store that failed is used again. Times are in milliseconds since the epoch.
 */

/** The user of a session, once an ID token has shown it. */
export type Identity = Pick<StoredSession, 'subject' | 'user'>;

/** Returns the item that a sign-in leaves; undefined without a refresh token: the former user's item is removed. */
export function storedSessionOf({ refreshToken, idToken }: SignInTokens): StoredSession | undefined {
  if (refreshToken === undefined) return undefined;
  const { claims } = idToken;
  return { version: 1, refreshToken, subject: claims.sub, user: displayName(claims) };
}

/** Returns true while a store that failed is left alone. A longer wait than ever set comes from a clock set back. */
export function isStorePaused(retryAt: number, now: number): boolean {
  const waitMs = retryAt - now;
  return waitMs > 0 && waitMs <= TIMING.storeRetryMs;
}

/**
 * Returns true when the stored item replaces the one in memory: another process has rotated the token or
 * signed in since.
 */
export function isNewerInStore(
  found: StoredSession | undefined,
  current: StoredSession | undefined,
): found is StoredSession {
  return found !== undefined && found.refreshToken !== current?.refreshToken;
}

/**
 * Returns the item that notes the use of a token before it is sent; undefined when nothing needs noting. A
 * token that never rotates cannot be lost, and the first of several interrupted uses is the one to keep.
 */
export function noteUse(session: StoredSession, now: number): StoredSession | undefined {
  if (session.rotates === false || session.spentAt !== undefined) return undefined;
  return { ...session, spentAt: now };
}

/** Returns the item that holds the successor of a spent token; undefined when the provider sent the same token. */
export function rotateTo(spent: StoredSession, refreshToken: string): StoredSession | undefined {
  if (refreshToken === spent.refreshToken) return undefined;
  return { ...withoutNote(spent), refreshToken, rotates: true };
}

/**
 * Returns the item to store after a use that succeeded; undefined when the stored one is right already.
 *
 * @param use.spent the item whose token was spent.
 * @param use.current the item in memory now: the successor, if the token was rotated.
 * @param use.identity the user, where the spent item did not name one.
 */
export function settleUse(use: {
  spent: StoredSession;
  current: StoredSession | undefined;
  rotated: boolean;
  identity: Identity | undefined;
}): StoredSession | undefined {
  const { spent, current, rotated, identity } = use;
  if (!rotated && spent.rotates !== false) return { ...withoutNote(spent), ...identity, rotates: false };
  return identity && current ? { ...current, ...identity } : undefined;
}

function withoutNote({ spentAt: _, ...session }: StoredSession): StoredSession {
  return session;
}
