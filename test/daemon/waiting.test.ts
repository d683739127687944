import t from 'tap';
import { createDeferred, waitFor } from '../../daemon/waiting.ts';

const HOUR = 60 * 60 * 1_000;
const nobodyLeaves = new AbortController().signal;

t.test('all callers are woken when the promise resolves', async (t) => {
  const door = createDeferred();
  const waits = [1, 2, 3].map(() => waitFor(door, HOUR, nobodyLeaves));
  door.resolve();
  await Promise.all(waits);
  await waitFor(door, HOUR, nobodyLeaves);
  t.pass('also who comes later');
});

t.test('a wait ends after its time limit', async (t) => {
  await waitFor(createDeferred(), 1, nobodyLeaves);
  t.pass('without the event');
});

t.test('a wait ends when its caller aborts', async (t) => {
  const caller = new AbortController();
  const wait = waitFor(createDeferred(), HOUR, caller.signal);
  caller.abort();
  await wait;
  await waitFor(createDeferred(), HOUR, caller.signal);
  t.pass('also when it had gone before');
});
