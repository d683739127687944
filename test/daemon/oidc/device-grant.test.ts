import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { codeExpired } from '../../../daemon/oidc/device-grant.ts';
import { createOidcClient, type OidcClient } from '../../../daemon/oidc/oidc-client.ts';
import { TIMING } from '../../../daemon/timing.ts';
import { approveDevice, signInOverHttp } from '../../../sandbox/browser/browserless.ts';
import {
  type BadIdToken,
  type Fault,
  type SandboxProvider,
  type SandboxProviderOptions,
  startIdentityProvider,
} from '../../../sandbox/provider/identity-provider.ts';
import { codeOf, realClock, rejection } from '../../../tools/support/daemon-edges.ts';
import { MINUTE } from '../fixtures/tokens.ts';

type T = { teardown(action: () => unknown): void };

const SCOPES = ['openid', 'profile', 'email', 'offline_access'];

function clientOf(issuer: string, clientId = 'sandbox-client'): OidcClient {
  const loginKey = issuer.replace(/^https?:\/\//, '');
  return createOidcClient(
    {
      identityProvider: { providerType: 'generic', issuer, loginKey },
      clientId,
      clientSecret: undefined,
      scopes: SCOPES,
    },
    { fetch, clock: realClock },
  );
}

async function start(
  t: T,
  options: SandboxProviderOptions = {},
): Promise<{ provider: SandboxProvider; client: OidcClient }> {
  const provider = await startIdentityProvider({ deviceIntervalSeconds: 1, ...options });
  t.teardown(() => provider.close());
  return { provider, client: clientOf(provider.issuer) };
}

async function device(client: OidcClient) {
  const authorization = await client.startDeviceAuthorization();
  if (!authorization) throw new Error('the provider offers no device grant');
  return authorization;
}

t.test('a sign-in by code starts with a code and the address to enter it', async (t) => {
  const { client, provider } = await start(t, { deviceCodeSeconds: 600 });
  const given = await device(client);
  t.match(given, {
    userCode: /^[A-Z]{4}-[A-Z]{4}$/,
    verificationUri: `${provider.issuer}/device`,
    verificationUriComplete: `${provider.issuer}/device?user_code=${given.userCode}`,
    lifeMs: 10 * MINUTE,
    intervalMs: 1_000,
  });
  t.ok(given.deviceCode.length > 20);
});

t.test('polling waits for the person, and brings verified tokens with a refresh token', async (t) => {
  const { client, provider } = await start(t, { idTokenSeconds: 600 });
  const given = await device(client);
  const { verificationUriComplete = '' } = given;
  t.same(await client.pollDeviceToken(given), { slowDown: false });
  t.same(await client.pollDeviceToken(given), { slowDown: true }, 'asked too soon');
  const another = await device(client);
  await approveDevice(another.verificationUriComplete ?? '');
  const answer = await client.pollDeviceToken(another);
  if (!('tokens' in answer)) throw new Error('no tokens');
  const { idToken, refreshToken = '' } = answer.tokens;
  t.match(idToken.claims, { iss: provider.issuer, aud: provider.clientId, sub: provider.users[0]?.sub });
  t.equal(idToken.lifetimeMs, 600_000);
  const { sub } = idToken.claims;
  t.ok((await client.refresh(refreshToken, sub, async () => {})).idToken, 'the session can be refreshed');
  t.match((await signInOverHttp(verificationUriComplete)).body, /You are signed in/);
  t.same(provider.serverErrors, []);
});

t.test('a code is bound to the PKCE secret of its sign-in', async (t) => {
  const { client } = await start(t);
  const [given, other] = [await device(client), await device(client)];
  t.not(given.codeVerifier, other.codeVerifier);
  await approveDevice(given.verificationUriComplete ?? '');
  const stolen = { deviceCode: given.deviceCode, codeVerifier: other.codeVerifier };
  t.equal(await codeOf(client.pollDeviceToken(stolen)), 'ERR_LOGIN_REQUIRED');
});

t.test('a denial and an expired code are errors of their own', async (t) => {
  const { client } = await start(t);
  const denied = await device(client);
  await approveDevice(denied.verificationUriComplete ?? '', { deny: true });
  t.match(await rejection(client.pollDeviceToken(denied)), {
    code: 'ERR_LOGIN_DENIED',
    message: /access_denied/,
  });
  const short = await start(t, { deviceCodeSeconds: 1 });
  const given = await device(short.client);
  let code: string;
  do {
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    code = await codeOf(short.client.pollDeviceToken(given));
  } while (code === 'no error');
  t.equal(code, 'ERR_LOGIN_EXPIRED');
  t.match(codeExpired(), { code: 'ERR_LOGIN_EXPIRED', fix: /bedrock-auth login/ });
});

t.test(
  'a provider without the grant yields nothing, and a refusal of it is an error with a fix',
  async (t) => {
    const without = await start(t, { deviceGrant: 'absent' });
    t.equal(await without.client.startDeviceAuthorization(), undefined);
    t.equal(without.provider.counts.deviceAuthorizations, 0);
    const { client } = await start(t, { deviceGrant: 'refused' });
    t.match(await rejection(client.startDeviceAuthorization()), {
      code: 'ERR_PROVIDER_REJECTED',
      message: /lets nobody sign in to this application by code/,
      fix: /login --no-browser.*device authorization grant/,
    });
  },
);

t.test('an ID token that fails any check is refused', async (t) => {
  const { client, provider } = await start(t);
  const kinds: BadIdToken[] = [
    'wrong-issuer',
    'wrong-audience',
    'alg-none',
    'expired',
    'not-yet-valid',
    'bad-signature',
  ];
  for (const kind of kinds) {
    const given = await device(client);
    const { verificationUriComplete = '' } = given;
    await approveDevice(verificationUriComplete);
    provider.setBadIdToken(kind, 1);
    t.equal(await codeOf(client.pollDeviceToken(given)), 'ERR_ID_TOKEN_INVALID', kind);
  }
});

t.test('faults that pass are recognised, at the start and when polling', async (t) => {
  const { client, provider } = await start(t);
  const faults: Fault[] = [
    { kind: 'down' },
    { kind: 'status', status: 500 },
    { kind: 'status', status: 503, retryAfter: 1 },
    { kind: 'status', status: 429 },
    { kind: 'html' },
    { kind: 'garbage' },
  ];
  const given = await device(client);
  for (const fault of faults) {
    provider.setFault('deviceAuthorization', fault, 1);
    t.match(await rejection(client.startDeviceAuthorization()), { retryable: true }, JSON.stringify(fault));
    provider.setFault('token', fault, 1);
    t.match(await rejection(client.pollDeviceToken(given)), { retryable: true }, JSON.stringify(fault));
  }
  t.ok('slowDown' in (await client.pollDeviceToken(given)), 'and the code is still good');
});

/** A provider whose every reply to the device endpoints the test decides. */
async function scripted(t: T) {
  const replies = { start: {} as unknown, poll: {} as unknown, status: 400 };
  const server = createServer((request, response) => {
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    request.resume();
    if (request.url === '/device') return send(200, replies.start);
    if (request.url === '/token') return send(replies.status, replies.poll);
    return send(200, {
      issuer,
      token_endpoint: `${issuer}/token`,
      device_authorization_endpoint: `${issuer}/device`,
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { replies, client: clientOf(issuer) };
}

const GIVEN = {
  device_code: 'planted',
  user_code: 'ABCD-EFGH',
  verification_uri: 'https://idp.example/device',
  expires_in: 1800,
};

t.test('missing fields of the reply have defaults, and large values have bounds', async (t) => {
  const { replies, client } = await scripted(t);
  replies.start = GIVEN;
  const { codeVerifier, ...given } = await device(client);
  // RFC 7636 4.1
  t.match(codeVerifier, /^[\w.~-]{43,128}$/);
  t.same(given, {
    deviceCode: 'planted',
    userCode: 'ABCD-EFGH',
    verificationUri: 'https://idp.example/device',
    verificationUriComplete: undefined,
    lifeMs: TIMING.deviceLifeMs,
    intervalMs: TIMING.deviceIntervalMs,
  });
  replies.start = { ...GIVEN, interval: 0.001, expires_in: 60 };
  t.match(await client.startDeviceAuthorization(), { intervalMs: 1_000, lifeMs: 60_000 });
  replies.start = { ...GIVEN, interval: 1e12, expires_in: 60 };
  t.match(await client.startDeviceAuthorization(), { intervalMs: 60_000 });
  for (const verification_uri of ['http://localhost:1/d', 'http://127.0.0.1/d', 'http://[::1]:1/d']) {
    replies.start = { ...GIVEN, verification_uri };
    t.match(await client.startDeviceAuthorization(), { verificationUri: verification_uri });
  }
});

t.test('a code or address that is unsafe to print or open is refused', async (t) => {
  const { replies, client } = await scripted(t);
  const wrong: Record<string, unknown>[] = [
    { verification_uri: 'http://idp.example/device' },
    { verification_uri: 'javascript:alert(1)' },
    { verification_uri: 'file:///etc/passwd' },
    { verification_uri: 'https://idp.example@evil.example/' },
    { verification_uri: 'http://localhost.evil.example/' },
    { verification_uri: 'device' },
    { verification_uri: `https://idp.example/${'x'.repeat(3_000)}` },
    { verification_uri_complete: 'http://idp.example/device?user_code=ABCD' },
    { verification_uri_complete: 'data:text/html,x' },
    { user_code: 'AB\u001b[2J' },
    { user_code: 'AB\nCD' },
    { user_code: '\u202eABCD' },
    { user_code: 'A'.repeat(41) },
    { user_code: '' },
    { user_code: 7 },
    { device_code: undefined },
    { verification_uri: undefined },
    { expires_in: 0 },
    { expires_in: -5 },
    { expires_in: undefined },
    { expires_in: 'soon' },
  ];
  for (const change of wrong) {
    replies.start = { ...GIVEN, ...change };
    const error = await rejection(client.startDeviceAuthorization());
    t.match(error, { code: 'ERR_PROVIDER_INVALID' }, JSON.stringify(change).slice(0, 80));
    t.notMatch(String(error instanceof Error && error.message), /planted|evil|x{9}|[^ -~]/);
  }
  replies.start = { ...GIVEN, verification_uri: 'https://idp.example/\u001b]8;;x' };
  t.match(await client.startDeviceAuthorization(), { verificationUri: 'https://idp.example/%1B]8;;x' });
});

t.test('every error code that ends a sign-in by code is translated', async (t) => {
  const { replies, client } = await scripted(t);
  const cases: [number, string, string][] = [
    [400, 'authorization_declined', 'ERR_LOGIN_DENIED'],
    [400, 'unauthorized_client', 'ERR_PROVIDER_REJECTED'],
    [401, 'invalid_client', 'ERR_PROVIDER_REJECTED'],
    [400, 'invalid_grant', 'ERR_LOGIN_REQUIRED'],
    [400, 'unsupported_grant_type', 'ERR_PROVIDER_REJECTED'],
    [400, 'temporarily_unavailable', 'ERR_PROVIDER_UNREACHABLE'],
    [429, 'slow_down', 'ERR_PROVIDER_UNREACHABLE'],
    [503, 'authorization_pending', 'ERR_PROVIDER_UNREACHABLE'],
  ];
  for (const [status, error, code] of cases) {
    replies.status = status;
    replies.poll = { error, error_description: 'planted' };
    const thrown = await rejection(client.pollDeviceToken({ deviceCode: 'd', codeVerifier: 'v' }));
    t.match(thrown, { code }, `${status} ${error}`);
    t.notMatch(String(thrown instanceof Error && thrown.message), /planted/);
  }
  replies.status = 200;
  replies.poll = { access_token: 'a', token_type: 'bearer' };
  t.match(await rejection(client.pollDeviceToken({ deviceCode: 'd', codeVerifier: 'v' })), {
    code: 'ERR_ID_TOKEN_INVALID',
    message: /is missing from the reply/,
  });
});
