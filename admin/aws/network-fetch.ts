/**
 * Network access of `ccwb`. Like curl and npm, it follows HTTPS_PROXY, HTTP_PROXY, NO_PROXY and
 * NODE_EXTRA_CA_CERTS of the shell it runs in, for calls to AWS as for all others.
 */

import { networkSettingsFrom } from '../../common/network-settings.ts';
import type { Fetch, Transport } from '../../network/transport.ts';
import type { Environment } from '../edges.ts';

/** Limits of one request. CloudFormation accepts a large template in seconds, and returns long lists of events. */
const LIMITS = { connectMs: 5_000, callMs: 30_000, keepAliveMs: 10_000, maxReplyBytes: 20_000_000 };

/** Creates a fetch with those settings; the transport is created with the first call. */
export function createNetworkFetch(env: Environment): Fetch {
  let opened: Promise<Transport> | undefined;
  const open = async (): Promise<Transport> => {
    const { createTransport } = await import('../../network/transport.ts');
    // The calls that fail later report the reason.
    return createTransport(networkSettingsFrom(env), LIMITS, () => {});
  };
  return async (input, init) => {
    opened ??= open();
    const { fetch } = await opened;
    const limit = AbortSignal.timeout(LIMITS.callMs);
    const signal = init?.signal ? AbortSignal.any([init.signal, limit]) : limit;
    return fetch(input, { ...init, signal });
  };
}
