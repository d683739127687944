import t from 'tap';
import { StaleIdToken } from '../../../daemon/aws/aws-calls.ts';
import { createRoleFederation, roleSessionName } from '../../../daemon/aws/role-federation.ts';
import type { Claims } from '../../../daemon/oidc/tokens.ts';
import { codeOf, fakeClock, rejection } from '../../../tools/support/daemon-edges.ts';
import { type AwsCall, type AwsReply, awsServer, xml, xmlError } from '../fixtures/aws.ts';
import { HOUR, idTokenFor } from '../fixtures/tokens.ts';

const ROLE = 'arn:aws:iam::123456789012:role/BedrockUsers';
const clock = fakeClock();
const EXPIRATION = new Date(clock.now() + 12 * HOUR).toISOString();

function credentials(without?: string): AwsReply {
  const fields = {
    AccessKeyId: 'ASIAEXAMPLE',
    SecretAccessKey: 'secret',
    SessionToken: 'session',
    Expiration: EXPIRATION,
  };
  const inner = Object.entries(fields)
    .filter(([name]) => name !== without)
    .map(([name, value]) => `<${name}>${value}</${name}>`);
  return xml(
    `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>${inner.join('')}</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
  );
}

async function open(
  t: Parameters<typeof awsServer>[0],
  answer: (call: AwsCall) => AwsReply = () => credentials(),
) {
  const aws = await awsServer(t, answer);
  const role = createRoleFederation(
    { roleArn: ROLE, region: 'eu-central-1', durationSeconds: 43_200, endpoint: aws.endpoint },
    { clock, fetch },
  );
  return { aws, role };
}

t.test('STS exchanges an ID token for credentials of the role', async (t) => {
  const { aws, role } = await open(t);
  const idToken = idTokenFor(clock, { claims: { email: 'ada@example.com' } });
  t.same(await role.credentials(idToken), {
    accessKeyId: 'ASIAEXAMPLE',
    secretAccessKey: 'secret',
    sessionToken: 'session',
    expiresAt: Date.parse(EXPIRATION),
    lifetimeMs: 12 * HOUR,
  });
  t.match(aws.calls, [
    {
      operation: 'AssumeRoleWithWebIdentity',
      input: {
        RoleArn: ROLE,
        RoleSessionName: 'ada@example.com',
        WebIdentityToken: idToken.jwt,
        DurationSeconds: '43200',
      },
    },
  ]);
  t.equal(aws.calls[0]?.headers.authorization, undefined, 'the operation is public');
});

t.test('each fault has its error code, and the SDK retries none', async (t) => {
  const cases: [AwsReply, string][] = [
    [xmlError('Throttling', 'x', 400), 'ERR_AWS_UNREACHABLE'],
    [xmlError('InternalFailure', 'x', 500), 'ERR_AWS_UNREACHABLE'],
    [xmlError('AccessDenied', 'Not authorized to perform', 403), 'ERR_AWS_DENIED'],
    [xmlError('InvalidIdentityToken', 'No OpenIDConnect provider found', 400), 'ERR_AWS_DENIED'],
    [xmlError('ValidationError', 'DurationSeconds exceeds', 400), 'ERR_AWS_CONFIG'],
    [{ status: 503, body: 'busy' }, 'ERR_AWS_UNREACHABLE'],
    ['cut', 'ERR_AWS_UNREACHABLE'],
    [credentials('SessionToken'), 'ERR_AWS_UNREACHABLE'],
    [credentials('Expiration'), 'ERR_AWS_UNREACHABLE'],
  ];
  for (const [reply, code] of cases) {
    const { aws, role } = await open(t, () => reply);
    const error = await rejection(role.credentials(idTokenFor(clock)));
    t.match(error, { code }, JSON.stringify(reply).slice(0, 120));
    t.equal(aws.calls.length, 1);
    t.notMatch(String(error instanceof Error && error.message), /planted/);
  }
});

t.test('errors that the SDK renames have the same code', async (t) => {
  const cases: [string, string][] = [
    ['IDPCommunicationError', 'ERR_AWS_UNREACHABLE'],
    ['IDPRejectedClaim', 'ERR_AWS_DENIED'],
  ];
  for (const [name, code] of cases) {
    const { role } = await open(t, () => xmlError(name));
    t.equal(await codeOf(role.credentials(idTokenFor(clock))), code, name);
  }
});

t.test('a wrong configuration names the role', async (t) => {
  const { role } = await open(t, () => xmlError('ValidationError'));
  const error = await rejection(role.credentials(idTokenFor(clock)));
  t.ok(error instanceof Error && error.message.includes(`federated_role_arn ${ROLE}`));
});

t.test('an ID token that AWS finds expired has an error of its own', async (t) => {
  const { role } = await open(t, () => xmlError('ExpiredTokenException', 'Token expired: 1 >= 0'));
  t.ok((await rejection(role.credentials(idTokenFor(clock)))) instanceof StaleIdToken);
});

t.test('a service that cannot be reached is a fault that passes', async (t) => {
  const role = createRoleFederation(
    { roleArn: ROLE, region: 'eu-central-1', durationSeconds: 900, endpoint: 'http://127.0.0.1:9' },
    { clock, fetch },
  );
  t.equal(await codeOf(role.credentials(idTokenFor(clock))), 'ERR_AWS_UNREACHABLE');
});

t.test('a session is named after the e-mail address in the alphabet of STS', async (t) => {
  const name = (claims: Record<string, unknown>) =>
    roleSessionName({ sub: 'user-1', iat: 0, exp: 0, ...claims } as Claims);
  t.equal(name({ email: 'ada.lovelace+x@example.com' }), 'ada.lovelace+x@example.com');
  t.equal(name({ email: 'Ada Müller/<x>@example.com' }), 'Ada-M-ller--x-@example.com');
  t.equal(name({ email: `${'a'.repeat(80)}@example.com` }), 'a'.repeat(64));
  t.equal(name({}), 'claude-code-user-1');
  t.equal(name({ email: '' }), 'claude-code-user-1');
  t.equal(name({ email: ['a@b'] }), 'claude-code-user-1');
  t.equal(
    name({ sub: 'auth0|0123456789012345678901234567890123456789' }),
    'claude-code-auth0-01234567890123456789012345',
  );
  for (const email of ['a', '😀😀', 'x'.repeat(500), '\r\nAdmin', '../../x'])
    t.match(name({ email }), /^[\w+=,.@-]{1,64}$/, 'always one STS takes');
  t.ok(name({ email: 'a' }).length >= 2, 'at least two characters long');
});
