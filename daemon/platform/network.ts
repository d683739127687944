/**
 * The daemon's access to the network. Every call to the provider and to AWS goes through the one `fetch` made
 * here, and the clock learns from every reply.
 */

import type { NetworkSettings } from '../../common/network-settings.ts';
import type { Fetch } from '../../network/transport.ts';
import { createTransport, shareFetchClasses, type Transport } from '../../network/transport.ts';
import type { NetworkStatus } from '../../protocol/api.ts';
import { TIMING } from '../timing.ts';
import { causeOf, type Log } from './log.ts';

export type NetworkAccess = { fetch: Fetch; status(): NetworkStatus };

// openid-client uses these classes.
shareFetchClasses();

const { connectMs, callMs, keepAliveMs } = TIMING;
/** Limits of each call; no reply of a provider or of AWS is as long. */
const LIMITS = { connectMs, callMs, keepAliveMs, maxReplyBytes: 2_000_000 };

/**
 * @param readSettings called at each call until it returns settings. Its errors are those of the calls, until
 *   the settings are corrected.
 * @param onReply gets the time of each reply, in milliseconds since the epoch; NaN for a reply without one.
 */
export function createNetworkAccess(
  readSettings: () => NetworkSettings,
  log: Log,
  onReply: (repliedAt: number) => void,
): NetworkAccess {
  let opened: Transport | undefined;
  const currentTransport = (): Transport => {
    opened ??= createTransport(readSettings(), LIMITS, (thrown) =>
      log('error', 'certificates not usable', { cause: causeOf(thrown) }),
    );
    return opened;
  };

  const through: Fetch = async (input, init) => {
    const response = await currentTransport().fetch(input, init);
    // RFC 9111 5.1: a reply from a cache has its original Date, and its Age since then.
    const ageMs = Number(response.headers.get('age') ?? 0) * 1000;
    onReply(Date.parse(response.headers.get('date') ?? '') + ageMs);
    return response;
  };

  return {
    fetch: through,
    status: () => {
      try {
        const { proxy, certificates } = currentTransport();
        return { proxy, certificates };
      } catch {
        // The calls report the error.
        return { proxy: null, certificates: [] };
      }
    },
  };
}

/** Error codes of connections that were never made: the request has not left this machine. */
const NEVER_SENT = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** True if a failed request certainly did not reach the other side. */
export function neverSent(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ('code' in error && typeof error.code === 'string' && NEVER_SENT.has(error.code)) return true;
    // Several addresses were tried: each must have failed in this way.
    if (error instanceof AggregateError) return error.errors.every(neverSent);
  }
  return false;
}
