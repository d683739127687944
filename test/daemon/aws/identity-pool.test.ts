import t from 'tap';
import { StaleIdToken } from '../../../daemon/aws/aws-calls.ts';
import { createIdentityPoolFederation } from '../../../daemon/aws/identity-pool.ts';
import { codeOf, fakeClock, rejection } from '../../../tools/support/daemon-edges.ts';
import { type AwsCall, type AwsReply, awsServer, json, jsonError } from '../fixtures/aws.ts';
import { HOUR, idTokenFor } from '../fixtures/tokens.ts';

const POOL = 'us-east-1:11111111-2222-3333-4444-555555555555';
const LOGIN_KEY = 'company.okta.com';

const clock = fakeClock();
const EXPIRATION = Math.floor((clock.now() + HOUR) / 1000);

function credentials(change: Record<string, unknown> = {}): AwsReply {
  return json({
    IdentityId: 'us-east-1:identity',
    Credentials: {
      AccessKeyId: 'ASIAEXAMPLE',
      SecretKey: 'secret',
      SessionToken: 'session',
      Expiration: EXPIRATION,
      ...change,
    },
  });
}

function good(call: AwsCall): AwsReply {
  return call.operation === 'GetId' ? json({ IdentityId: `us-east-1:identity` }) : credentials();
}

async function open(t: Parameters<typeof awsServer>[0], answer: (call: AwsCall) => AwsReply = good) {
  const aws = await awsServer(t, answer);
  const pool = createIdentityPoolFederation(
    { identityPoolId: POOL, region: 'eu-central-1', loginKey: LOGIN_KEY, endpoint: aws.endpoint },
    { clock, fetch },
  );
  return { aws, pool };
}

t.test('the enhanced flow exchanges an ID token for credentials', async (t) => {
  const { aws, pool } = await open(t);
  const idToken = idTokenFor(clock);
  t.same(await pool.credentials(idToken), {
    accessKeyId: 'ASIAEXAMPLE',
    secretAccessKey: 'secret',
    sessionToken: 'session',
    expiresAt: EXPIRATION * 1000,
    lifetimeMs: EXPIRATION * 1000 - clock.now(),
  });
  const Logins = { [LOGIN_KEY]: idToken.jwt };
  t.same(
    aws.calls.map(({ operation, input }) => [operation, input]),
    [
      ['GetId', { IdentityPoolId: POOL, Logins }],
      ['GetCredentialsForIdentity', { IdentityId: 'us-east-1:identity', Logins }],
    ],
  );
});

t.test('the identity id of a user is requested once', async (t) => {
  const { aws, pool } = await open(t);
  for (let call = 0; call < 3; call += 1) await pool.credentials(idTokenFor(clock));
  t.equal(aws.calls.filter(({ operation }) => operation === 'GetId').length, 1);
  await pool.credentials(idTokenFor(clock, { sub: 'user-2' }));
  t.equal(aws.calls.filter(({ operation }) => operation === 'GetId').length, 2, 'another user is another');
});

t.test('AWS settings of this machine have no effect', async (t) => {
  const { aws, pool } = await open(t);
  process.env.AWS_ACCESS_KEY_ID = 'AKIAPLANTED';
  process.env.AWS_SECRET_ACCESS_KEY = 'planted';
  t.teardown(() => {
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
  });
  await pool.credentials(idTokenFor(clock));
  for (const { headers } of aws.calls) {
    t.equal(headers.authorization, undefined, 'both operations are public');
    t.notMatch(JSON.stringify(headers), /PLANTED/i);
  }
});

t.test('a failed call is not repeated by the SDK', async (t) => {
  const { aws, pool } = await open(t, () => jsonError('InternalErrorException', 'x', 500));
  t.equal(await codeOf(pool.credentials(idTokenFor(clock))), 'ERR_AWS_UNREACHABLE');
  t.equal(aws.calls.length, 1);
});

t.test('each fault has its error code', async (t) => {
  const cases: [AwsReply, string][] = [
    [jsonError('TooManyRequestsException', 'x', 400), 'ERR_AWS_UNREACHABLE'],
    [jsonError('ExternalServiceException'), 'ERR_AWS_UNREACHABLE'],
    [jsonError('NotAuthorizedException', 'Token is not from a supported provider'), 'ERR_AWS_DENIED'],
    [jsonError('ResourceNotFoundException'), 'ERR_AWS_CONFIG'],
    [jsonError('InvalidIdentityPoolConfigurationException'), 'ERR_AWS_CONFIG'],
    [{ status: 503, body: 'busy' }, 'ERR_AWS_UNREACHABLE'],
    [{ status: 500, body: '' }, 'ERR_AWS_UNREACHABLE'],
    ['cut', 'ERR_AWS_UNREACHABLE'],
    [json({}), 'ERR_AWS_UNREACHABLE'],
  ];
  for (const [reply, code] of cases) {
    const { pool } = await open(t, () => reply);
    const error = await rejection(pool.credentials(idTokenFor(clock)));
    t.match(error, { code }, JSON.stringify(reply));
    t.notMatch(String(error instanceof Error && error.message), /planted/);
  }
});

t.test('a captive portal is a fault that passes', async (t) => {
  const html = '<html><body>Welcome to the hotel</body></html>';
  const headers = { 'content-type': 'text/html' };
  for (const status of [200, 302, 403, 404, 511]) {
    const { pool } = await open(t, () => ({ status, body: html, headers }));
    t.equal(await codeOf(pool.credentials(idTokenFor(clock))), 'ERR_AWS_UNREACHABLE', `status ${status}`);
  }
});

t.test('a service that cannot be reached is a fault that passes', async (t) => {
  const pool = createIdentityPoolFederation(
    { identityPoolId: POOL, region: 'eu-central-1', loginKey: LOGIN_KEY, endpoint: 'http://127.0.0.1:9' },
    { clock, fetch },
  );
  t.match(await rejection(pool.credentials(idTokenFor(clock))), {
    code: 'ERR_AWS_UNREACHABLE',
    fix: /network, VPN and proxy/,
  });
});

t.test('a reply that lacks a field is an error', async (t) => {
  for (const field of ['AccessKeyId', 'SecretKey', 'SessionToken', 'Expiration']) {
    const { pool } = await open(t, (call) =>
      call.operation === 'GetId' ? json({ IdentityId: 'i' }) : credentials({ [field]: undefined }),
    );
    t.match(await rejection(pool.credentials(idTokenFor(clock))), {
      code: 'ERR_AWS_UNREACHABLE',
      message: /GetCredentialsForIdentity lacks a field/,
    });
  }
});

t.test('an empty, null or mistyped field of a reply is a missing one', async (t) => {
  for (const value of ['', null, 7]) {
    const { pool } = await open(t, () => json({ IdentityId: value }));
    t.match(await rejection(pool.credentials(idTokenFor(clock))), { message: /GetId lacks a field/ });
    for (const field of ['AccessKeyId', 'SecretKey', 'SessionToken']) {
      const { pool } = await open(t, (call) =>
        call.operation === 'GetId' ? json({ IdentityId: 'i' }) : credentials({ [field]: value }),
      );
      t.match(await rejection(pool.credentials(idTokenFor(clock))), { message: /lacks a field/ }, field);
    }
  }
});

t.test('an ID token that AWS finds expired has an error of its own', async (t) => {
  const { pool } = await open(t, () =>
    jsonError('NotAuthorizedException', 'Invalid login token. Token expired: 1 >= 0'),
  );
  t.ok((await rejection(pool.credentials(idTokenFor(clock)))) instanceof StaleIdToken);
});

t.test('the identity id is requested again after a pool was replaced', async (t) => {
  const { aws, pool } = await open(t);
  await pool.credentials(idTokenFor(clock));
  aws.answer = (call) => (call.operation === 'GetId' ? good(call) : jsonError('ResourceNotFoundException'));
  t.equal(await codeOf(pool.credentials(idTokenFor(clock))), 'ERR_AWS_CONFIG');
  aws.answer = good;
  await pool.credentials(idTokenFor(clock));
  t.equal(aws.calls.at(-2)?.operation, 'GetId');
});

t.test('the identity id is kept after a passing fault', async (t) => {
  const { aws, pool } = await open(t);
  await pool.credentials(idTokenFor(clock));
  aws.answer = () => jsonError('TooManyRequestsException');
  await rejection(pool.credentials(idTokenFor(clock)));
  aws.answer = good;
  await pool.credentials(idTokenFor(clock));
  t.equal(aws.calls.filter(({ operation }) => operation === 'GetId').length, 1);
});
