import { asCcwbError, type CcwbError } from '../../protocol/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { causeOf, type Log } from '../platform/log.ts';
import { createSharedCall } from '../shared-call.ts';
import { TIMING } from '../timing.ts';
import { isNewerInStore, isStorePaused } from './refresh-token-policy.ts';
import type { SecretStore, StoredSession } from './stores/secret-store.ts';

/**
 * The stored item of a session and its copy in memory. Memory is right where the two differ: a store that
 * fails costs the next restart a sign-in, not this session.
 */
export type SessionRecord = {
  /**
   * Reads the store once that is possible, and writes to it what could not be written before. Failures are
   * retried later. Never throws: see {@link SessionRecord.problem}.
   */
  restore(): Promise<void>;
  /** False until the store has been read: a user may be signed in without this daemon knowing. */
  isRestored(): boolean;
  current(): StoredSession | undefined;
  /** The store's last failure: the session works, but would not survive a restart. */
  problem(): CcwbError | undefined;
  /** Grows with each sign-in and sign-out: the result of a refresh that started before is ignored. */
  generation(): number;
  /** Reads the store again, and takes over a token that another process has left there. */
  readAgain(): Promise<void>;
  /** Stores another state of the same sign-in. Resolves when the store has it, or has failed. */
  keep(session: StoredSession): Promise<void>;
  /** Stores another sign-in, or removes the item, and starts another generation. */
  replace(session: StoredSession | undefined): Promise<void>;
  /** Resolves when nothing is being written. */
  settled(): Promise<void>;
};

/** @param after awaited before the store is read: the former spender of the same refresh token has stopped. */
export function createSessionRecord(
  key: string,
  store: SecretStore,
  edges: { clock: Clock; log: Log },
  lockBriefly: (action: () => Promise<void>) => Promise<void>,
  after: () => Promise<void>,
): SessionRecord {
  const { clock, log } = edges;
  let current: StoredSession | undefined;
  const failure = createStoreFailure(store.kind, log);
  let isRead = false;
  let retryAt = 0;
  let generation = 0;
  /** True while the store lacks what memory holds, since writing it failed. */
  let isUnsaved = false;
  let saving: Promise<void> = Promise.resolve();

  /** Makes the store hold what memory holds. One write at a time: keyrings may reorder concurrent ones. */
  const save = (): Promise<void> => {
    saving = saving.then(async () => {
      retryAt = clock.now() + TIMING.storeRetryMs;
      const session = current;
      isUnsaved = !(await failure.catching(() => (session ? store.write(key, session) : store.remove(key))));
    });
    return saving;
  };

  const read = createSharedCall(async (): Promise<void> => {
    retryAt = clock.now() + TIMING.storeRetryMs;
    const startedIn = generation;
    await failure.catching(async () => {
      await after();
      const found = await store.read(key);
      isRead = true;
      // A sign-in may have finished while a slow keyring was read.
      if (!found || startedIn !== generation) return;
      current = found;
      log('info', 'session restored', { storage: store.kind });
      if (found.spentAt !== undefined) log('warn', 'interrupted refresh found', { storage: store.kind });
    });
  });

  const saveAgain = createSharedCall(() => lockBriefly(save));

  return {
    restore: async () => {
      if (isRead && !isUnsaved) return;
      if (failure.last() && isStorePaused(retryAt, clock.now())) return;
      if (isRead) void saveAgain();
      else await read();
    },
    isRestored: () => isRead,
    current: () => current,
    problem: failure.last,
    generation: () => generation,
    readAgain: async () => {
      if (isUnsaved) return;
      const startedIn = generation;
      await failure.catching(async () => {
        const found = await store.read(key);
        if (startedIn !== generation || !isNewerInStore(found, current)) return;
        current = found;
        log('info', 'session of another daemon taken over', { storage: store.kind });
      });
    },
    keep: async (session) => {
      current = session;
      await save();
    },
    replace: async (session) => {
      generation += 1;
      current = session;
      await lockBriefly(save);
    },
    settled: async () => {
      await saveAgain.settled();
      await saving;
    },
  };
}

/** The last failure of a store; it ends with the next success. */
function createStoreFailure(storage: SecretStore['kind'], log: Log) {
  let last: CcwbError | undefined;
  return {
    last: (): CcwbError | undefined => last,
    /** Returns false, and logs, when `action` fails. */
    catching: async (action: () => Promise<void>): Promise<boolean> => {
      try {
        await action();
        last = undefined;
        return true;
      } catch (error) {
        last = asCcwbError(error);
        log('error', 'secret store failed', { code: last.code, storage, cause: causeOf(error) });
        return false;
      }
    },
  };
}
