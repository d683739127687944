import { createLocalJWKSet, createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import t from 'tap';
import { type BadIdToken, startIdentityProvider } from '../../sandbox/provider/identity-provider.ts';
import { expectTokens, obtainTokens, refreshTokens } from '../../sandbox/provider/oauth-client.ts';

t.test('each bad ID token is bad in the way it says', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const verify = (token: string) =>
    jwtVerify(token, createLocalJWKSet(provider.jwks()), {
      issuer: provider.issuer,
      audience: provider.clientId,
    });
  const get = async (kind: BadIdToken): Promise<string> => {
    provider.setBadIdToken(kind, 1);
    return (await obtainTokens(provider, {}, { nonce: 'sent' })).id_token ?? '';
  };
  const failures: Partial<Record<BadIdToken, { code: string; claim?: string }>> = {
    'wrong-issuer': { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED', claim: 'iss' },
    'wrong-audience': { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED', claim: 'aud' },
    expired: { code: 'ERR_JWT_EXPIRED' },
    'not-yet-valid': { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED', claim: 'nbf' },
    'bad-signature': { code: 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' },
  };
  for (const [kind, failure] of Object.entries(failures)) {
    await t.rejects(verify(await get(kind as BadIdToken)), failure, kind);
  }
  const nonce = await get('wrong-nonce');
  await t.resolves(verify(nonce), 'a wrong nonce is correctly signed');
  t.not(decodeJwt(nonce).nonce, 'sent');
  const subject = await get('wrong-subject');
  await t.resolves(verify(subject), 'a wrong subject is correctly signed');
  t.equal(decodeJwt(subject).sub, 'somebody-else');
  t.equal(decodeProtectedHeader(await get('alg-none')).alg, 'none');
  await t.resolves(
    verify((await obtainTokens(provider)).id_token ?? ''),
    'the fault is over after its count',
  );
});

t.test('a lost reply has rotated the token all the same', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const { refresh_token: token } = await obtainTokens(provider);
  provider.setFault('token', { kind: 'loseReply' }, 1);
  await t.rejects(refreshTokens(provider, token));
  t.equal(provider.counts.refreshTokensIssued, 2);
  t.equal((await refreshTokens(provider, token)).body.error, 'invalid_grant');
});

t.test('a cut, late or relabelled answer has rotated the token all the same', async (t) => {
  const provider = await startIdentityProvider({ rotationGraceSeconds: 60 });
  t.teardown(provider.close);
  const { refresh_token: token = '' } = await obtainTokens(provider);
  t.equal(provider.refreshTokenState(token), 'current');
  provider.setFault('token', { kind: 'cutReply' }, 1);
  await t.rejects(refreshTokens(provider, token));
  t.equal(provider.counts.refreshTokensIssued, 2);
  t.equal(provider.refreshTokenState(token), 'grace');
  provider.setFault('token', { kind: 'slowReply', ms: 120 }, 1);
  const before = performance.now();
  const late = await refreshTokens(provider, token);
  t.ok(performance.now() - before >= 115);
  provider.setFault('token', { kind: 'relabel', contentType: 'text/html' }, 1);
  const relabelled = await fetch(`${provider.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      client_id: provider.clientId,
      grant_type: 'refresh_token',
      refresh_token: late.body.refresh_token ?? '',
    }),
  });
  t.equal(relabelled.headers.get('content-type'), 'text/html');
  const { refresh_token: newest } = (await relabelled.json()) as { refresh_token: string };
  t.equal(provider.refreshTokenState(newest), 'current');
  provider.setRotation(true, 0);
  t.equal(provider.refreshTokenState(token), 'spent');
  await refreshTokens(provider, token);
  t.equal(provider.refreshTokenState(newest), 'void', 'reuse has ended the family');
  t.match(provider.counts, { reuses: 2, concurrentUses: 1, refusedGrants: 1 });
});

t.test('requests with one refresh token that are open together are counted', async (t) => {
  const provider = await startIdentityProvider({ rotationGraceSeconds: 60 });
  t.teardown(provider.close);
  const { refresh_token: token } = await obtainTokens(provider);
  provider.setFault('token', { kind: 'slow', ms: 100 });
  const answers = await Promise.all([1, 2, 3].map(() => refreshTokens(provider, token)));
  t.same(
    answers.map(({ status }) => status),
    [200, 200, 200],
  );
  t.equal(provider.counts.concurrentUses, 3);
});

t.test('resets, redirects, drips and floods', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const jwks = `${provider.issuer}/jwks`;
  provider.setFault('jwks', { kind: 'reset' });
  await t.rejects(fetch(jwks), { cause: { code: 'ECONNRESET' } });
  provider.setFault('jwks', { kind: 'redirect', location: 'https://portal.example/' });
  const redirected = await fetch(jwks, { redirect: 'manual' });
  t.same([redirected.status, redirected.headers.get('location')], [302, 'https://portal.example/']);
  provider.setFault('jwks', { kind: 'drip', ms: 5 });
  await t.rejects(fetch(jwks, { signal: AbortSignal.timeout(200) }).then((response) => response.text()));
  provider.setFault('jwks', { kind: 'huge', bytes: 1_000_000 });
  t.ok((await (await fetch(jwks)).text()).length > 1_000_000);
  provider.setFault('jwks', { kind: 'status', status: 200, body: '{}', contentType: 'application/json' });
  t.same(await (await fetch(jwks)).json(), {});
});

t.test('a cut connection has changed nothing', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const { refresh_token: token } = await obtainTokens(provider);
  provider.setFault('token', { kind: 'down' }, 1);
  await t.rejects(refreshTokens(provider, token));
  t.equal((await refreshTokens(provider, token)).status, 200);
  t.equal(provider.counts.refreshGrants, 2);
});

t.test('statuses, captive portals, garbage and slowness, until cleared', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const discovery = `${provider.issuer}/.well-known/openid-configuration`;
  provider.setFault('discovery', { kind: 'status', status: 429, retryAfter: 7 });
  const limited = await fetch(discovery);
  t.same([limited.status, limited.headers.get('retry-after')], [429, '7']);
  t.equal((await fetch(`${provider.issuer}/jwks`)).status, 200, 'other places are not hit');

  provider.setFault('discovery');
  provider.setFault('all', { kind: 'html' });
  t.match(await (await fetch(discovery)).text(), /<!doctype html>/);
  provider.setFault('all', { kind: 'garbage' });
  await t.rejects((await fetch(`${provider.issuer}/jwks`)).json());
  provider.setFault('all', { kind: 'slow', ms: 120 });
  const before = performance.now();
  t.equal((await fetch(discovery)).status, 200);
  t.ok(performance.now() - before >= 115);
  provider.clearFaults();
  t.match(await (await fetch(discovery)).json(), { issuer: provider.issuer });
});

t.test('after rotateKeys only the new key is published, and sessions go on', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const before = await obtainTokens(provider);
  await provider.rotateKeys();
  const published = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`));
  await t.rejects(jwtVerify(before.id_token ?? '', published), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
  const after = expectTokens(await refreshTokens(provider, before.refresh_token));
  await t.resolves(jwtVerify(after.id_token ?? '', published));
});

t.test('a stopped provider refuses connections and comes back with its sessions', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const { refresh_token: token } = await obtainTokens(provider);
  await provider.stop();
  // The first attempt may still use a connection that was kept alive and is now cut.
  await t.rejects(refreshTokens(provider, token));
  await t.rejects(refreshTokens(provider, token), { cause: { code: 'ECONNREFUSED' } });
  await provider.start();
  t.equal((await refreshTokens(provider, token)).status, 200);
  await provider.restart();
});

t.test('a hook sees each token request before it takes effect', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const { refresh_token: token } = await obtainTokens(provider);
  const seen: string[] = [];
  const remove = provider.onTokenRequest(async ({ grantType, form }) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    t.equal(provider.counts.refreshTokensIssued, 1);
    seen.push(`${grantType} ${form.get('refresh_token') === token}`);
  });
  const { body } = await refreshTokens(provider, token);
  remove();
  await refreshTokens(provider, body.refresh_token);
  t.same(seen, ['refresh_token true']);
});

t.test('a hook sees the halves of each answer', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const { refresh_token: token } = await obtainTokens(provider);
  const seen: string[] = [];
  const remove = provider.onTokenReply((moment, { grantType }) => void seen.push(`${grantType} ${moment}`));
  const { body } = await refreshTokens(provider, token);
  remove();
  t.equal((await refreshTokens(provider, body.refresh_token)).status, 200, 'the whole answer arrived');
  t.same(seen, ['refresh_token half', 'refresh_token whole']);
});

t.test('closing does not wait for open connections', async (t) => {
  const provider = await startIdentityProvider();
  provider.setFault('all', { kind: 'slow', ms: 60_000 });
  const hanging = t.rejects(fetch(`${provider.issuer}/jwks`));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const before = performance.now();
  await provider.close();
  t.ok(performance.now() - before < 500);
  await hanging;
});
