import cron from 'node-cron';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Profile, Profiles } from './profiles.ts';
import { TIMING } from './timing.ts';

export type RefreshScheduler = { stop(): Promise<void> };

/**
 * Looks at every profile on a wall-clock tick and refreshes what is due. Never opens a browser: what needs
 * a person waits for one.
 *
 * @param tickSeconds a divisor of 60; shorter than the default only to watch a day in a minute.
 */
export function startRefreshScheduler(
  profiles: Profiles,
  edges: { clock: Clock; log: Log },
  tickSeconds: number = TIMING.tickMs / 1000,
): RefreshScheduler {
  const tickMs = tickSeconds * 1000;
  const retries = new Map<string, NodeJS.Timeout>();
  let lastTick = edges.clock.now();
  let stopped = false;

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
      if (wokeUp) profile.credentials.wokeUp();
      void look(profile);
    }
    profiles.reloadIfChanged();
  };

  const task = cron.schedule(`*/${tickSeconds} * * * * *`, tick, {
    name: 'refresh',
    suppressMissedWarning: true,
    logger: silent,
  });
  tick();
  return {
    stop: async () => {
      stopped = true;
      for (const retry of retries.values()) clearTimeout(retry);
      await task.destroy();
    },
  };
}

/** A retry that is due already still lets others have their turn, in milliseconds. */
const LEAST_WAIT_MS = 10;

/** node-cron writes to the console otherwise; what matters is in our log. */
const silent = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };
