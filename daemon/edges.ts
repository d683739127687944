import type { Fetch } from '../network/transport.ts';
import type { NetworkStatus } from '../protocol/api.ts';
import type { ProfileConfig } from '../protocol/config.ts';
import type { AuditLog } from './api/audit-log.ts';
import type { CorrectedClock } from './platform/clock.ts';
import type { Log } from './platform/log.ts';
import type { LockCredential } from './session/credential-lock.ts';
import type { LegacyTokens } from './session/legacy-tokens.ts';
import type { SecretStore } from './session/stores/secret-store.ts';

/** The kind of store that holds a profile's refresh token. */
export type StoreKind = ProfileConfig['credentialStorage'];

/**
 * Everything outside the daemon that a test replaces. Built once, in main; no other part of the daemon uses
 * the clock, the network, the environment or the console directly.
 */
export type DaemonEdges = {
  clock: CorrectedClock;
  fetch: Fetch;
  /** Returns the proxy and the certificates of `fetch`, for `status`. */
  network(): NetworkStatus;
  log: Log;
  audit: AuditLog;
  /** Uniform in [0, 1), for jitter; never for secrets. */
  random(): number;
  createStore(kind: StoreKind): SecretStore;
  /** The tokens that the legacy tool stored. */
  legacyTokens: LegacyTokens;
  /** Creates the locks of the items in such a store. */
  createLocks(kind: StoreKind): LockCredential;
};
