import t from 'tap';
import type { LockCredential } from '../../../daemon/session/credential-lock.ts';
import { createRefreshTokenSpender } from '../../../daemon/session/refresh-token-spender.ts';
import type { StoredSession } from '../../../daemon/session/stores/secret-store.ts';
import { TIMING } from '../../../daemon/timing.ts';
import { CcwbError } from '../../../protocol/errors.ts';
import {
  codeOf,
  fakeClock,
  gate,
  memoryLog,
  noLocks,
  rejection,
  settled,
} from '../../../tools/support/daemon-edges.ts';
import { type MemoryStore, memoryStore, storedSession } from '../fixtures/memory-store.ts';

const KEY = 'key';

/** A spender as one daemon has it; several on one store are several daemons. */
function open(store: MemoryStore, lockCredential: LockCredential = noLocks) {
  const clock = fakeClock();
  const { log, events } = memoryLog();
  return { clock, events, spender: createRefreshTokenSpender(KEY, store, { clock, log, lockCredential }) };
}

async function restored(store: MemoryStore, lockCredential?: LockCredential) {
  const opened = open(store, lockCredential);
  await opened.spender.restore();
  return opened;
}

const unlock = () => new CcwbError('ERR_STORE_LOCKED', 'the keyring is locked', 'unlock it');

/** A lock that processes share; tells how many hold it. */
function sharedLock() {
  let last: Promise<void> = Promise.resolve();
  const state = { holders: 0, most: 0 };
  const lock: LockCredential = async () => {
    const before = last;
    const held = gate();
    last = held.promise;
    await before;
    state.holders += 1;
    state.most = Math.max(state.most, state.holders);
    return () => {
      state.holders -= 1;
      held.open();
    };
  };
  return { state, lock };
}

t.test(
  'the use of a token is noted before it is sent, and its successor stored before it is forgotten',
  async (t) => {
    const store = memoryStore({ [KEY]: storedSession('rt-1') });
    const { spender, clock } = await restored(store);
    const seen: (StoredSession | undefined)[] = [];
    await spender.spend(async (session, rotated) => {
      t.equal(session.refreshToken, 'rt-1');
      seen.push(store.session(KEY));
      await rotated('rt-2');
      seen.push(store.session(KEY));
    });
    t.same(seen, [
      { ...storedSession('rt-1'), spentAt: clock.now() },
      { ...storedSession('rt-2'), rotates: true },
    ]);
    t.equal(spender.current()?.refreshToken, 'rt-2');
  },
);

t.test('a daemon that was killed during a refresh leaves a token that can be spent again', async (t) => {
  const store = memoryStore({ [KEY]: storedSession('rt-1') });
  const killed = await restored(store);
  void killed.spender.spend(() => new Promise<void>(() => {}));
  await settled();
  const { spender, events } = await restored(store);
  t.ok(events().includes('interrupted refresh found'));
  await spender.spend(async (session, rotated) => {
    t.equal(
      session.refreshToken,
      'rt-1',
      'the same again: inside the grace it brings the successor after all',
    );
    await rotated('rt-2');
  });
  t.same(store.session(KEY), { ...storedSession('rt-2'), rotates: true });
});

t.test('a use that fails stays noted, with the time of the first one', async (t) => {
  const store = memoryStore({ [KEY]: storedSession('rt-1') });
  const { spender, clock } = await restored(store);
  const at = clock.now();
  for (const _ of [1, 2]) {
    await rejection(
      spender.spend(async () => {
        throw new Error('no answer');
      }),
    );
    clock.advance(1_000);
  }
  t.equal(store.session(KEY)?.spentAt, at);
  t.same(
    store.calls.filter((call) => call === 'write'),
    ['write'],
  );
});

t.test('two daemons spend in turn, and the second spends the token that the first has stored', async (t) => {
  const store = memoryStore({ [KEY]: storedSession('rt-0') });
  const { lock, state } = sharedLock();
  const daemons = [await restored(store, lock), await restored(store, lock)];
  const spent: string[] = [];
  let using = 0;
  const use = ({ spender }: (typeof daemons)[number]): Promise<void> =>
    spender.spend(async (session, rotated) => {
      using += 1;
      t.equal(using, 1, 'never two uses at a time');
      spent.push(session.refreshToken);
      await settled();
      await rotated(`rt-${spent.length}`);
      using -= 1;
    });
  await Promise.all([...daemons, ...daemons].map(use));
  t.same(spent, ['rt-0', 'rt-1', 'rt-2', 'rt-3']);
  t.equal(state.most, 1);
  t.equal(state.holders, 0, 'and the lock is free afterwards');
});

t.test('a lock that another daemon keeps is a passing error, and no token is spent', async (t) => {
  const store = memoryStore({ [KEY]: storedSession('rt-1') });
  const { spender } = await restored(store, async (key, waitMs) => {
    t.same([key, waitMs], [KEY, TIMING.lockMs]);
    throw new CcwbError('ERR_SESSION_BUSY', 'taken', 'wait');
  });
  t.equal(await codeOf(spender.spend(async () => t.fail('spent'))), 'ERR_SESSION_BUSY');
  t.equal(spender.current()?.refreshToken, 'rt-1');
});

t.test('a sign-in or sign-out waits only briefly for another daemon', async (t) => {
  const store = memoryStore({ [KEY]: storedSession('rt-1') });
  const { spender, events } = await restored(store, async (_, waitMs) => {
    t.equal(waitMs, TIMING.lockBrieflyMs);
    throw new CcwbError('ERR_SESSION_BUSY', 'taken', 'wait');
  });
  await spender.replace(storedSession('rt-2'));
  t.equal(store.session(KEY)?.refreshToken, 'rt-2');
  await spender.forget();
  t.equal(store.items.size, 0);
  t.ok(events().includes('credential not locked'));
});

t.test('a refresh does not undo a sign-out or sign-in that happened meanwhile', async (t) => {
  for (const decide of ['forget', 'replace'] as const) {
    const store = memoryStore({ [KEY]: storedSession('rt-1') });
    const { lock, state } = sharedLock();
    const { spender } = await restored(store, lock);
    const answer = gate();
    const using = spender.spend(async (_, rotated) => {
      await answer.promise;
      await rotated('rt-2');
    });
    await settled();
    await (decide === 'forget' ? spender.forget() : spender.replace(storedSession('rt-new')));
    answer.open();
    await using;
    await spender.settled();
    t.equal(store.session(KEY)?.refreshToken, decide === 'forget' ? undefined : 'rt-new', decide);
    t.equal(state.holders, 0);
  }
});

t.test('a session that could not be written is written at the next retry', async (t) => {
  const store = memoryStore({ [KEY]: storedSession('rt-1') });
  const { spender, clock } = await restored(store);
  store.before = async (operation) => {
    if (operation === 'write') throw unlock();
  };
  await spender.spend(async (_, rotated) => rotated('rt-2'));
  t.equal(spender.problem()?.code, 'ERR_STORE_LOCKED');
  t.equal(store.session(KEY)?.refreshToken, 'rt-1');
  store.before = async () => {};
  await spender.restore();
  await spender.settled();
  t.equal(store.session(KEY)?.refreshToken, 'rt-1', 'not at every occasion');
  clock.advance(TIMING.storeRetryMs);
  await spender.restore();
  await spender.settled();
  t.equal(store.session(KEY)?.refreshToken, 'rt-2');
  t.equal(spender.problem(), undefined);
});

t.test('a store that could not be written does not bring an old token back', async (t) => {
  const store = memoryStore({ [KEY]: storedSession('rt-1') });
  const { spender } = await restored(store);
  store.before = async () => {
    throw unlock();
  };
  await spender.spend(async (_, rotated) => rotated('rt-2'));
  store.before = async (operation) => {
    if (operation === 'write') throw unlock();
  };
  await spender.spend(async (session) => {
    t.equal(session.refreshToken, 'rt-2', 'memory knows better than the store');
  });
});

t.test('writes reach the store in the order in which they were requested', async (t) => {
  const store = memoryStore({ [KEY]: storedSession('rt-1') });
  const { spender } = await restored(store);
  const slow = gate();
  let first = true;
  store.before = async (operation) => {
    if (operation !== 'write' || !first) return;
    first = false;
    await slow.promise;
  };
  const replacing = [spender.replace(storedSession('rt-2')), spender.replace(storedSession('rt-3'))];
  await settled();
  slow.open();
  await Promise.all(replacing);
  t.equal(store.session(KEY)?.refreshToken, 'rt-3');
});
