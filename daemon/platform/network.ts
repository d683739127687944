/**
 * The daemon's access to the network: every call to the provider and to AWS goes through the one `fetch` made here, and every
 * reply tells what time it is.
 */

import type { NetworkSettings } from '../../common/network-settings.ts';
import type { Fetch } from '../../network/transport.ts';
import { createTransport, shareFetchClasses, type Transport } from '../../network/transport.ts';
import type { NetworkStatus } from '../../protocol/api.ts';
import { TIMING } from '../timing.ts';
import { causeOf, type Log } from './log.ts';

export type NetworkAccess = { fetch: Fetch; status(): NetworkStatus };

// openid-client speaks in these classes.
shareFetchClasses();

const { connectMs, callMs, keepAliveMs } = TIMING;
/** With more than any reply of a provider or of AWS to us. */
const LIMITS = { connectMs, callMs, keepAliveMs, maxReplyBytes: 2_000_000 };

/**
 * @param readSettings called until it gives settings: what is wrong with them is told to whoever needs the
 *   network, and is over once they are corrected.
 * @param onReply told the moment a reply says it was made, in milliseconds since the epoch; NaN when it does not.
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
    // RFC 9111 5.1: a reply from a cache is older than it says by its Age.
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
        // The calls that cannot be made tell why.
        return { proxy: null, certificates: [] };
      }
    },
  };
}

/** Faults of a connection that was never made: the request has not left this machine. */
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

/** True when a failed request certainly did not reach the other side. */
export function neverSent(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ('code' in error && typeof error.code === 'string' && NEVER_SENT.has(error.code)) return true;
    // Several addresses were tried: all of them have to have failed so.
    if (error instanceof AggregateError) return error.errors.every(neverSent);
  }
  return false;
}
