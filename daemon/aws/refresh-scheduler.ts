import cron from 'node-cron';
import type { CorrectedClock } from '../platform/clock.ts';
import { causeOf, type Log } from '../platform/log.ts';
import type { Profile, Profiles } from '../profiles/profiles.ts';
import { TIMING } from '../timing.ts';

export type RefreshScheduler = { stop(): Promise<void> };

/**
 * Looks at every profile on a wall-clock tick and refreshes what is due. Never opens a browser: what needs
 * a person waits for one.
 *
 * @param tickSeconds a divisor of 60; shorter than the default only to watch a day in a minute.
 * @param alsoAtTick what else follows the clock and config.json.
 */
export function startRefreshScheduler(
  profiles: Profiles,
  edges: { clock: CorrectedClock; log: Log },
  tickSeconds: number = TIMING.tickMs / 1000,
  alsoAtTick: () => void = () => {},
): RefreshScheduler {
  const tickMs = tickSeconds * 1000;
  const retries = new Map<string, NodeJS.Timeout>();
  let lastTick = edges.clock.now();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  /** One try, and the next one by a timer when back-off wants it before the next tick. */
  const look = async (profile: Profile): Promise<void> => {
    const { name } = profile.config;
    clearTimeout(retries.get(name));
    retries.delete(name);
    await profile.credentials.refreshIfDue();
    const { nextRefreshAt, problem } = profile.credentials.view();
    const waitMs = (nextRefreshAt ?? Number.POSITIVE_INFINITY) - edges.clock.now();
    if (stopped || !problem || waitMs >= tickMs) return;
    clearTimeout(retries.get(name));
    retries.set(name, setTimeout(() => void look(profile), Math.max(waitMs, LEAST_WAIT_MS)).unref());
  };

  const tick = (): void => {
    const now = edges.clock.now();
    const gap = now - lastTick;
    lastTick = now;
    const wokeUp = gap > 1.5 * tickMs || gap < 0;
    if (wokeUp) edges.log('info', 'clock jumped', { durationMs: gap });
    // Each profile on its own: a slow one delays no other, nor does a config.json that makes trouble.
    for (const profile of profiles.all()) {
      if (wokeUp) profile.credentials.onWakeUp();
      void look(profile);
      void profile.telemetry.refreshIfDue();
    }
    profiles.reloadIfChanged();
    alsoAtTick();
  };

  const schedule = cron.createTask(`*/${tickSeconds} * * * * *`, tick, {
    name: 'refresh',
    // In local time an hour comes twice when summer ends, and node-cron skips both.
    timezone: 'UTC',
    logger: silent,
  });
  /**
   * node-cron tells the times of the ticks; the waiting for them is done here. Its own is for a time that it
   * worked out before: it lasts an hour when the clock is set back by one, and after a sleep it first goes
   * through every tick that was missed, which takes seconds.
   */
  const waitForTick = (): void => {
    const now = edges.clock.local(edges.clock.now());
    const waits = schedule.getNextRuns(2).map((next) => next.getTime() - now);
    timer = setTimeout(
      () => {
        waitForTick();
        schedule.execute().catch((error: unknown) => edges.log('error', 'defect', { cause: causeOf(error) }));
      },
      // Timers may be a moment early: a time that close has been served.
      waits.find((ms) => ms > tickMs / 4 && ms <= 1.25 * tickMs) ?? tickMs,
    );
  };
  waitForTick();
  tick();
  return {
    stop: async () => {
      stopped = true;
      for (const retry of retries.values()) clearTimeout(retry);
      clearTimeout(timer);
      await schedule.destroy();
    },
  };
}

/** A retry that is due already still lets others have their turn, in milliseconds. */
const LEAST_WAIT_MS = 10;

/** node-cron writes to the console otherwise; what matters is in our log. */
const silent = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };
