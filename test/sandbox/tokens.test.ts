import t from 'tap';
import { signInOverHttp } from '../../sandbox/browser/browserless.ts';
import { startIdentityProvider } from '../../sandbox/provider/identity-provider.ts';
import {
  authorizationRequest,
  exchangeCode,
  expectTokens,
  obtainTokens,
  refreshTokens,
  revokeToken,
} from '../../sandbox/provider/oauth-client.ts';
import { claimsOf } from './support.ts';

t.test('an ID token carries the claims of the person and the nonce', async (t) => {
  const provider = await startIdentityProvider({ idTokenSeconds: 300 });
  t.teardown(provider.close);
  const tokens = await obtainTokens(provider, {}, { nonce: 'n-1' });
  const claims = claimsOf(tokens.id_token);
  t.match(claims, {
    iss: provider.issuer,
    aud: provider.clientId,
    nonce: 'n-1',
    email: 'demo@example.com',
    department: 'Research',
    cost_center: 'CC-1001',
  });
  t.equal(Number(claims.exp) - Number(claims.iat), 300);
});

t.test('custom: claims and other users are given as configured', async (t) => {
  const ada = {
    username: 'ada',
    password: 'x',
    sub: 'ada-1',
    claims: { email: 'ada@example.com', 'custom:team': 'a' },
  };
  const provider = await startIdentityProvider({ users: [ada] });
  t.teardown(provider.close);
  const tokens = await obtainTokens(provider, { user: 'ada@example.com', password: 'x' });
  t.match(claimsOf(tokens.id_token), { sub: 'ada-1', 'custom:team': 'a' });
});

t.test('each refresh rotates the refresh token', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const first = await obtainTokens(provider);
  const second = expectTokens(await refreshTokens(provider, first.refresh_token));
  const third = expectTokens(await refreshTokens(provider, second.refresh_token));
  t.equal(new Set([first.refresh_token, second.refresh_token, third.refresh_token]).size, 3);
  t.equal(claimsOf(third.id_token).email, 'demo@example.com');
  t.match(provider.counts, { codeExchanges: 1, refreshGrants: 2, refreshTokensIssued: 3, refusedGrants: 0 });
});

t.test('reuse of a rotated refresh token revokes the whole family, and only that family', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const [mine, other] = [await obtainTokens(provider), await obtainTokens(provider)];
  const newest = expectTokens(await refreshTokens(provider, mine.refresh_token));
  t.match(await refreshTokens(provider, mine.refresh_token), {
    status: 400,
    body: { error: 'invalid_grant' },
  });
  t.match(await refreshTokens(provider, newest.refresh_token), {
    status: 400,
    body: { error: 'invalid_grant' },
  });
  t.equal((await refreshTokens(provider, other.refresh_token)).status, 200);
});

t.test('two refreshes at the same moment are one use and one reuse', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const { refresh_token: token } = await obtainTokens(provider);
  const answers = await Promise.all([refreshTokens(provider, token), refreshTokens(provider, token)]);
  t.same(answers.map((answer) => answer.status).sort(), [200, 400]);
});

t.test('inside the grace period a rotated refresh token works once more, after it no longer', async (t) => {
  const provider = await startIdentityProvider({ rotationGraceSeconds: 1 });
  t.teardown(provider.close);
  const { refresh_token: token } = await obtainTokens(provider);
  t.equal((await refreshTokens(provider, token)).status, 200);
  t.equal((await refreshTokens(provider, token)).status, 200);
  await new Promise((resolve) => setTimeout(resolve, 1050));
  t.equal((await refreshTokens(provider, token)).status, 400);
});

t.test('without rotation the refresh token stays', async (t) => {
  const provider = await startIdentityProvider({ rotation: false, idTokenOnRefresh: false });
  t.teardown(provider.close);
  const { refresh_token: token } = await obtainTokens(provider);
  t.equal((await refreshTokens(provider, token)).body.refresh_token, token);
  const again = await refreshTokens(provider, token);
  t.equal(again.status, 200);
  t.notOk('id_token' in again.body, 'refresh answers carry no ID token when told so');
  provider.setRotation(true);
  t.not((await refreshTokens(provider, token)).body.refresh_token, token);
});

t.test('refresh tokens expire', async (t) => {
  const provider = await startIdentityProvider({ refreshTokenSeconds: 1 });
  t.teardown(provider.close);
  const { refresh_token: token } = await obtainTokens(provider);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  t.match(await refreshTokens(provider, token), { status: 400, body: { error: 'invalid_grant' } });
});

t.test('no refresh token without offline_access', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  t.notOk((await obtainTokens(provider, {}, { scope: 'openid' })).refresh_token);
});

t.test('revocation ends the session', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const { refresh_token: token } = await obtainTokens(provider);
  t.equal((await revokeToken(provider, token)).status, 200);
  t.equal((await refreshTokens(provider, token)).body.error, 'invalid_grant');
  t.equal(provider.counts.revocations, 1);
});

t.test('revokeAll ends every session', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const { refresh_token: token } = await obtainTokens(provider);
  provider.revokeAll();
  t.equal((await refreshTokens(provider, token)).body.error, 'invalid_grant');
});

t.test('PKCE with S256 is required, and the verifier is checked', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const refused = async (changes: Record<string, string | null>) => {
    const { url } = authorizationRequest(provider, changes);
    const { callbackUrl = '' } = await signInOverHttp(url, {}, { callback: false });
    return new URL(callbackUrl).searchParams.get('error');
  };
  t.equal(await refused({ code_challenge: null, code_challenge_method: null }), 'invalid_request');
  t.equal(await refused({ code_challenge_method: 'plain' }), 'invalid_request');

  const request = authorizationRequest(provider);
  const { callbackUrl = '' } = await signInOverHttp(request.url, {}, { callback: false });
  const code = new URL(callbackUrl).searchParams.get('code') ?? '';
  const answer = await exchangeCode(provider, { ...request, verifier: 'x'.repeat(43) }, code);
  t.match(answer, { status: 400, body: { error: 'invalid_grant' } });
});

t.test('a code works once, and its second use takes the tokens back', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const request = authorizationRequest(provider);
  const { callbackUrl = '' } = await signInOverHttp(request.url, {}, { callback: false });
  const code = new URL(callbackUrl).searchParams.get('code') ?? '';
  const tokens = expectTokens(await exchangeCode(provider, request, code));
  t.equal((await exchangeCode(provider, request, code)).body.error, 'invalid_grant');
  t.equal((await refreshTokens(provider, tokens.refresh_token)).body.error, 'invalid_grant');
});
