import { asCcwbError, type CcwbError, loginRequired } from '../../protocol/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { causeOf, type Log } from '../platform/log.ts';
import { createSharedCall } from '../shared-call.ts';
import { TIMING } from '../timing.ts';
import type { LockCredential } from './credential-lock.ts';
import type { SecretStore, StoredSession } from './stores/secret-store.ts';

/**
 * Spends a refresh token; `rotated` is to be called, and awaited, with the one that replaces it, and
 * `identified` with the user of a token that came without one.
 */
export type Spending<T> = (
  session: StoredSession,
  rotated: (refreshToken: string) => Promise<void>,
  identified: (whose: Pick<StoredSession, 'subject' | 'user'>) => void,
) => Promise<T>;

/**
 * The one refresh token of a session: in memory, in the store, and in the journal of its rotation.
 *
 * Never two uses at a time: whoever spends it holds the credential's lock, across processes, and has read
 * the store since. Never lost: that it is being spent is noted in the stored item before the request is
 * sent, and its successor is written and read back before it is forgotten. A daemon that finds such a note
 * spends the noted token again at once: providers take it again for a while after a reply was lost.
 */
export type RefreshTokenSpender = {
  /**
   * Reads the store once that is possible, and writes to it what could not be written before; failures are
   * tried again later. Never throws: see {@link RefreshTokenSpender.problem}.
   */
  restore(): Promise<void>;
  /** Whether the store has been read: until then somebody may be signed in without our knowing. */
  restored(): boolean;
  current(): StoredSession | undefined;
  /** The store's last failure: the session works, but would not survive a restart. */
  problem(): CcwbError | undefined;
  /** Grows with each sign-in and sign-out: what a refresh of an older one brings back is nobody's. */
  generation(): number;
  /**
   * Runs `spending` as the only one who spends this token.
   *
   * @throws CcwbError ERR_LOGIN_REQUIRED when there is none, ERR_SESSION_BUSY; whatever `spending` throws.
   */
  spend<T>(spending: Spending<T>): Promise<T>;
  /** True when another process has put another token into the store than the one spent. */
  replacedElsewhere(spent: string): Promise<boolean>;
  /** Takes over the token of a sign-in; without one the stored item goes. */
  replace(session: StoredSession | undefined): Promise<void>;
  /** Forgets the token here and in the store. */
  forget(): Promise<void>;
  /** Resolves when nothing is being written. */
  settled(): Promise<void>;
};

export function createRefreshTokenSpender(
  key: string,
  store: SecretStore,
  edges: { clock: Clock; log: Log; lockCredential: LockCredential },
  /** Awaited before the store is read: what spent the same refresh token before has come to rest. */
  after: () => Promise<void> = async () => {},
): RefreshTokenSpender {
  const { clock, log } = edges;
  let stored: StoredSession | undefined;
  let problem: CcwbError | undefined;
  let storeRead = false;
  let retryAt = 0;
  let generation = 0;
  /** What the store ought to hold and does not, since writing it failed. */
  let unsaved = false;
  let saving: Promise<void> = Promise.resolve();
  let spendings: Promise<unknown> = Promise.resolve();
  let lock: Promise<() => void> | undefined;
  let holders = 0;

  /** A store that fails costs the next restart a sign-in, not this session. */
  const storing = async (action: () => Promise<void>): Promise<boolean> => {
    try {
      await action();
      problem = undefined;
      return true;
    } catch (error) {
      problem = asCcwbError(error);
      log('error', 'secret store failed', {
        code: problem.code,
        storage: store.kind,
        cause: causeOf(error),
      });
      return false;
    }
  };

  /** Makes the store hold what memory holds; one write at a time, since keyrings may overtake each other. */
  const save = (): Promise<void> => {
    saving = saving.then(async () => {
      retryAt = clock.now() + TIMING.storeRetryMs;
      const session = stored;
      unsaved = !(await storing(() => (session ? store.write(key, session) : store.remove(key))));
    });
    return saving;
  };

  const keep = async (session: StoredSession): Promise<void> => {
    stored = session;
    await save();
  };

  /** Holds the credential's lock, together with whatever else of this session holds it. */
  const locked = async <T>(waitMs: number, action: () => Promise<T>): Promise<T> => {
    lock ??= edges.lockCredential(key, waitMs).catch((error: unknown) => {
      lock = undefined;
      throw error;
    });
    const release = await lock;
    holders += 1;
    try {
      return await action();
    } finally {
      holders -= 1;
      if (holders === 0) {
        lock = undefined;
        release();
      }
    }
  };

  /** What a person has decided does not wait for another daemon's refresh for long. */
  const lockedSoon = (action: () => Promise<void>): Promise<void> =>
    locked(TIMING.lockBrieflyMs, action).catch(async (error: unknown) => {
      log('warn', 'credential not locked', { code: asCcwbError(error).code, cause: causeOf(error) });
      await action();
    });

  const read = createSharedCall(async (): Promise<void> => {
    retryAt = clock.now() + TIMING.storeRetryMs;
    const startedIn = generation;
    await storing(async () => {
      await after();
      const found = await store.read(key);
      storeRead = true;
      // A sign-in may have finished while a slow keyring was asked.
      if (!found || startedIn !== generation) return;
      stored = found;
      log('info', 'session restored', { storage: store.kind });
      if (found.spentAt !== undefined) log('warn', 'interrupted refresh found', { storage: store.kind });
    });
  });

  const saveAgain = createSharedCall(() => lockedSoon(save));

  const restore = async (): Promise<void> => {
    if (storeRead && !unsaved) return;
    const wait = retryAt - clock.now();
    if (problem && wait > 0 && wait <= TIMING.storeRetryMs) return;
    if (storeRead) void saveAgain();
    else await read();
  };

  /** Another process may have rotated the token, or signed in, since we looked. */
  const lookAgain = async (): Promise<void> => {
    if (unsaved) return;
    const startedIn = generation;
    await storing(async () => {
      const found = await store.read(key);
      if (!found || startedIn !== generation || found.refreshToken === stored?.refreshToken) return;
      stored = found;
      log('info', 'session of another daemon taken over', { storage: store.kind });
    });
  };

  const note = async (session: StoredSession): Promise<void> => {
    // A token that stays the same cannot be lost.
    if (session.rotates === false || session.spentAt !== undefined) return;
    await keep({ ...session, spentAt: clock.now() });
  };

  const spend = <T>(spending: Spending<T>): Promise<T> => {
    const result = spendings.then(() => spendAlone(spending));
    spendings = result.catch(() => {});
    return result;
  };

  const spendAlone = <T>(spending: Spending<T>): Promise<T> =>
    locked(TIMING.lockMs, async () => {
      await lookAgain();
      const session = stored;
      if (!session) throw loginRequired();
      const startedIn = generation;
      await note(session);
      const { spentAt: _, ...spent } = session;
      let rotated = false;
      let whose: Pick<StoredSession, 'subject' | 'user'> | undefined;
      const result = await spending(
        session,
        async (refreshToken) => {
          if (startedIn !== generation) return;
          rotated = refreshToken !== session.refreshToken;
          if (rotated) await keep({ ...spent, refreshToken, rotates: true });
        },
        (identity) => {
          whose = identity;
        },
      );
      if (startedIn !== generation) return result;
      if (!rotated && session.rotates !== false) await keep({ ...spent, ...whose, rotates: false });
      else if (whose && stored) await keep({ ...stored, ...whose });
      return result;
    });

  return {
    restore,
    restored: () => storeRead,
    current: () => stored,
    problem: () => problem,
    generation: () => generation,
    spend,
    replacedElsewhere: async (spent) => {
      await lookAgain();
      return stored !== undefined && stored.refreshToken !== spent;
    },
    replace: async (session) => {
      generation += 1;
      stored = session;
      await lockedSoon(save);
    },
    forget: async () => {
      generation += 1;
      stored = undefined;
      await lockedSoon(save);
    },
    settled: async () => {
      await saveAgain.settled();
      await saving;
    },
  };
}
