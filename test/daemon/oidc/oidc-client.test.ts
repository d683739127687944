import t from 'tap';
import { createOidcClient, type OidcClient } from '../../../daemon/oidc/oidc-client.ts';
import { LostReply, UnexplainedRefusal } from '../../../daemon/oidc/provider-errors.ts';
import { CcwbError } from '../../../protocol/errors.ts';
import { signInOverHttp } from '../../../sandbox/browser/browserless.ts';
import {
  type BadIdToken,
  type Fault,
  type SandboxProvider,
  type SandboxProviderOptions,
  startIdentityProvider,
} from '../../../sandbox/provider/identity-provider.ts';
import { codeOf, realClock, rejection } from '../../../tools/support/daemon-edges.ts';

const REDIRECT = 'http://localhost:8400/callback';
const SCOPES = ['openid', 'profile', 'email', 'offline_access'];
const nothing = async () => {};

type Change = {
  issuer?: string;
  clientId?: string;
  clientSecret?: string;
  providerType?: 'generic' | 'google' | 'okta';
  scopes?: readonly string[];
  fetch?: typeof fetch;
};

function clientOf(provider: SandboxProvider, change: Change = {}): OidcClient {
  const issuer = change.issuer ?? provider.issuer;
  return createOidcClient(
    {
      identityProvider: {
        providerType: change.providerType ?? 'generic',
        issuer,
        loginKey: issuer.replace(/^https?:\/\//, ''),
      },
      clientId: change.clientId ?? provider.clientId,
      clientSecret: change.clientSecret,
      scopes: change.scopes ?? SCOPES,
    },
    { fetch: change.fetch ?? fetch, clock: realClock },
  );
}

async function start(
  t: { teardown(action: () => unknown): void },
  options: SandboxProviderOptions = {},
): Promise<{ provider: SandboxProvider; client: OidcClient }> {
  const provider = await startIdentityProvider(options);
  t.teardown(() => provider.close());
  return { provider, client: clientOf(provider) };
}

/** The redirect a browser ends on, with its code. */
async function authorize(client: OidcClient, deny = false) {
  const { url, secrets } = await client.startAuthorization(REDIRECT);
  const { callbackUrl } = await signInOverHttp(url, { deny }, { callback: false });
  if (callbackUrl === undefined) throw new Error('the sign-in did not come back');
  return { callback: new URL(callbackUrl), secrets };
}

async function signIn(client: OidcClient) {
  const { callback, secrets } = await authorize(client);
  const tokens = await client.redeemCode(callback, secrets);
  if (tokens.refreshToken === undefined) throw new Error('no refresh token');
  return { ...tokens, refreshToken: tokens.refreshToken, subject: tokens.idToken.claims.sub };
}

t.test(
  'the authorization request has PKCE S256, state and nonce, and asks for a refresh token',
  async (t) => {
    const { client, provider } = await start(t);
    const { url, secrets } = await client.startAuthorization(REDIRECT);
    const { origin, pathname, searchParams } = new URL(url);
    t.equal(`${origin}${pathname}`, `${provider.issuer}/authorize`);
    t.match(Object.fromEntries(searchParams), {
      response_type: 'code',
      client_id: provider.clientId,
      redirect_uri: REDIRECT,
      scope: 'openid profile email offline_access',
      code_challenge_method: 'S256',
      code_challenge: /^[\w-]{43}$/,
      state: secrets.state,
      nonce: secrets.nonce,
      prompt: 'consent',
    });
    t.notOk(url.includes(secrets.codeVerifier), 'the verifier stays here');
    const second = await client.startAuthorization(REDIRECT);
    for (const name of ['state', 'nonce', 'codeVerifier'] as const) {
      t.match(secrets[name], /^[\w-]{43,}$/);
      t.not(second.secrets[name], secrets[name], 'each request has its own');
    }
    t.equal(provider.counts.discovery, 1, 'the provider is discovered once');
  },
);

t.test('each provider type has its own parameters for a refresh token', async (t) => {
  const { provider } = await start(t);
  const parameters = async (change: Change) =>
    Object.fromEntries(
      new URL((await clientOf(provider, change).startAuthorization(REDIRECT)).url).searchParams,
    );
  t.match(await parameters({ providerType: 'google' }), { access_type: 'offline', prompt: 'consent' });
  const okta = await parameters({ providerType: 'okta' });
  t.equal(okta.prompt, undefined);
  const without = await parameters({ scopes: ['openid'] });
  t.equal(without.prompt, undefined);
  t.equal(without.scope, 'openid');
});

t.test(
  'a request that the provider would refuse in the browser fails before the browser opens',
  async (t) => {
    const { provider, client } = await start(t, { redirectPorts: [8400] });
    const unknown = clientOf(provider, { clientId: 'unknown' });
    t.match(await rejection(unknown.startAuthorization(REDIRECT)), {
      code: 'ERR_PROVIDER_REJECTED',
      message: /client or redirect URI/,
      fix: /client_id.*redirect_port/,
    });
    const wrongPort = await rejection(client.startAuthorization('http://localhost:8401/callback'));
    t.match(wrongPort, { code: 'ERR_PROVIDER_REJECTED' }, 'a redirect URI that is not registered');
  },
);

t.test('only status 400 of the authorization endpoint counts as a refusal', async (t) => {
  const { provider, client } = await start(t);
  const faults: Fault[] = [
    { kind: 'status', status: 500 },
    { kind: 'status', status: 403 },
    { kind: 'html' },
  ];
  for (const fault of faults) {
    provider.setFault('authorization', fault, 1);
    t.ok((await client.startAuthorization(REDIRECT)).url, `${JSON.stringify(fault)} is left to the browser`);
  }
  provider.setFault('authorization', { kind: 'down' }, 1);
  t.equal(
    await codeOf(client.startAuthorization(REDIRECT)),
    'ERR_PROVIDER_UNREACHABLE',
    'no page opens in vain',
  );
});

t.test('a code is redeemed for verified tokens', async (t) => {
  const { client, provider } = await start(t, { idTokenSeconds: 600 });
  const tokens = await signIn(client);
  t.match(tokens.idToken.claims, {
    iss: provider.issuer,
    aud: provider.clientId,
    sub: provider.users[0]?.sub,
  });
  t.equal(tokens.idToken.expiresAt, tokens.idToken.claims.exp * 1000);
  t.equal(tokens.idToken.lifetimeMs, 600_000);
  t.match(tokens.idToken.jwt, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  t.same(provider.serverErrors, []);
});

t.test('an authorization code can be redeemed once', async (t) => {
  const { client } = await start(t);
  const { callback, secrets } = await authorize(client);
  await client.redeemCode(callback, secrets);
  t.equal(await codeOf(client.redeemCode(callback, secrets)), 'ERR_LOGIN_REQUIRED', 'invalid_grant');
});

t.test('an authorization code of another request is not redeemed', async (t) => {
  const { client } = await start(t);
  const { callback, secrets } = await authorize(client);
  const otherState = await rejection(client.redeemCode(callback, { ...secrets, state: 'another' }));
  t.ok(otherState instanceof CcwbError);
  const otherVerifier = { ...secrets, codeVerifier: 'x'.repeat(43) };
  t.not(await codeOf(client.redeemCode(callback, otherVerifier)), 'no error');
});

t.test('a refusal by the user and a rejection by the provider are different errors', async (t) => {
  const { client, provider } = await start(t);
  const denied = await authorize(client, true);
  t.match(await rejection(client.redeemCode(denied.callback, denied.secrets)), {
    code: 'ERR_LOGIN_DENIED',
    message: /access_denied/,
  });
  const { secrets } = await client.startAuthorization(REDIRECT);
  const answer = (error: string) => {
    const url = new URL(REDIRECT);
    url.searchParams.set('state', secrets.state);
    url.searchParams.set('error', error);
    url.searchParams.set('iss', provider.issuer);
    url.searchParams.set('error_description', 'planted description');
    return url;
  };
  const cases: [string, string, RegExp][] = [
    ['access_denied', 'ERR_LOGIN_DENIED', /access_denied/],
    ['consent_required', 'ERR_LOGIN_DENIED', /consent_required/],
    ['login_required', 'ERR_LOGIN_DENIED', /login_required/],
    ['server_error', 'ERR_PROVIDER_UNREACHABLE', /127\.0\.0\.1/],
    ['temporarily_unavailable', 'ERR_PROVIDER_UNREACHABLE', /127\.0\.0\.1/],
    ['invalid_scope', 'ERR_PROVIDER_REJECTED', /\(invalid_scope\)/],
    ['unauthorized_client', 'ERR_PROVIDER_REJECTED', /\(unauthorized_client\)/],
    ['<script>\u0007', 'ERR_PROVIDER_REJECTED', /\(unknown error\)/],
    [`x${'y'.repeat(100)}`, 'ERR_PROVIDER_REJECTED', /\(unknown error\)/],
  ];
  for (const [error, code, message] of cases) {
    const thrown = await rejection(client.redeemCode(answer(error), secrets));
    t.match(thrown, { code, message }, error);
    t.notMatch(String(thrown instanceof Error && thrown.message), /planted/);
  }
});

t.test('an ID token that fails any check is refused, at sign-in and at a refresh', async (t) => {
  const { client, provider } = await start(t);
  const kinds: BadIdToken[] = [
    'wrong-issuer',
    'wrong-audience',
    'alg-none',
    'expired',
    'not-yet-valid',
    'bad-signature',
  ];
  for (const kind of [...kinds, 'wrong-nonce'] as const) {
    const { callback, secrets } = await authorize(client);
    provider.setBadIdToken(kind, 1);
    t.equal(await codeOf(client.redeemCode(callback, secrets)), 'ERR_ID_TOKEN_INVALID', `${kind} at sign-in`);
  }
  let { refreshToken, subject } = await signIn(client);
  const keep = async (token: string) => {
    refreshToken = token;
  };
  for (const kind of kinds) {
    const spent = refreshToken;
    provider.setBadIdToken(kind, 1);
    const error = await rejection(client.refresh(spent, subject, keep));
    t.match(error, { code: 'ERR_ID_TOKEN_INVALID' }, `${kind} when refreshed`);
    t.not(refreshToken, spent, 'the new refresh token was handed over before');
  }
  t.ok((await client.refresh(refreshToken, subject, keep)).idToken, 'and the session goes on');
});

t.test('the error of a bad ID token names the failed check, and shows nothing of the token', async (t) => {
  const { client, provider } = await start(t);
  const cases: [BadIdToken, RegExp][] = [
    ['expired', /expired or is not valid yet.*clock/],
    ['wrong-audience', /another issuer, audience or nonce/],
  ];
  for (const [kind, message] of cases) {
    const { callback, secrets } = await authorize(client);
    provider.setBadIdToken(kind, 1);
    const error = await rejection(client.redeemCode(callback, secrets));
    t.match(error, { message });
    t.notMatch(String(error instanceof Error && error.message), /another-client|eyJ/);
  }
});

t.test('a refresh brings a new ID token and the rotated refresh token', async (t) => {
  const { client, provider } = await start(t);
  const { refreshToken, subject } = await signIn(client);
  const seen: string[] = [];
  const tokens = await client.refresh(refreshToken, subject, async (token) => {
    seen.push(token);
  });
  t.equal(tokens.idToken?.claims.sub, subject);
  t.same(seen, [tokens.refreshToken]);
  t.not(tokens.refreshToken, refreshToken);
  provider.setRotation(false);
  const again = await client.refresh(tokens.refreshToken ?? '', subject, async (token) => {
    seen.push(token);
  });
  t.ok(again.idToken);
});

t.test('the reply waits until the refresh token is stored, and fails if that fails', async (t) => {
  const { client } = await start(t);
  const { refreshToken, subject } = await signIn(client);
  const order: string[] = [];
  const observer = async () => {
    order.push('keeping');
    await new Promise((resolve) => setTimeout(resolve, 30));
    order.push('kept');
  };
  const { refreshToken: next = '' } = await client.refresh(refreshToken, subject, observer);
  order.push('reply');
  t.same(order, ['keeping', 'kept', 'reply']);
  const failing = async () => {
    throw new Error('planted: the disk is full');
  };
  const error = await rejection(client.refresh(next, subject, failing));
  t.ok(error instanceof CcwbError);
  t.notMatch(String(error instanceof Error && error.message), /planted/);
});

t.test('the observer of one refresh is not called for another grant', async (t) => {
  const { client } = await start(t);
  const { refreshToken, subject } = await signIn(client);
  const seen: string[] = [];
  await client.refresh(refreshToken, subject, async (token) => {
    seen.push(token);
  });
  await signIn(client);
  t.equal(seen.length, 1);
});

t.test('a provider may leave out the ID token when refreshing', async (t) => {
  const { client } = await start(t, { idTokenOnRefresh: false });
  const { refreshToken, subject } = await signIn(client);
  const tokens = await client.refresh(refreshToken, subject, nothing);
  t.equal(tokens.idToken, undefined);
  t.type(tokens.refreshToken, 'string');
});

t.test('an ID token of another user is refused', async (t) => {
  const { client } = await start(t);
  const { refreshToken } = await signIn(client);
  let kept = '';
  const refreshing = client.refresh(refreshToken, 'somebody-else', async (token) => {
    kept = token;
  });
  t.match(await rejection(refreshing), { code: 'ERR_ID_TOKEN_INVALID', message: /another user/ });

  t.test('an ID token with times outside the range of a date is refused', async (t) => {
    const { client, provider } = await start(t);
    const { refreshToken, subject } = await signIn(client);
    provider.setLifetimes({ idTokenSeconds: 8_640_000_000_000 });
    const error = await rejection(client.refresh(refreshToken, subject, nothing));
    t.match(error, { code: 'ERR_ID_TOKEN_INVALID', message: /times that no clock shows/ });
  });
  t.ok(kept);
});

t.test('a refresh token that the provider has revoked requires a sign-in', async (t) => {
  const { client, provider } = await start(t);
  const { refreshToken, subject } = await signIn(client);
  provider.revokeAll();
  t.match(await rejection(client.refresh(refreshToken, subject, nothing)), {
    code: 'ERR_LOGIN_REQUIRED',
    message: /has ended this session/,
    fix: /bedrock-auth login/,
  });
});

t.test('an unknown client id is an error of the configuration', async (t) => {
  const { provider } = await start(t);
  const client = clientOf(provider, { clientId: 'unknown' });
  t.match(await rejection(client.refresh('rt', 'sub', nothing)), {
    code: 'ERR_PROVIDER_REJECTED',
    message: /\(invalid_client\)/,
    fix: /client_id/,
  });
});

/** The error a session ends up with when it has given up trying the same token again. */
function explained(error: unknown): unknown {
  return error instanceof LostReply || error instanceof UnexplainedRefusal ? error.cause : error;
}

t.test('a lost reply, an unexplained refusal and a request never sent are different errors', async (t) => {
  const { client, provider } = await start(t);
  const { refreshToken, subject } = await signIn(client);
  const nameOf = async (fault: Fault): Promise<string> => {
    provider.setFault('token', fault, 1);
    const error = await rejection(client.refresh(refreshToken, subject, nothing));
    return error instanceof Error ? error.name : 'no error';
  };
  t.equal(await nameOf({ kind: 'down' }), 'LostReply', 'the connection ended without a word');
  t.equal(await nameOf({ kind: 'garbage' }), 'LostReply', 'half a reply');
  t.equal(await nameOf({ kind: 'status', status: 504 }), 'LostReply', 'a gateway that gave up waiting');
  t.equal(await nameOf({ kind: 'status', status: 400 }), 'UnexplainedRefusal');
  t.equal(await nameOf({ kind: 'status', status: 401, body: '<p>no</p>' }), 'UnexplainedRefusal');
  t.equal(await nameOf({ kind: 'status', status: 503 }), 'CcwbError', 'the provider is busy and did nothing');
  const offline: typeof fetch = async (input, init) => {
    if (String(input).endsWith('/token'))
      throw Object.assign(new TypeError('fetch failed'), {
        cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }),
      });
    return fetch(input, init);
  };
  const error = await rejection(
    clientOf(provider, { fetch: offline }).refresh(refreshToken, subject, nothing),
  );
  t.match(
    error,
    { name: 'CcwbError', code: 'ERR_PROVIDER_UNREACHABLE' },
    'nobody was there to take the token',
  );
});

t.test('rediscovery spends no token, and reports another server in the provider\u2019s place', async (t) => {
  const { client, provider } = await start(t);
  const { refreshToken, subject } = await signIn(client);
  const before = provider.counts.refreshGrants;
  await client.rediscover();
  provider.setFault('discovery', { kind: 'down' }, 1);
  t.equal(await codeOf(client.rediscover()), 'ERR_PROVIDER_UNREACHABLE');
  provider.setFault('discovery', { kind: 'html' }, 1);
  t.equal(await codeOf(client.rediscover()), 'ERR_PROVIDER_INVALID', 'a page of the hotel\u2019s');
  t.equal(provider.counts.refreshGrants, before);
  t.ok(
    (await client.refresh(refreshToken, subject, nothing)).idToken,
    'what failed before leaves nothing behind',
  );
});

t.test('faults of the token endpoint do not end the session', async (t) => {
  const { client, provider } = await start(t);
  let { refreshToken, subject } = await signIn(client);
  const faults: [Fault, string][] = [
    [{ kind: 'status', status: 400, body: 'invalid_grant' }, 'ERR_PROVIDER_UNREACHABLE'],
    [{ kind: 'status', status: 401, body: '' }, 'ERR_PROVIDER_UNREACHABLE'],
    [{ kind: 'down' }, 'ERR_PROVIDER_UNREACHABLE'],
    [{ kind: 'status', status: 500 }, 'ERR_PROVIDER_UNREACHABLE'],
    [{ kind: 'status', status: 503, retryAfter: 1 }, 'ERR_PROVIDER_UNREACHABLE'],
    [{ kind: 'status', status: 403, body: '<html>blocked</html>' }, 'ERR_PROVIDER_INVALID'],
    [{ kind: 'status', status: 500, body: '{"error":"invalid_grant"}' }, 'ERR_PROVIDER_UNREACHABLE'],
    [{ kind: 'html' }, 'ERR_PROVIDER_INVALID'],
    [{ kind: 'garbage' }, 'ERR_PROVIDER_INVALID'],
  ];
  for (const [fault, code] of faults) {
    provider.setFault('token', fault, 1);
    const error = explained(await rejection(client.refresh(refreshToken, subject, nothing)));
    t.match(error, { code }, JSON.stringify(fault));
    t.equal(error instanceof CcwbError && error.retryable, true);
  }
  provider.setFault('token', { kind: 'status', status: 429, body: 'slow down' }, 1);
  t.equal(await codeOf(client.refresh(refreshToken, subject, nothing)), 'ERR_PROVIDER_UNREACHABLE', '429');
  await client.refresh(refreshToken, subject, async (token) => {
    refreshToken = token;
  });
  provider.setFault('jwks', { kind: 'down' });
  await provider.rotateKeys();
  const fresh = clientOf(provider);
  const error = await rejection(
    fresh.refresh(refreshToken, subject, async (token) => {
      refreshToken = token;
    }),
  );
  t.match(error, { code: 'ERR_PROVIDER_UNREACHABLE' }, 'keys that cannot be fetched');
  provider.clearFaults();
  t.ok((await fresh.refresh(refreshToken, subject, nothing)).idToken);
});

t.test('protocol errors that pass are recognised', async (t) => {
  const { provider } = await start(t);
  const replying = (status: number, body: unknown): typeof fetch => {
    return async (input, init) => {
      const url = input instanceof Request ? input.url : String(input);
      if (!url.endsWith('/token')) return fetch(input, init);
      return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
    };
  };
  const cases: [number, unknown, string][] = [
    [400, { error: 'invalid_grant' }, 'ERR_LOGIN_REQUIRED'],
    [401, { error: 'invalid_client' }, 'ERR_PROVIDER_REJECTED'],
    [400, { error: 'unauthorized_client' }, 'ERR_PROVIDER_REJECTED'],
    [400, { error: 'invalid_request' }, 'ERR_PROVIDER_REJECTED'],
    [400, { error: 'server_error' }, 'ERR_PROVIDER_UNREACHABLE'],
    [400, { error: 'temporarily_unavailable' }, 'ERR_PROVIDER_UNREACHABLE'],
    [400, { error: 'slow_down' }, 'ERR_PROVIDER_UNREACHABLE'],
    [429, { error: 'invalid_request' }, 'ERR_PROVIDER_UNREACHABLE'],
    [408, { error: 'invalid_request' }, 'ERR_PROVIDER_UNREACHABLE'],
    [503, { error: 'invalid_grant' }, 'ERR_PROVIDER_UNREACHABLE'],
    [400, { errors: ['invalid_grant'] }, 'ERR_PROVIDER_UNREACHABLE'],
    [400, null, 'ERR_PROVIDER_UNREACHABLE'],
  ];
  for (const [status, body, code] of cases) {
    const client = clientOf(provider, { fetch: replying(status, body) });
    const error = explained(await rejection(client.refresh('rt', 'sub', nothing)));
    t.match(error, { code }, `${status} ${JSON.stringify(body)}`);
  }
  const captive = clientOf(provider, {
    fetch: async (input, init) => {
      const url = input instanceof Request ? input.url : String(input);
      return url.endsWith('/token') ? Response.redirect('https://portal.example/', 302) : fetch(input, init);
    },
  });
  t.equal(await codeOf(captive.refresh('rt', 'sub', nothing)), 'ERR_PROVIDER_UNREACHABLE', 'a redirect');
});

t.test('another server at the issuer\u2019s address is an error', async (t) => {
  const { provider } = await start(t);
  const cases: [string, Fault, string, RegExp][] = [
    ['HTML', { kind: 'html' }, 'ERR_PROVIDER_INVALID', /is not that identity provider/],
    ['404', { kind: 'status', status: 404 }, 'ERR_PROVIDER_INVALID', /no identity provider at .*404/],
    ['500', { kind: 'status', status: 500 }, 'ERR_PROVIDER_UNREACHABLE', /status 500/],
    ['garbage', { kind: 'garbage' }, 'ERR_PROVIDER_INVALID', /is not that identity provider/],
    ['nobody', { kind: 'down' }, 'ERR_PROVIDER_UNREACHABLE', /did not answer properly/],
    ['half an answer', { kind: 'cutReply' }, 'ERR_PROVIDER_UNREACHABLE', /did not answer properly/],
  ];
  for (const [name, fault, code, message] of cases) {
    const client = clientOf(provider);
    provider.setFault('discovery', fault, 1);
    t.match(await rejection(client.startAuthorization(REDIRECT)), { code, message }, name);
    t.ok(await client.startAuthorization(REDIRECT), 'a failed discovery is not remembered');
  }
  const other = clientOf(provider, { issuer: provider.issuer.replace('127.0.0.1', 'localhost') });
  t.match(
    await rejection(other.startAuthorization(REDIRECT)),
    { code: 'ERR_PROVIDER_INVALID' },
    'another issuer',
  );
  const below = clientOf(provider, { issuer: `${provider.issuer}/realms/none` });
  t.match(await rejection(below.startAuthorization(REDIRECT)), { code: 'ERR_PROVIDER_INVALID' });
});

t.test('a provider that refuses connections is unreachable', async (t) => {
  const { provider, client } = await start(t);
  await provider.stop();
  t.match(await rejection(client.startAuthorization(REDIRECT)), {
    code: 'ERR_PROVIDER_UNREACHABLE',
    message: /the identity provider 127\.0\.0\.1:\d+ did not answer/,
  });
  await provider.start();
  t.ok(await client.startAuthorization(REDIRECT));
});

t.test('concurrent first calls discover once', async (t) => {
  const { provider, client } = await start(t);
  await Promise.all(Array.from({ length: 20 }, () => client.startAuthorization(REDIRECT)));
  t.equal(provider.counts.discovery, 1);
});

t.test('new signing keys are discovered', async (t) => {
  const { provider, client } = await start(t);
  let { refreshToken, subject } = await signIn(client);
  const keep = async (token: string) => {
    refreshToken = token;
  };
  await provider.rotateKeys();
  const first = await codeOf(client.refresh(refreshToken, subject, keep));
  t.ok(['no error', 'ERR_ID_TOKEN_INVALID'].includes(first), first);
  t.equal(
    await codeOf(client.refresh(refreshToken, subject, keep)),
    'no error',
    'at the latest by the next call',
  );
});

t.test('revocation ends the session at the provider', async (t) => {
  const { provider, client } = await start(t);
  const { refreshToken, subject } = await signIn(client);
  t.equal(await client.revoke(refreshToken), true);
  t.equal(await codeOf(client.refresh(refreshToken, subject, nothing)), 'ERR_LOGIN_REQUIRED');
  t.equal(await client.revoke(refreshToken), true, 'again is no error');
  provider.setFault('revocation', { kind: 'status', status: 503 }, 1);
  t.equal(await codeOf(client.revoke(refreshToken)), 'ERR_PROVIDER_UNREACHABLE');
});

t.test('revocation returns false at a provider without it', async (t) => {
  const { provider } = await start(t);
  const client = clientOf(provider, {
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      const url = input instanceof Request ? input.url : String(input);
      if (!url.includes('.well-known')) return response;
      const { revocation_endpoint: _, ...document } = (await response.json()) as Record<string, unknown>;
      return Response.json(document);
    },
  });
  t.equal(await client.revoke('rt'), false);
  t.equal(provider.counts.revocations, 0);
});

t.test('an issuer that is not a URL is an error of the configuration', async (t) => {
  const { provider } = await start(t);
  const client = clientOf(provider, { issuer: 'https://a b.example' });
  t.equal(await codeOf(client.startAuthorization(REDIRECT)), 'ERR_PROVIDER_INVALID', 'not a defect');
});

t.test('a client secret is sent in the body, never in the URL or a header', async (t) => {
  const { provider } = await start(t);
  const seen: { url: string; authorization: string | null; secret: string | null }[] = [];
  const client = clientOf(provider, {
    clientSecret: 'planted-secret',
    fetch: async (input, init) => {
      const url = input instanceof Request ? input.url : String(input);
      const body = init?.body instanceof URLSearchParams ? init.body : new URLSearchParams();
      seen.push({
        url,
        authorization: new Headers(init?.headers).get('authorization'),
        secret: body.get('client_secret'),
      });
      return fetch(input, init);
    },
  });
  await rejection(client.refresh('rt', 'sub', nothing));
  const token = seen.find(({ url }) => url.endsWith('/token'));
  t.match(token, { authorization: null, secret: 'planted-secret' });
  t.notMatch(JSON.stringify(seen.map(({ url }) => url)), /planted|rt/);
});

t.test('a refresh reply with empty or null fields is one without them', async (t) => {
  const { provider, client } = await start(t, { rotation: false });
  const { refreshToken, subject } = await signIn(client);
  const fields = { expires_in: -1, scope: null, refresh_expires_in: 'never' };
  for (const empty of ['', null, 7]) {
    const successors: string[] = [];
    const collect = async (token: string) => void successors.push(token);
    provider.setFault('token', { kind: 'fields', fields: { ...fields, refresh_token: empty } }, 1);
    const tokens = await client.refresh(refreshToken, subject, collect);
    t.equal(tokens.refreshToken, undefined, String(empty));
    t.ok(tokens.idToken, 'the ID token is there all the same');
    t.same(successors, [], 'the refresh token in use stays');
  }
});

t.test(
  'one reply without the ID token that earlier ones had is a fault, two in a row are believed',
  async (t) => {
    const { provider, client } = await start(t, { rotation: false });
    const { refreshToken, subject } = await signIn(client);
    await client.refresh(refreshToken, subject, nothing);
    provider.setFault('token', { kind: 'fields', fields: { id_token: '' } }, 2);
    t.match(await rejection(client.refresh(refreshToken, subject, nothing)), {
      code: 'ERR_ID_TOKEN_INVALID',
      message: /is missing from the reply/,
    });
    t.equal((await client.refresh(refreshToken, subject, nothing)).idToken, undefined);
  },
);

t.test('an empty parameter of the callback is an absent one', async (t) => {
  const { client } = await start(t);
  const { callback, secrets } = await authorize(client);
  callback.searchParams.set('iss', '');
  callback.searchParams.set('error', '');
  t.match(await rejection(client.redeemCode(callback, secrets)), { code: 'ERR_ID_TOKEN_INVALID' });
});
