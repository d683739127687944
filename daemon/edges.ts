import type { ProfileConfig } from '../protocol/config.ts';
import type { Log } from './log.ts';
import type { SecretStore } from './secret-store.ts';

/** Wall clock, milliseconds since the epoch. */
export type Clock = { now(): number };

/**
 * Everything the daemon touches that a test replaces. Built once, in main; nothing below reads the clock,
 * the network, the environment or the console in any other way.
 */
export type Edges = {
  clock: Clock;
  fetch: typeof fetch;
  log: Log;
  /** Uniform in [0, 1), for jitter; never for secrets. */
  random(): number;
  openStore(kind: ProfileConfig['credentialStorage']): SecretStore;
};
