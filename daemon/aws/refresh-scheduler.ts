import cron from 'node-cron';
import type { CorrectedClock } from '../platform/clock.ts';
import { causeOf, type Log } from '../platform/log.ts';
import type { Profile } from '../profiles/profile.ts';
import type { Profiles } from '../profiles/profiles.ts';
import { TIMING } from '../timing.ts';

export type RefreshScheduler = { stop(): Promise<void> };

/**
 * Checks every profile on a wall-clock tick and refreshes those that are due. It never opens a browser: a
 * profile that needs a sign-in waits for a person.
 *
 * @param tickSeconds a divisor of 60; shorter than the default only in simulations.
 * @param alsoAtTick called at each tick, for other parts that follow the clock and config.json.
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

  /** Refreshes a profile if that is due, and sets a timer for a retry that is due before the next tick. */
  const check = async (profile: Profile): Promise<void> => {
    const { name } = profile.config;
    clearTimeout(retries.get(name));
    retries.delete(name);
    await profile.credentials.refreshIfDue();
    const { nextRefreshAt, problem } = profile.credentials.view();
    const waitMs = (nextRefreshAt ?? Number.POSITIVE_INFINITY) - edges.clock.now();
    if (stopped || !problem || waitMs >= tickMs) return;
    clearTimeout(retries.get(name));
    retries.set(name, setTimeout(() => void check(profile), Math.max(waitMs, LEAST_WAIT_MS)).unref());
  };

  const tick = (): void => {
    const now = edges.clock.now();
    const gap = now - lastTick;
    lastTick = now;
    const wokeUp = isClockJump(gap, tickMs);
    if (wokeUp) edges.log('info', 'clock jumped', { durationMs: gap });
    // Each profile runs on its own: a slow one, or a faulty config.json, delays no other.
    for (const profile of profiles.all()) {
      if (wokeUp) profile.credentials.onWakeUp();
      void check(profile);
      void profile.telemetry.refreshIfDue();
    }
    profiles.reloadIfChanged();
    alsoAtTick();
  };

  const schedule = cron.createTask(`*/${tickSeconds} * * * * *`, tick, {
    name: 'refresh',
    // In local time one hour comes twice when summer time ends, and node-cron skips both.
    timezone: 'UTC',
    logger: silent,
  });
  /**
   * Waits for the next tick that node-cron computes. Its own timer would wait for an hour after the clock was
   * set back by one, and after a sleep it runs through every missed tick first, which takes seconds.
   */
  const waitForTick = (): void => {
    const now = edges.clock.local(edges.clock.now());
    const waits = schedule.getNextRuns(2).map((next) => next.getTime() - now);
    timer = setTimeout(
      () => {
        waitForTick();
        schedule.execute().catch((error: unknown) => edges.log('error', 'defect', { cause: causeOf(error) }));
      },
      nextWaitMs(waits, tickMs),
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

/** Returns true when the time between two ticks shows a wake-up or a change of the clock. */
export function isClockJump(gapMs: number, tickMs: number): boolean {
  return gapMs > 1.5 * tickMs || gapMs < 0;
}

/**
 * Returns the wait until the next tick, in milliseconds. A timer may fire a moment early: a tick that close
 * was the one just served.
 *
 * @param waits the waits until the next ticks by the wall clock; out of range after a change of the clock.
 */
export function nextWaitMs(waits: readonly number[], tickMs: number): number {
  return waits.find((ms) => ms > tickMs / 4 && ms <= 1.25 * tickMs) ?? tickMs;
}

/** The least pause before a retry that is due already, so that other work runs in between; in milliseconds. */
const LEAST_WAIT_MS = 10;

/** Replaces node-cron's own logger, which writes to the console. */
const silent = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };
