import { ok, problem, skipped, warning } from '../../common/findings.ts';
import { asCcwbError } from '../../protocol/errors.ts';
import { isObject } from '../../protocol/json.ts';
import { type AdminCheck, withProfile } from './check.ts';

/** Checks the provider's discovery document: reachable, of the same issuer, with the features that users need. */
export const provider: AdminCheck = withProfile(async ({ discovery }) => {
  try {
    const { issuer, refreshTokens } = await discovery();
    if (refreshTokens) return [ok(`${issuer} answers`)];
    const text = `${issuer} does not say that it gives refresh tokens: users may have to sign in every hour`;
    return [warning(text, 'allow the client offline_access, or refresh tokens, at the provider')];
  } catch (thrown) {
    const { message, fix } = asCcwbError(thrown);
    return [problem(message, fix)];
  }
});

const LIMIT_MS = 10_000;

/** Checks the provider's signing keys, with which AWS and the daemon verify ID tokens. */
export const signingKeys: AdminCheck = withProfile(async ({ edges, discovery }) => {
  const found = await discovery().catch(() => undefined);
  if (!found) return [skipped('without the discovery document')];
  const fix = 'have the provider corrected: nobody could sign in through it';
  try {
    const signal = AbortSignal.any([edges.interrupted, AbortSignal.timeout(LIMIT_MS)]);
    const reply = await edges.fetch(found.jwksUri, { signal, redirect: 'manual' });
    const keys: unknown = reply.status === 200 ? await reply.json() : undefined;
    const count = isObject(keys) && Array.isArray(keys.keys) ? keys.keys.length : 0;
    if (count > 0) return [ok(`${count} signing ${count === 1 ? 'key' : 'keys'}`)];
    return [problem(`no signing keys at ${found.jwksUri} (status ${reply.status})`, fix)];
  } catch {
    return [problem(`no signing keys at ${found.jwksUri}: it does not answer, or with no JSON`, fix)];
  }
});
