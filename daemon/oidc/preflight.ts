import type { Fetch } from '../../network/transport.ts';
import { TIMING } from '../timing.ts';
import { rejected } from './provider-errors.ts';

/**
 * Looks at the authorization endpoint before a person is sent there. The provider tells a refusal to the
 * browser, not to us (RFC 6749 4.1.2.1: no redirect for a wrong client or redirect URI), so a person
 * would look at its error page while we wait. Only a plain 400 counts as one; a slow answer, or any
 * other, is left to the browser.
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
