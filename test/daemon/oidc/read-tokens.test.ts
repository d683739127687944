import t from 'tap';
import { readTokens, requireIdToken } from '../../../daemon/oidc/read-tokens.ts';
import { LAST_TIME_MS } from '../../../protocol/api.ts';

const ISSUER = 'https://idp.example';
const claims = (change: Record<string, unknown> = {}) => ({ sub: 'user-1', iat: 100, exp: 3_700, ...change });
const response = (change: Record<string, unknown> = {}) => ({
  id_token: 'a.b.c',
  refresh_token: 'rt-1',
  claims: () => claims(change),
});

t.test('the times of an ID token are converted to milliseconds', async (t) => {
  t.same(readTokens(response(), ISSUER), {
    idToken: { jwt: 'a.b.c', claims: claims(), expiresAt: 3_700_000, lifetimeMs: 3_600_000 },
    refreshToken: 'rt-1',
  });
});

t.test('a response without ID token or refresh token has neither', async (t) => {
  t.same(readTokens({ claims: () => undefined }, ISSUER), { idToken: undefined, refreshToken: undefined });
});

t.test('an ID token whose times no date can hold is refused', async (t) => {
  for (const change of [{ exp: LAST_TIME_MS }, { iat: -1 }, { exp: Number.NaN }]) {
    t.throws(() => readTokens(response(change), ISSUER), { code: 'ERR_ID_TOKEN_INVALID' });
  }
});

t.test('a sign-in without an ID token is refused', async (t) => {
  const tokens = readTokens(response(), ISSUER);
  t.same(requireIdToken(tokens, ISSUER), tokens);
  t.throws(() => requireIdToken({ ...tokens, idToken: undefined }, ISSUER), {
    code: 'ERR_ID_TOKEN_INVALID',
    message: `the ID token from ${ISSUER} is missing from the reply`,
  });
});
