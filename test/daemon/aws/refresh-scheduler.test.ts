import t from 'tap';
import { startRefreshScheduler } from '../../../daemon/aws/refresh-scheduler.ts';
import type { Profile } from '../../../daemon/profiles/profile.ts';
import type { Profiles } from '../../../daemon/profiles/profiles.ts';
import { type FakeClock, fakeClock, memoryLog, realClock } from '../../../tools/support/daemon-edges.ts';

// The tests wait for real ticks, so they wait together.
t.jobs = 4;

/** Profiles that only count what the scheduler does with them. */
function counted(refreshes: (() => Promise<void>)[]) {
  const counts = { reloads: 0, refreshes: refreshes.map(() => 0), telemetry: 0, wokenUp: 0, others: 0 };
  const all = refreshes.map((refresh, index) => ({
    config: { name: `profile-${index}` },
    telemetry: {
      refreshIfDue: async () => {
        counts.telemetry += 1;
      },
    },
    credentials: {
      view: () => ({ expiresAt: null, nextRefreshAt: null, problem: undefined }),
      onWakeUp: () => {
        counts.wokenUp += 1;
      },
      refreshIfDue: () => {
        counts.refreshes[index] = (counts.refreshes[index] ?? 0) + 1;
        return refresh();
      },
    },
  }));
  const profiles = {
    all: () => all as unknown as Profile[],
    reloadIfChanged: () => {
      counts.reloads += 1;
    },
  };
  // Whatever else the scheduler would call (a sign-in, say) is not there, and would throw.
  return { counts, profiles: profiles as unknown as Profiles };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

const done = async () => {};

t.test('every profile is checked at the start, and then at each tick', { buffered: true }, async (t) => {
  const { counts, profiles } = counted([done, done]);
  const { log } = memoryLog();
  const scheduler = startRefreshScheduler(profiles, { clock: realClock, log }, 1);
  t.same(
    counts,
    { reloads: 1, refreshes: [1, 1], telemetry: 2, wokenUp: 0, others: 0 },
    'before the first tick',
  );
  await until(() => counts.reloads >= 3);
  t.ok((counts.refreshes[0] ?? 0) >= 3);
  await scheduler.stop();
  const stopped = counts.reloads;
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  t.equal(counts.reloads, stopped, 'and never again once it is stopped');
});

t.test('a slow profile delays no other', { buffered: true }, async (t) => {
  const never = () => new Promise<void>(() => {});
  const { counts, profiles } = counted([never, done]);
  const scheduler = startRefreshScheduler(profiles, { clock: realClock, log: memoryLog().log }, 1);
  await until(() => (counts.refreshes[1] ?? 0) >= 2);
  t.ok((counts.refreshes[1] ?? 0) >= 2);
  await scheduler.stop();
});

t.test('a sleep and a clock change in either direction are noticed', { buffered: true }, async (t) => {
  const { counts, profiles } = counted([done]);
  const clock: FakeClock = fakeClock();
  const { log, lines } = memoryLog();
  const scheduler = startRefreshScheduler(profiles, { clock, log }, 1);
  const tick = async (gapMs: number) => {
    const seen = counts.reloads;
    clock.advance(gapMs);
    await until(() => counts.reloads > seen);
  };
  await tick(1_000);
  await tick(1_499);
  t.same(lines, [], 'a tick that is a little late is nothing');
  await tick(8 * 3_600_000);
  await tick(-3_600_000);
  t.match(lines, [
    { level: 'info', event: 'clock jumped', fields: { durationMs: 28_800_000 } },
    { level: 'info', event: 'clock jumped', fields: { durationMs: -3_600_000 } },
  ]);
  await scheduler.stop();
});

t.test('a configuration check that fails stops no refresh', { buffered: true }, async (t) => {
  const { counts, profiles } = counted([done]);
  const failing: Profiles = {
    ...profiles,
    reloadIfChanged: () => {
      counts.others += 1;
      if (counts.others > 1) throw Object.assign(new Error('ELOOP'), { code: 'ELOOP' });
    },
  };
  const scheduler = startRefreshScheduler(failing, { clock: realClock, log: memoryLog().log }, 1);
  await until(() => counts.others >= 3);
  t.ok((counts.refreshes[0] ?? 0) >= 2, 'the profiles that work go on');
  await scheduler.stop();
});
