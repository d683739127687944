import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { approveDevice, signInOverHttp } from '../../sandbox/browser/browserless.ts';
import { startIdentityProvider } from '../../sandbox/provider/identity-provider.ts';
import {
  authorizationRequest,
  expectTokens,
  pollDevice,
  refreshTokens,
  startDevice,
} from '../../sandbox/provider/oauth-client.ts';

t.test('a sign-in ends on the page of the callback', async (t) => {
  const server = createServer((_request, response) => response.end('welcome back'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const provider = await startIdentityProvider({ redirectPorts: [port] });
  t.teardown(provider.close);

  for (const host of ['127.0.0.1', 'localhost']) {
    const redirect_uri = `http://${host}:${port}/callback`;
    const request = authorizationRequest(provider, { redirect_uri });
    const result = await signInOverHttp(request.url, { user: 'demo', password: 'demo' });
    t.match(result, { outcome: 'callback', status: 200, body: 'welcome back' });
    t.equal(new URL(result.callbackUrl ?? '').searchParams.get('state'), request.state);
  }
});

t.test('a redirect URI that is not registered is refused on a page', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  for (const redirect_uri of ['http://localhost:8401/callback', 'http://localhost:8400/other']) {
    const result = await signInOverHttp(authorizationRequest(provider, { redirect_uri }).url);
    t.match(result, { outcome: 'page', status: 400, body: /redirect_uri/ });
  }
  const open = await startIdentityProvider({ redirectPorts: 'any' });
  t.teardown(open.close);
  const { url } = authorizationRequest(open, { redirect_uri: 'http://127.0.0.1:54321/callback' });
  t.match(await signInOverHttp(url, {}, { callback: false }), { outcome: 'callback', callbackUrl: /code=/ });
});

t.test('a wrong password is told and asked again', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const result = await signInOverHttp(authorizationRequest(provider).url, {
    user: 'demo',
    password: 'wrong',
  });
  t.match(result, { outcome: 'page', status: 401, body: /role="alert"/ });
  t.match(result.body, /value="demo"/, 'the user name is kept');
  t.notMatch(result.body, /value="wrong"/, 'the password is not');
});

t.test('deny gives access_denied to the client', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const request = authorizationRequest(provider);
  const { callbackUrl = '' } = await signInOverHttp(request.url, { deny: true }, { callback: false });
  t.equal(new URL(callbackUrl).searchParams.get('error'), 'access_denied');
  t.equal(new URL(callbackUrl).searchParams.get('state'), request.state);
});

t.test('what is typed is shown as text, never as markup', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const user = '"><script>alert(1)</script>';
  const { body } = await signInOverHttp(authorizationRequest(provider).url, { user });
  t.notMatch(body, '<script>');
});

t.test('a device gets its tokens after approval, and is paced', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const { body: device } = await startDevice(provider);
  t.equal(device.interval, 1);
  t.equal((await pollDevice(provider, device.device_code)).body.error, 'authorization_pending');
  t.equal((await pollDevice(provider, device.device_code)).body.error, 'slow_down');

  const { body: second } = await startDevice(provider);
  const approved = await approveDevice(String(second.verification_uri_complete));
  t.match(approved, { outcome: 'page', status: 200, body: /You are signed in/ });
  const tokens = expectTokens(await pollDevice(provider, second.device_code));
  t.equal((await refreshTokens(provider, tokens.refresh_token)).status, 200);
  t.equal((await pollDevice(provider, 'unknown')).body.error, 'invalid_grant');
  t.match(provider.counts, { deviceAuthorizations: 2, devicePolls: 4 });
});

t.test('a device without a PKCE challenge or with a wrong verifier is refused', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  t.match(await startDevice(provider, {}), { status: 400, body: { error: 'invalid_request' } });
  const { body: device } = await startDevice(provider);
  await approveDevice(String(device.verification_uri_complete));
  const wrong = await pollDevice(provider, device.device_code, 'x'.repeat(43));
  t.match(wrong, { status: 400, body: { error: 'invalid_grant' } });
});

t.test('a denied device is told so', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const { body: device } = await startDevice(provider);
  t.match((await approveDevice(String(device.verification_uri_complete), { deny: true })).body, /Denied/);
  t.equal((await pollDevice(provider, device.device_code)).body.error, 'access_denied');
});

t.test('a code that no device shows is refused', async (t) => {
  const provider = await startIdentityProvider();
  t.teardown(provider.close);
  const result = await approveDevice(`${provider.issuer}/device?user_code=XXXX-XXXX`);
  t.match(result.body, /wrong, used or too old/);
});

t.test('the device grant can be refused to clients, or unknown to the provider', async (t) => {
  const refusing = await startIdentityProvider({ deviceGrant: 'refused' });
  t.teardown(refusing.close);
  const { status, body } = await startDevice(refusing);
  t.strictSame([status, body.error], [400, 'invalid_request']);
  const without = await startIdentityProvider({ deviceGrant: 'absent' });
  t.teardown(without.close);
  t.equal((await fetch(`${without.issuer}/device_authorization`, { method: 'POST' })).status, 404);
  for (const [provider, offered] of [
    [refusing, true],
    [without, false],
  ] as const) {
    const discovery = await fetch(`${provider.issuer}/.well-known/openid-configuration`);
    t.equal('device_authorization_endpoint' in ((await discovery.json()) as object), offered);
  }
});

t.test('a device code expires', async (t) => {
  const provider = await startIdentityProvider({ deviceCodeSeconds: 1, deviceIntervalSeconds: 0 });
  t.teardown(provider.close);
  const { body: device } = await startDevice(provider);
  let error: string | undefined;
  do {
    await new Promise((resolve) => setTimeout(resolve, 200));
    ({ error } = (await pollDevice(provider, device.device_code)).body);
  } while (error === 'authorization_pending');
  t.equal(error, 'expired_token');
});
