import t from 'tap';
import { event, happensWithin } from '../../daemon/waiting.ts';

const HOUR = 60 * 60 * 1_000;
const nobodyLeaves = new AbortController().signal;

t.test('everybody who waits is woken by the event', async (t) => {
  const door = event();
  const waits = [1, 2, 3].map(() => happensWithin(door, HOUR, nobodyLeaves));
  door.happens();
  await Promise.all(waits);
  await happensWithin(door, HOUR, nobodyLeaves);
  t.pass('also who comes later');
});

t.test('a wait ends with its time', async (t) => {
  await happensWithin(event(), 1, nobodyLeaves);
  t.pass('without the event');
});

t.test('a wait ends when its caller goes away', async (t) => {
  const caller = new AbortController();
  const wait = happensWithin(event(), HOUR, caller.signal);
  caller.abort();
  await wait;
  await happensWithin(event(), HOUR, caller.signal);
  t.pass('also when it had gone before');
});
