import { loginRequired } from '../../protocol/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { TIMING } from '../timing.ts';
import { createSharedLock, type LockCredential } from './credential-lock.ts';
import { type Identity, noteUse, rotateTo, settleUse } from './refresh-token-policy.ts';
import { createSessionRecord, type SessionRecord } from './session-record.ts';
import type { SecretStore, StoredSession } from './stores/secret-store.ts';

/**
 * Spends a refresh token. It calls and awaits `onRotated` with the token that replaces it, and
 * `onIdentified` with the user of a token whose user was unknown.
 */
export type Spending<T> = (
  session: StoredSession,
  onRotated: (refreshToken: string) => Promise<void>,
  onIdentified: (identity: Identity) => void,
) => Promise<T>;

/**
 * The one refresh token of a session: in memory, in the store, and in the journal of its rotation.
 *
 * Never two uses at a time: the spender holds the credential's lock, across processes, and has read the
 * store since. Never lost: the use is noted in the stored item before the request is sent, and the successor
 * is written and read back before the old token is forgotten. A daemon that finds such a note spends the
 * noted token again at once: after a lost reply providers accept it again for a while.
 */
export type RefreshTokenSpender = Pick<
  SessionRecord,
  'restore' | 'isRestored' | 'current' | 'problem' | 'generation' | 'settled'
> & {
  /**
   * Runs `spending` as the only user of this token.
   *
   * @throws CcwbError ERR_LOGIN_REQUIRED when there is none, ERR_SESSION_BUSY; whatever `spending` throws.
   */
  spend<T>(spending: Spending<T>): Promise<T>;
  /** True when another process has put another token into the store than the one spent. */
  isReplacedElsewhere(spent: string): Promise<boolean>;
  /** Takes over the token of a sign-in; without one the stored item is removed. */
  replace(session: StoredSession | undefined): Promise<void>;
  /** Forgets the token here and in the store. */
  forget(): Promise<void>;
};

/** @param after awaited before the store is read: the former spender of the same refresh token has stopped. */
export function createRefreshTokenSpender(
  key: string,
  store: SecretStore,
  edges: { clock: Clock; log: Log; lockCredential: LockCredential },
  after: () => Promise<void> = async () => {},
): RefreshTokenSpender {
  const lock = createSharedLock(key, edges.lockCredential, edges.log);
  const record = createSessionRecord(key, store, edges, lock.holdBriefly, after);
  let spendings: Promise<unknown> = Promise.resolve();
  const { restore, isRestored, current, problem, generation, settled } = record;
  return {
    restore,
    isRestored,
    current,
    problem,
    generation,
    settled,
    spend: (spending) => {
      const result = spendings.then(() =>
        lock.hold(TIMING.lockMs, () => spendAlone(record, spending, edges.clock)),
      );
      spendings = result.catch(() => {});
      return result;
    },
    isReplacedElsewhere: async (spent) => {
      await record.readAgain();
      const stored = current();
      return stored !== undefined && stored.refreshToken !== spent;
    },
    replace: record.replace,
    forget: () => record.replace(undefined),
  };
}

/** Spends the token while the caller holds the lock. A sign-in or sign-out meanwhile is not undone. */
async function spendAlone<T>(record: SessionRecord, spending: Spending<T>, clock: Clock): Promise<T> {
  await record.readAgain();
  const spent = record.current();
  if (!spent) throw loginRequired();
  const startedIn = record.generation();
  const noted = noteUse(spent, clock.now());
  if (noted) await record.keep(noted);
  let rotated = false;
  let identity: Identity | undefined;
  const result = await spending(
    spent,
    async (refreshToken) => {
      if (startedIn !== record.generation()) return;
      const successor = rotateTo(spent, refreshToken);
      rotated = successor !== undefined;
      if (successor) await record.keep(successor);
    },
    (found) => {
      identity = found;
    },
  );
  if (startedIn !== record.generation()) return result;
  const after = settleUse({ spent, current: record.current(), rotated, identity });
  if (after) await record.keep(after);
  return result;
}
