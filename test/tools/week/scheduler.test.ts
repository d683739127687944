import t from 'tap';
import { startRefreshScheduler } from '../../../daemon/aws/refresh-scheduler.ts';
import { createCorrectedClock } from '../../../daemon/platform/clock.ts';
import type { Profiles } from '../../../daemon/profiles/profiles.ts';
import { memoryLog } from '../../../tools/support/daemon-edges.ts';
import { HOUR, MINUTE, SECOND } from '../../../tools/week/plan.ts';
import { type SimulatedTime, simulateTime } from '../../../tools/week/simulated-time.ts';

/** An hour before summer time ends in Europe. */
const START = Date.UTC(2026, 9, 25, 0, 0, 3);

/** The scheduler on a simulated computer; its ticks by true time. */
async function ticking(test: (time: SimulatedTime, ticks: number[]) => Promise<void>): Promise<void> {
  const time = simulateTime(START, 0);
  try {
    const { log } = memoryLog();
    const clock = createCorrectedClock(Date.now, () => performance.now(), log);
    const ticks: number[] = [];
    const profiles = {
      all: () => [],
      reloadIfChanged: () => {
        ticks.push(time.now());
      },
    };
    const scheduler = startRefreshScheduler(profiles as unknown as Profiles, { clock, log });
    await test(time, ticks);
    await scheduler.stop();
  } finally {
    time.end();
  }
}

async function pass(time: SimulatedTime, ms: number): Promise<void> {
  const until = time.now() + ms;
  time.at(until, () => {});
  await time.runUntil(() => time.now() >= until);
}

/** The longest time between two ticks. */
function longestGap(ticks: readonly number[]): number {
  return Math.max(...ticks.slice(1).map((at, index) => at - (ticks[index] ?? 0)));
}

t.test('a tick comes every 15 s, on the quarters of a minute', async (t) => {
  await ticking(async (time, ticks) => {
    await pass(time, 10 * MINUTE);
    t.equal(ticks.length, 41);
    t.equal(ticks[0], START, 'the first one at once');
    t.ok(ticks.slice(1).every((at) => at % (15 * SECOND) === 0));
  });
});

t.test('a clock that is set back stops no tick', async (t) => {
  for (const backMs of [HOUR, 5 * MINUTE, 7 * SECOND]) {
    await ticking(async (time, ticks) => {
      await pass(time, MINUTE);
      time.setWallClock(-backMs);
      await pass(time, 2 * HOUR);
      t.ok(longestGap(ticks) <= 20 * SECOND, `${backMs} ms: ${longestGap(ticks)} ms without a tick`);
    });
  }
});

t.test('nor one that is set ahead', async (t) => {
  await ticking(async (time, ticks) => {
    await pass(time, MINUTE);
    time.setWallClock(HOUR + 4 * SECOND);
    await pass(time, HOUR);
    t.ok(longestGap(ticks) <= 20 * SECOND);
  });
});

t.test('after a sleep of a weekend there is one tick, soon, and the next ones in their time', async (t) => {
  await ticking(async (time, ticks) => {
    await pass(time, MINUTE);
    time.sleepUntil(time.now() + 63 * HOUR + 8 * SECOND);
    const wokeAt = time.now();
    await pass(time, MINUTE);
    const after = ticks.filter((at) => at >= wokeAt);
    t.ok((after[0] ?? Number.POSITIVE_INFINITY) - wokeAt <= 15 * SECOND, 'what was left of a tick');
    t.ok(after.length <= 6, 'what was missed is not made up for');
    t.ok(longestGap(after) <= 20 * SECOND);
  });
});

t.test('an hour that comes twice has its ticks, both times', async (t) => {
  const zone = process.env.TZ;
  process.env.TZ = 'Europe/Berlin';
  t.teardown(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });
  await ticking(async (time, ticks) => {
    await pass(time, 3 * HOUR);
    t.ok(longestGap(ticks) <= 15 * SECOND, `${longestGap(ticks)} ms without a tick`);
  });
});
