import t from 'tap';
import { createCorrectedClock } from '../../../daemon/platform/clock.ts';
import { TIMING } from '../../../daemon/timing.ts';
import { memoryLog } from '../../../tools/support/daemon-edges.ts';

const START = Date.UTC(2026, 0, 2, 3, 4, 5);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A machine whose two clocks the test moves. */
function machine() {
  const at = { wall: START, monotonic: 1_000 };
  const { log, events } = memoryLog();
  const clock = createCorrectedClock(
    () => at.wall,
    () => at.monotonic,
    log,
  );
  return {
    at,
    clock,
    events,
    pass: (ms: number) => {
      at.wall += ms;
      at.monotonic += ms;
    },
    sleep: (ms: number) => {
      at.wall += ms;
    },
    set: (ms: number) => {
      at.wall += ms;
    },
  };
}

t.test('a right clock is not corrected', async (t) => {
  const { clock, pass, at, events } = machine();
  for (const off of [0, 900, -3_000, 0]) {
    clock.observe(at.wall + off);
    clock.observe(at.wall + off);
    t.equal(clock.now(), at.wall);
    pass(MINUTE);
  }
  t.equal(clock.skewMs(), 0);
  t.same(events(), []);
});

t.test('a wrong clock is corrected when two replies agree', async (t) => {
  const { clock, at } = machine();
  clock.observe(at.wall + HOUR);
  t.equal(clock.skewMs(), 0, 'one reply may be wrong itself');
  clock.observe(at.wall + HOUR + 900);
  t.equal(clock.skewMs(), HOUR + 900);
  t.equal(clock.now(), at.wall + HOUR + 900);
  t.equal(clock.local(clock.now()), at.wall, 'others on this machine still go by its clock');
  clock.observe(at.wall + HOUR);
  t.equal(clock.skewMs(), HOUR + 900, 'the header\u2019s coarseness changes nothing');
});

t.test('a single different reply, or none, changes nothing', async (t) => {
  const { clock, at } = machine();
  for (const ms of [at.wall, at.wall + HOUR, at.wall, Number.NaN, at.wall - HOUR, at.wall]) clock.observe(ms);
  t.equal(clock.skewMs(), 0);
});

t.test(
  'between the reply that shows a skew and the one that confirms it the clock is in doubt',
  async (t) => {
    const { clock, at, pass } = machine();
    const seen = (skewMs: number): boolean => {
      clock.observe(at.wall + skewMs);
      return clock.inDoubt();
    };
    t.equal(clock.inDoubt(), false);
    t.equal(seen(900), false, 'too small to matter');
    t.equal(seen(HOUR), true);
    t.equal(seen(HOUR + 900), false, 'confirmed');
    pass(MINUTE);
    t.equal(seen(HOUR), false, 'nothing new');
    t.equal(seen(0), true);
    t.equal(seen(HOUR), false, 'it was one odd reply');
  },
);

t.test('the next replies notice a corrected clock', async (t) => {
  const { clock, at, set, pass } = machine();
  for (const _ of [1, 2]) clock.observe(at.wall + HOUR);
  t.equal(clock.skewMs(), HOUR);
  set(HOUR);
  for (const _ of [1, 2]) clock.observe(at.wall);
  t.equal(clock.skewMs(), 0);
  pass(MINUTE);
  t.equal(clock.now(), at.wall);
});

t.test('time does not run backwards when the clock is set back', async (t) => {
  const { clock, at, set, pass, events } = machine();
  const before = clock.now();
  set(-HOUR);
  t.equal(clock.now(), before);
  pass(MINUTE);
  t.equal(clock.now(), before + MINUTE);
  t.same(events(), ['clock set back']);
  for (const _ of [1, 2]) clock.observe(at.wall);
  t.equal(clock.now(), at.wall, 'unless the replies say that it should');
});

t.test('a clock that was ahead and is set right loses its correction', async (t) => {
  const { clock, at, set } = machine();
  for (const _ of [1, 2]) clock.observe(at.wall - HOUR);
  const before = clock.now();
  set(-HOUR);
  t.equal(clock.now(), before);
  t.equal(clock.skewMs(), 0);
});

t.test('time passes during sleep', async (t) => {
  const { clock, sleep, events } = machine();
  const before = clock.now();
  sleep(8 * HOUR);
  t.equal(clock.now(), before + 8 * HOUR);
  t.same(events(), []);
});

t.test('a clock that is corrected gradually is followed', async (t) => {
  const { clock, at, pass, set } = machine();
  for (let step = 0; step < 100; step += 1) {
    pass(1_000);
    set(-TIMING.clockSetMs / 2);
    t.equal(clock.now(), at.wall);
  }
});
