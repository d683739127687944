import t from 'tap';
import type { AwsFault, AwsOperation } from '../../sandbox/aws/aws-endpoints.ts';
import { until } from '../fixtures/until.ts';
import { CREDENTIAL_SECONDS, type Cycle, cycle, pool } from './cycle.ts';
import { logText, mustRefresh, nothingLost, startRunning } from './running.ts';
import { faultGroup } from './table.ts';

const fault = faultGroup(t, 'aws', 6);
const DIRECT = 'Direct';

const worlds = pool(6, () =>
  startRunning(t, {
    // The ID token outlives every test: no fault of AWS is a reason to spend the refresh token.
    sandbox: { aws: { credentialSeconds: CREDENTIAL_SECONDS } },
    moreProfiles: {
      [DIRECT]: {
        federation_type: 'direct',
        identity_pool_id: undefined,
        federated_role_arn: 'arn:aws:iam::123456789012:role/BedrockSandboxRole',
        max_session_duration: 3600,
      },
    },
  }),
);

const UNREACHABLE = /^ERR_AWS_UNREACHABLE$/;
const CONFIG = /^ERR_AWS_CONFIG$/;
const DENIED = /^ERR_AWS_DENIED$/;
/** The shim gives up sooner than the daemon does. */
const SLOW = /^ERR_(DAEMON|AWS)_UNREACHABLE$/;

/** `grants`: how many refresh tokens may be spent. */
const during = (name: string, made: Cycle, grants = 0): void =>
  fault(name, (t, findings) =>
    worlds(async (running) => {
      const before = running.sandbox.provider.counts.refreshGrants;
      await cycle(t, findings, running, made);
      const spent = running.sandbox.provider.counts.refreshGrants - before;
      t.ok(spent <= grants, `${spent} refresh grants, at most ${grants}`);
    }),
  );

const at = (operation: AwsOperation, made: AwsFault, code: RegExp, profile?: string): Cycle => ({
  inject: ({ sandbox }) => sandbox.aws.setFault(operation, made),
  lift: ({ sandbox }) => sandbox.aws.setFault(operation),
  code,
  ...(profile ? { profile } : {}),
});
const pooled = (made: AwsFault, code: RegExp): Cycle => at('GetCredentialsForIdentity', made, code);
const direct = (made: AwsFault, code: RegExp): Cycle => at('AssumeRoleWithWebIdentity', made, code, DIRECT);
const error = (code: string, message?: string, status?: number): AwsFault => ({
  kind: 'error',
  code,
  ...(message === undefined ? {} : { message }),
  ...(status === undefined ? {} : { status }),
});
const json = (body: unknown): AwsFault => ({
  kind: 'status',
  status: 200,
  contentType: 'application/x-amz-json-1.1',
  body: JSON.stringify(body),
});

during('Cognito throttles GetCredentialsForIdentity', pooled(error('TooManyRequestsException'), UNREACHABLE));
during('Cognito: ExternalServiceException', pooled(error('ExternalServiceException'), UNREACHABLE));
during('Cognito: InternalErrorException, status 500', pooled(error('InternalErrorException'), UNREACHABLE));
during('Cognito: status 500 without an error', pooled({ kind: 'status', status: 500 }, UNREACHABLE));
during('Cognito: status 503', pooled({ kind: 'status', status: 503 }, UNREACHABLE));
during('Cognito: HTML of a captive portal', pooled({ kind: 'html' }, UNREACHABLE));
during(
  'Cognito: redirect to a sign-in page',
  pooled({ kind: 'redirect', location: 'http://127.0.0.1:9/' }, /^ERR_AWS_/),
);
during('Cognito: connection reset', pooled({ kind: 'reset' }, UNREACHABLE));
during('Cognito: connection cut', pooled({ kind: 'down' }, UNREACHABLE));
during('Cognito: answer lost', pooled({ kind: 'loseReply' }, UNREACHABLE));
during('Cognito: answer cut in the middle', pooled({ kind: 'cutReply' }, UNREACHABLE));
during('Cognito: slower than the limit', pooled({ kind: 'slow', ms: 25_000 }, SLOW));
during('Cognito: a byte at a time', pooled({ kind: 'drip', ms: 200 }, SLOW));
during('Cognito: a body of 64 MB', pooled({ kind: 'huge', bytes: 64e6 }, UNREACHABLE));
during('Cognito: JSON that ends half-way', pooled({ kind: 'garbage' }, UNREACHABLE));
during('Cognito: an empty object', pooled(json({}), UNREACHABLE));
during(
  'Cognito: credentials without a secret key',
  pooled(json({ Credentials: { AccessKeyId: 'ASIA', SessionToken: 'x', Expiration: 2e9 } }), UNREACHABLE),
);
during(
  'Cognito: credentials without an expiration',
  pooled(json({ Credentials: { AccessKeyId: 'ASIA', SecretKey: 'x', SessionToken: 'x' } }), UNREACHABLE),
);
during(
  'Cognito: NotAuthorizedException',
  pooled(
    error('NotAuthorizedException', 'Token is not from a supported provider of this identity pool.'),
    DENIED,
  ),
);
during(
  'Cognito: the pool is gone',
  pooled(error('ResourceNotFoundException', 'Identity not found.'), CONFIG),
);
during(
  'Cognito: InvalidIdentityPoolConfigurationException',
  pooled(error('InvalidIdentityPoolConfigurationException', ''), CONFIG),
);
during('Cognito: connection refused', {
  inject: ({ sandbox }) => sandbox.aws.stop(),
  lift: ({ sandbox }) => sandbox.aws.start(),
  code: UNREACHABLE,
});
during(
  'Cognito calls every ID token expired',
  pooled(error('NotAuthorizedException', 'Invalid login token. Token expired: 2 >= 1'), DENIED),
  // One new ID token for each try, and tries back off.
  4,
);

during('STS throttles', direct(error('Throttling'), UNREACHABLE));
during('STS: IDPCommunicationError', direct(error('IDPCommunicationError'), UNREACHABLE));
during(
  'STS: InvalidIdentityToken',
  direct(error('InvalidIdentityToken', 'No OpenIDConnect provider found'), DENIED),
);
during('STS: AccessDenied', direct(error('AccessDenied', 'Not authorized', 403), DENIED));
during('STS: status 500', direct({ kind: 'status', status: 500 }, UNREACHABLE));
during('STS: HTML of a captive portal', direct({ kind: 'html' }, UNREACHABLE));
during('STS: connection reset', direct({ kind: 'reset' }, UNREACHABLE));

fault('Cognito calls an ID token expired once: one new ID token', async (t, findings) =>
  worlds(async (running) => {
    const { provider } = running.sandbox;
    const before = await running.snapshot();
    await mustRefresh(running);
    const call = await running.call();
    t.equal(call.status, 0, call.stderr);
    t.equal(provider.counts.refreshGrants - before.counts.refreshGrants, 1, 'one refresh');
    findings.caller(call.text);
    findings.log(logText(await running.logSince(before)));
    findings.survived(await nothingLost(t, running, before));
  }),
);

for (const [name, made, code] of [
  ['Cognito throttles GetId', error('TooManyRequestsException'), UNREACHABLE],
  ['GetId: the pool does not exist', error('ResourceNotFoundException', 'not found'), CONFIG],
  ['GetId: no identity id in the answer', json({}), UNREACHABLE],
] as const) {
  fault(name, async (t, findings) =>
    worlds(async (running) => {
      const { aws } = running.sandbox;
      await running.home.endDaemon();
      aws.setFault('GetId', made);
      const log = (await running.home.daemonLog()).length;
      await running.startDaemon();
      const before = { ...(await running.snapshot()), log };
      const call = await running.call();
      t.match(call, { status: 1, code, stdout: '' });
      findings.caller(call.text);
      aws.setFault('GetId');
      await until(() => running.hasCredentials());
      t.equal((await running.call()).status, 0);
      findings.caller('afterwards exit 0');
      findings.log(logText(await running.logSince(before)));
      findings.survived(await nothingLost(t, running, before));
    }),
  );
}

for (const [name, offsetMs] of [
  ["AWS's clock ten minutes ahead", 10 * 60_000],
  ["AWS's clock ten minutes behind", -10 * 60_000],
] as const) {
  fault(name, async (t, findings) =>
    worlds(async (running) => {
      const { aws } = running.sandbox;
      const before = await running.snapshot();
      aws.setCredentialSeconds(3600);
      aws.setClockOffset(offsetMs);
      await running.forgetCredentials();
      const call = await running.call();
      t.equal(call.status, 0, call.stderr);
      const { Expiration } = JSON.parse(call.stdout) as { Expiration: string };
      const life = Math.round((Date.parse(Expiration) - Date.now()) / 60_000);
      t.ok(life > 20, 'never credentials that have expired');
      findings.caller(`${call.text}, good for another ${life} min by this computer's clock`);
      findings.log(logText(await running.logSince(before)));
      aws.setClockOffset(0);
      aws.setCredentialSeconds(CREDENTIAL_SECONDS);
      findings.survived(await nothingLost(t, running, before));
    }),
  );
}
