import t from 'tap';
import { createSessionRecord } from '../../../daemon/session/session-record.ts';
import { TIMING } from '../../../daemon/timing.ts';
import { CcwbError } from '../../../protocol/errors.ts';
import { fakeClock, gate, memoryLog, settled } from '../../../tools/support/daemon-edges.ts';
import { type MemoryStore, memoryStore, storedSession } from '../fixtures/memory-store.ts';

const KEY = 'key';

function create(store: MemoryStore) {
  const clock = fakeClock();
  const { log, events } = memoryLog();
  const record = createSessionRecord(
    KEY,
    store,
    { clock, log },
    (action) => action(),
    async () => {},
  );
  return { clock, events, record };
}

const locked = async () => {
  throw new CcwbError('ERR_STORE_LOCKED', 'the keyring is locked', 'unlock it');
};

t.test('the store is read once', async (t) => {
  const store = memoryStore({ [KEY]: storedSession('rt-1') });
  const { record } = create(store);
  t.equal(record.isRestored(), false);
  await Promise.all([record.restore(), record.restore()]);
  await record.restore();
  t.same(store.calls, ['read']);
  t.equal(record.isRestored(), true);
  t.same(record.current(), storedSession('rt-1'));
});

t.test('a store that cannot be read leaves the record unrestored until its retry', async (t) => {
  const store = memoryStore({ [KEY]: storedSession('rt-1') });
  const { record, clock } = create(store);
  store.before = locked;
  await record.restore();
  t.equal(record.isRestored(), false);
  t.equal(record.problem()?.code, 'ERR_STORE_LOCKED');
  store.before = async () => {};
  await record.restore();
  t.equal(record.isRestored(), false, 'not before its time');
  clock.advance(TIMING.storeRetryMs);
  await record.restore();
  t.equal(record.isRestored(), true);
  t.equal(record.problem(), undefined);
});

t.test('a sign-in or sign-out starts another generation, and a rotation does not', async (t) => {
  const store = memoryStore();
  const { record } = create(store);
  await record.replace(storedSession('rt-1'));
  t.equal(record.generation(), 1);
  await record.keep(storedSession('rt-2'));
  t.equal(record.generation(), 1);
  t.same(store.session(KEY), storedSession('rt-2'));
  await record.replace(undefined);
  t.equal(record.generation(), 2);
  t.equal(store.items.size, 0);
});

t.test('a token that another process left in the store is taken over', async (t) => {
  const store = memoryStore({ [KEY]: storedSession('rt-1') });
  const { record, events } = create(store);
  await record.restore();
  store.items.set(KEY, JSON.stringify(storedSession('rt-2')));
  await record.readAgain();
  t.equal(record.current()?.refreshToken, 'rt-2');
  t.ok(events().includes('session of another daemon taken over'));
});

t.test('memory wins over a store that could not be written', async (t) => {
  const store = memoryStore({ [KEY]: storedSession('rt-1') });
  const { record } = create(store);
  await record.restore();
  store.before = locked;
  await record.keep(storedSession('rt-2'));
  store.before = async () => {};
  await record.readAgain();
  t.equal(record.current()?.refreshToken, 'rt-2');
});

t.test('a sign-in while the store is read again wins', async (t) => {
  const store = memoryStore({ [KEY]: storedSession('rt-1') });
  const { record } = create(store);
  await record.restore();
  const keyring = gate();
  store.before = async (operation) => {
    if (operation === 'read') await keyring.promise;
  };
  store.items.set(KEY, JSON.stringify(storedSession('rt-2')));
  const reading = record.readAgain();
  await settled();
  await record.replace(storedSession('rt-new'));
  keyring.open();
  await reading;
  t.equal(record.current()?.refreshToken, 'rt-new');
});
