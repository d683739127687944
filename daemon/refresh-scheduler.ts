import cron from 'node-cron';
import type { Clock } from './edges.ts';
import type { Log } from './log.ts';
import type { Profiles } from './profiles.ts';
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
  let lastTick = edges.clock.now();

  const tick = (): void => {
    const now = edges.clock.now();
    const gap = now - lastTick;
    lastTick = now;
    if (gap > 1.5 * tickSeconds * 1000 || gap < 0) edges.log('info', 'clock jumped', { durationMs: gap });
    // Each profile on its own: a slow one delays no other, nor does a config.json that makes trouble.
    for (const profile of profiles.all()) void profile.credentials.refreshIfDue();
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
      await task.destroy();
    },
  };
}

/** node-cron writes to the console otherwise; what matters is in our log. */
const silent = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };
