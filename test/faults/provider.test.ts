import t from 'tap';
import type { BadIdToken, Fault } from '../../sandbox/provider/identity-provider.ts';
import { CREDENTIAL_SECONDS, type Cycle, cycle, ID_TOKEN_SECONDS, pool } from './cycle.ts';
import { startRunning } from './running.ts';
import { faultGroup } from './table.ts';

const fault = faultGroup(t, 'provider', 6);
/** Enough for every late retry; without it a lost answer is a lost session, whatever a client does. */
const GRACE_SECONDS = 120;

const worlds = pool(6, () =>
  startRunning(t, {
    sandbox: {
      provider: { idTokenSeconds: ID_TOKEN_SECONDS, rotationGraceSeconds: GRACE_SECONDS },
      aws: { credentialSeconds: CREDENTIAL_SECONDS },
    },
  }),
);

const UNREACHABLE = /^ERR_PROVIDER_UNREACHABLE$/;
const INVALID = /^ERR_PROVIDER_INVALID$/;
const REJECTED = /^ERR_PROVIDER_REJECTED$/;
const NO_ID_TOKEN = /^ERR_ID_TOKEN_INVALID$/;

const during = (name: string, made: Cycle, options?: Parameters<typeof fault>[2]): void =>
  fault(name, (t, findings) => worlds((running) => cycle(t, findings, running, made)), options);

const atTokenEndpoint = (made: Fault, code: RegExp, allowed: Cycle['allowed'] = {}): Cycle => ({
  inject: ({ sandbox }) => sandbox.provider.setFault('token', made),
  lift: ({ sandbox }) => sandbox.provider.setFault('token'),
  code,
  allowed,
});

const status = (code: number, more: Partial<Fault & { kind: 'status' }> = {}): Fault => ({
  kind: 'status',
  status: code,
  ...more,
});
const json = (code: number, body: unknown): Fault =>
  status(code, { contentType: 'application/json', body: JSON.stringify(body) });
const html = { contentType: 'text/html', body: '<!doctype html><title>Bad gateway</title>' };

during('provider down: connection refused', {
  inject: ({ sandbox }) => sandbox.provider.stop(),
  lift: ({ sandbox }) => sandbox.provider.start(),
  code: UNREACHABLE,
});
during('every connection cut before an answer', {
  inject: ({ sandbox }) => sandbox.provider.setFault('all', { kind: 'down' }),
  lift: ({ sandbox }) => sandbox.provider.clearFaults(),
  code: UNREACHABLE,
});
during('every connection reset', {
  inject: ({ sandbox }) => sandbox.provider.setFault('all', { kind: 'reset' }),
  lift: ({ sandbox }) => sandbox.provider.clearFaults(),
  code: UNREACHABLE,
});
during('token request cut before it is handled', atTokenEndpoint({ kind: 'down' }, UNREACHABLE));
during(
  'answer slower than the limit of a call',
  atTokenEndpoint({ kind: 'slow', ms: 25_000 }, /^ERR_(REFRESH_PENDING|PROVIDER_UNREACHABLE)$/),
);
during(
  'answer a byte at a time, without end',
  atTokenEndpoint({ kind: 'drip', ms: 200 }, /^ERR_(REFRESH_PENDING|PROVIDER_UNREACHABLE)$/),
);
during('status 500', atTokenEndpoint(status(500), UNREACHABLE));
during('status 502 with a page of a proxy', atTokenEndpoint(status(502, html), UNREACHABLE));
during('status 503, Retry-After an hour', atTokenEndpoint(status(503, { retryAfter: 3600 }), UNREACHABLE));
during('status 429, Retry-After', atTokenEndpoint(status(429, { retryAfter: 30 }), UNREACHABLE));
during('status 408', atTokenEndpoint(status(408), UNREACHABLE));
during('status 404', atTokenEndpoint(status(404), INVALID));
during('status 403 with a page of a firewall', atTokenEndpoint(status(403, html), INVALID));
during('captive portal: 200 and HTML at every address', {
  inject: ({ sandbox }) => sandbox.provider.setFault('all', { kind: 'html' }),
  lift: ({ sandbox }) => sandbox.provider.clearFaults(),
  code: INVALID,
});
during(
  'captive portal: 302 to a sign-in page',
  atTokenEndpoint({ kind: 'redirect', location: 'http://127.0.0.1:9/portal' }, UNREACHABLE),
);
during('JSON that ends half-way', atTokenEndpoint({ kind: 'garbage' }, INVALID));
during(
  '200 with an empty body',
  atTokenEndpoint(status(200, { contentType: 'application/json', body: '' }), INVALID),
);
during('200 with JSON that is no object', atTokenEndpoint(json(200, [1]), NO_ID_TOKEN));
during('200 with JSON that holds no token', atTokenEndpoint(json(200, { hello: 'world' }), NO_ID_TOKEN));
during('a body of 64 MB', atTokenEndpoint({ kind: 'huge', bytes: 64e6 }, UNREACHABLE));
during('status 400 without a body', atTokenEndpoint(status(400, { body: '' }), UNREACHABLE));
during('status 400 invalid_request', atTokenEndpoint(json(400, { error: 'invalid_request' }), REJECTED));
during('status 401 invalid_client', atTokenEndpoint(json(401, { error: 'invalid_client' }), REJECTED));
during(
  'status 400 temporarily_unavailable',
  atTokenEndpoint(json(400, { error: 'temporarily_unavailable' }), UNREACHABLE),
);
during('good answer under the content type text/plain', {
  inject: ({ sandbox }) => sandbox.provider.setFault('token', { kind: 'relabel', contentType: 'text/plain' }),
  lift: ({ sandbox }) => sandbox.provider.setFault('token'),
});

/** The refresh itself succeeds each time, so the provider rotates each time. */
const badIdToken = (kind: BadIdToken): Cycle => ({
  inject: ({ sandbox }) => sandbox.provider.setBadIdToken(kind),
  lift: ({ sandbox }) => sandbox.provider.setBadIdToken(),
  code: NO_ID_TOKEN,
});
during('ID token expired', badIdToken('expired'));
during('ID token not valid yet', badIdToken('not-yet-valid'));
during('ID token with alg none', badIdToken('alg-none'));
during('ID token with a bad signature', badIdToken('bad-signature'));
during('ID token for another client', badIdToken('wrong-audience'));
during('ID token of another issuer', badIdToken('wrong-issuer'));
during('ID token of another user', badIdToken('wrong-subject'));

during('keys rotated in the middle of a session', {
  inject: ({ sandbox }) => sandbox.provider.rotateKeys(),
  lift: () => {},
  // Keys that were fetched within the last minute are not fetched again at once.
  code: NO_ID_TOKEN,
  maySucceed: true,
});
during('keys rotated, and the JWKS is down', {
  inject: async ({ sandbox }) => {
    sandbox.provider.setFault('jwks', status(503));
    await sandbox.provider.rotateKeys();
  },
  lift: ({ sandbox }) => sandbox.provider.setFault('jwks'),
  code: /^ERR_(PROVIDER_UNREACHABLE|ID_TOKEN_INVALID)$/,
});
during('keys rotated, and the JWKS is HTML', {
  inject: async ({ sandbox }) => {
    sandbox.provider.setFault('jwks', { kind: 'html' });
    await sandbox.provider.rotateKeys();
  },
  lift: ({ sandbox }) => sandbox.provider.setFault('jwks'),
  code: /^ERR_(PROVIDER_INVALID|ID_TOKEN_INVALID)$/,
});
during('keys rotated, and the JWKS is empty', {
  inject: async ({ sandbox }) => {
    sandbox.provider.setFault('jwks', json(200, { keys: [] }));
    await sandbox.provider.rotateKeys();
  },
  lift: ({ sandbox }) => sandbox.provider.setFault('jwks'),
  code: NO_ID_TOKEN,
});

const lost = { reuses: true, tokenStates: ['current', 'grace'] as const };
during(
  'answer lost after the provider rotated, inside the grace',
  atTokenEndpoint({ kind: 'loseReply' }, UNREACHABLE, lost),
);
during(
  'answer cut in the middle after the provider rotated',
  atTokenEndpoint({ kind: 'cutReply' }, UNREACHABLE, lost),
);
during(
  'answer later than the limit after the provider rotated',
  atTokenEndpoint({ kind: 'slowReply', ms: 25_000 }, /^ERR_(REFRESH_PENDING|PROVIDER_UNREACHABLE)$/, lost),
);
