import type { Fetch } from '../network/transport.ts';
import type { NetworkStatus } from '../protocol/api.ts';
import type { ProfileConfig } from '../protocol/config.ts';
import type { AuditLog } from './api/audit-log.ts';
import type { CorrectedClock } from './platform/clock.ts';
import type { Log } from './platform/log.ts';
import type { LockCredential } from './session/credential-lock.ts';
import type { LegacyTokens } from './session/legacy-tokens.ts';
import type { SecretStore } from './session/stores/secret-store.ts';

/** Where a profile keeps its refresh token. */
export type StoreKind = ProfileConfig['credentialStorage'];

/**
 * Everything the daemon touches that a test replaces. Built once, in main; nothing below reads the clock,
 * the network, the environment or the console in any other way.
 */
export type DaemonEdges = {
  clock: CorrectedClock;
  fetch: Fetch;
  /** How `fetch` reaches the world, for `status`. */
  network(): NetworkStatus;
  log: Log;
  audit: AuditLog;
  /** Uniform in [0, 1), for jitter; never for secrets. */
  random(): number;
  createStore(kind: StoreKind): SecretStore;
  /** What the legacy tool has left. */
  legacyTokens: LegacyTokens;
  /** The locks of what such a store holds. */
  createLocks(kind: StoreKind): LockCredential;
};
