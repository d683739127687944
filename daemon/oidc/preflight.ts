import type { Fetch } from '../../network/transport.ts';
import { TIMING } from '../timing.ts';
import { rejected } from './provider-errors.ts';

/**
 * Requests the authorization endpoint before a browser opens it. A wrong client id or redirect URI is shown
 * in the browser only, without a redirect (RFC 6749 4.1.2.1), and the sign-in would wait in vain. Only
 * status 400 counts as that refusal; the browser handles a slow answer and every other status.
 *
 * @throws CcwbError ERR_PROVIDER_REJECTED; what `fetch` throws.
 */
export async function preflight(url: URL, fetch: Fetch): Promise<void> {
  const signal = AbortSignal.timeout(TIMING.preflightMs);
  let status: number;
  try {
    const response = await fetch(url, { redirect: 'manual', signal });
    await response.body?.cancel();
    ({ status } = response);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  if (status === 400) throw rejected(url.host, 'unknown client or redirect URI', undefined);
}
