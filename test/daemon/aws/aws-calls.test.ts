import t from 'tap';
import {
  clientSettings,
  readCredentials,
  StaleIdToken,
  timeLimit,
  translateAwsError,
} from '../../../daemon/aws/aws-calls.ts';
import { CcwbError } from '../../../protocol/errors.ts';
import { fakeClock } from '../../../tools/support/daemon-edges.ts';

const POOL = { field: 'identity_pool_id', value: 'us-east-1:1234' };

/** An error as the SDK throws it. */
function awsError(name: string, status: number | undefined, message = 'planted message'): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });
}

const translate = (thrown: unknown) => translateAwsError(thrown, 'Amazon Cognito', POOL);

t.test('every AWS error has its code', async (t) => {
  const cases: [name: string, status: number | undefined, code: string][] = [
    ['TooManyRequestsException', 400, 'ERR_AWS_UNREACHABLE'],
    ['TooManyRequestsException', 429, 'ERR_AWS_UNREACHABLE'],
    ['ThrottlingException', 400, 'ERR_AWS_UNREACHABLE'],
    ['Throttling', 400, 'ERR_AWS_UNREACHABLE'],
    ['ExternalServiceException', 400, 'ERR_AWS_UNREACHABLE'],
    ['InternalErrorException', 500, 'ERR_AWS_UNREACHABLE'],
    ['InternalFailure', 500, 'ERR_AWS_UNREACHABLE'],
    ['ServiceUnavailable', 503, 'ERR_AWS_UNREACHABLE'],
    ['TimeoutError', undefined, 'ERR_AWS_UNREACHABLE'],
    ['SomethingNew', 500, 'ERR_AWS_UNREACHABLE'],
    ['SomethingNew', 429, 'ERR_AWS_UNREACHABLE'],
    ['SomethingNew', undefined, 'ERR_AWS_UNREACHABLE'],
    ['NotAuthorizedException', 400, 'ERR_AWS_DENIED'],
    ['InvalidIdentityToken', 400, 'ERR_AWS_DENIED'],
    ['InvalidIdentityTokenException', 400, 'ERR_AWS_DENIED'],
    ['AccessDenied', 403, 'ERR_AWS_DENIED'],
    ['AccessDeniedException', 400, 'ERR_AWS_DENIED'],
    ['ResourceNotFoundException', 400, 'ERR_AWS_CONFIG'],
    ['InvalidIdentityPoolConfigurationException', 400, 'ERR_AWS_CONFIG'],
    ['InvalidParameterException', 400, 'ERR_AWS_CONFIG'],
    ['ValidationError', 400, 'ERR_AWS_CONFIG'],
    ['SomethingNewException', 400, 'ERR_AWS_CONFIG'],
    ['SomethingNewException', 403, 'ERR_AWS_CONFIG'],
    ['SyntaxError', 200, 'ERR_AWS_UNREACHABLE'],
  ];
  for (const [name, status, code] of cases) {
    const error = translate(awsError(name, status));
    t.match(error, { code }, `${name} with status ${status}`);
    t.ok(error instanceof CcwbError);
    t.notMatch(error.message, /planted/, 'its own words stay inside');
    t.ok(error.cause instanceof Error);
  }
});

t.test('a token that STS refuses is a denial', async (t) => {
  const error = translate(awsError('IDPRejectedClaimException', 403));
  t.match(error, { code: 'ERR_AWS_DENIED' }, 'not of the configuration');
});

t.test('an expired ID token has an error of its own', async (t) => {
  t.ok(translate(awsError('ExpiredTokenException', 400)) instanceof StaleIdToken);
  const message = 'Invalid login token. Token expired: 1700000000 >= 1699999999';
  t.ok(translate(awsError('NotAuthorizedException', 400, message)) instanceof StaleIdToken);
  t.notOk(translate(awsError('NotAuthorizedException', 400, 'Invalid login token.')) instanceof StaleIdToken);
});

t.test('a wrong configuration names the field and its value', async (t) => {
  const error = translate(awsError('ResourceNotFoundException', 400));
  t.match(error.message, /Amazon Cognito: identity_pool_id us-east-1:1234 does not exist/);
  t.match(error instanceof CcwbError && error.fix, /identity_pool_id and aws_region/);
});

t.test('throttling has a message of its own', async (t) => {
  t.match(translate(awsError('TooManyRequestsException', 429)).message, /throttling/);
  t.notMatch(translate(awsError('InternalErrorException', 500)).message, /throttling/);
});

t.test('errors of this product are not translated again', async (t) => {
  const own = new CcwbError('ERR_AWS_DENIED', 'm', 'f');
  t.equal(translate(own), own);
  const stale = new StaleIdToken('expired');
  t.equal(translate(stale), stale);
});

t.test('any other thrown value is a fault that passes', async (t) => {
  for (const thrown of [
    undefined,
    null,
    'x',
    7,
    {},
    new Error('x'),
    { $metadata: null },
    { $metadata: { httpStatusCode: 'x' } },
  ])
    t.match(translate(thrown), { code: 'ERR_AWS_UNREACHABLE' });
});

t.test('an error name that AWS would not use is not shown', async (t) => {
  const odd = Object.assign(new Error('planted'), { name: [7] });
  t.match(translate(odd), { code: 'ERR_AWS_UNREACHABLE' }, 'no text');
  for (const name of ['Odd\u001b[2J', 'two words', 'x'.repeat(65), '42x', '\u00e9'])
    t.match(translate(awsError(name, 400)), {
      code: 'ERR_AWS_UNREACHABLE',
      message: /did not answer properly$/,
    });
});

t.test('a call that timed out or failed on its way is a fault that passes', async (t) => {
  for (const name of ['TimeoutError', 'AbortError', 'TypeError', 'Error', 'RangeError']) {
    t.match(translate(Object.assign(new Error('planted'), { name })), { code: 'ERR_AWS_UNREACHABLE' }, name);
  }
});

t.test('each call has its own time limit', async (t) => {
  const [first, second] = [timeLimit(), timeLimit()];
  t.not(first.abortSignal, second.abortSignal);
  t.equal(first.abortSignal.aborted, false);
});

t.test('credentials that lack a field are an error', async (t) => {
  const clock = fakeClock();
  const whole = {
    accessKeyId: 'ASIA',
    secretAccessKey: 's',
    sessionToken: 't',
    expiration: new Date(clock.now() + 3_600_000),
  };
  t.same(readCredentials(whole, 'GetThem', clock), {
    accessKeyId: 'ASIA',
    secretAccessKey: 's',
    sessionToken: 't',
    expiresAt: clock.now() + 3_600_000,
    lifetimeMs: 3_600_000,
  });
  for (const field of Object.keys(whole)) {
    const without = { ...whole, [field]: undefined };
    t.throws(() => readCredentials(without, 'GetThem', clock), {
      code: 'ERR_AWS_UNREACHABLE',
      message: /GetThem/,
    });
  }
  const wrong: Record<string, unknown>[] = [
    { accessKeyId: 7 },
    { secretAccessKey: ['s'] },
    { sessionToken: {} },
    { sessionToken: '' },
    { expiration: new Date(Number.NaN) },
    { expiration: new Date(8e15) },
  ];
  for (const change of wrong) {
    const fields = { ...whole, ...change } as typeof whole;
    t.throws(() => readCredentials(fields, 'GetThem', clock), { code: 'ERR_AWS_UNREACHABLE' });
  }
});

t.test('the SDK finds no credentials of its own and says nothing', async (t) => {
  const settings = clientSettings(fetch);
  t.match(settings, { maxAttempts: 1, credentials: { accessKeyId: '', secretAccessKey: '' } });
  for (const write of Object.values(settings.logger)) t.equal(write(), undefined);
});
