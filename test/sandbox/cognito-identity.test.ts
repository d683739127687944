import {
  CognitoIdentityClient,
  ExternalServiceException,
  GetCredentialsForIdentityCommand,
  GetIdCommand,
  InternalErrorException,
  NotAuthorizedException,
  ResourceNotFoundException,
  TooManyRequestsException,
} from '@aws-sdk/client-cognito-identity';
import t from 'tap';
import { type BadIdToken, signIdToken } from '../../sandbox/provider/bad-id-token.ts';
import { obtainTokens } from '../../sandbox/provider/oauth-client.ts';
import { claimsOf, loginKey, setUp } from './support.ts';

t.test('the SDK gets credentials for an ID token', async (t) => {
  const { sandbox, getCredentials, getId } = await setUp(t, { aws: { credentialSeconds: 900 } });
  const first = await getCredentials();
  t.match(first.AccessKeyId, /^ASIA[A-Z2-7]{16}$/);
  const secondsLeft = (Number(first.Expiration) - Date.now()) / 1000;
  t.ok(secondsLeft > 895 && secondsLeft <= 900, `${secondsLeft} s`);
  const second = await getCredentials();
  t.not(second.SecretKey, first.SecretKey);
  t.equal((await getId()).IdentityId, (await getId()).IdentityId, 'the identity id is stable');
  t.match(await getId(), { IdentityId: /^us-east-1:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ });
  t.equal(sandbox.aws.count('GetCredentialsForIdentity'), 2);
  t.match(sandbox.aws.calls[1], { status: 200, keyTail: first.AccessKeyId?.slice(-4) });
});

t.test('an hour when nothing else is asked for; changed at run time', async (t) => {
  const { sandbox, getCredentials } = await setUp(t);
  const lifetime = async () => (Number((await getCredentials()).Expiration) - Date.now()) / 1000;
  t.ok((await lifetime()) > 3590);
  sandbox.aws.setCredentialSeconds(60);
  t.ok((await lifetime()) <= 60);
});

t.test('an unknown pool and an unknown identity', async (t) => {
  const { sandbox, cognito, idToken } = await setUp(t);
  const Logins = { [loginKey(sandbox)]: idToken };
  const unknown = 'us-east-1:99999999-9999-4999-8999-999999999999';
  await t.rejects(
    cognito.send(new GetIdCommand({ IdentityPoolId: unknown, Logins })),
    ResourceNotFoundException,
  );
  await t.rejects(
    cognito.send(new GetCredentialsForIdentityCommand({ IdentityId: unknown, Logins })),
    ResourceNotFoundException,
  );
  await t.rejects(cognito.send(new GetIdCommand({ IdentityPoolId: 'no pool', Logins })), {
    name: 'ValidationException',
  });
});

t.test('the login key is the issuer without its scheme, exactly', async (t) => {
  const { sandbox, cognito, getId } = await setUp(t);
  const key = loginKey(sandbox);
  for (const wrong of [
    `http://${key}`,
    `${key}/`,
    key.replace('127.0.0.1', 'localhost'),
    'accounts.google.com',
  ]) {
    const error = await getId(undefined, wrong).catch((cause: unknown) => cause);
    t.type(error, NotAuthorizedException, wrong);
    t.match(error, { message: 'Token is not from a supported provider of this identity pool.' });
  }
  await t.rejects(cognito.send(new GetIdCommand({ IdentityPoolId: sandbox.aws.identityPoolId })), {
    name: 'NotAuthorizedException',
    message: /Unauthenticated access is not supported/,
  });
});

t.test('bad tokens are refused in the words of the service', async (t) => {
  const { sandbox, getId, idToken } = await setUp(t);
  const words: Partial<Record<BadIdToken, RegExp>> = {
    expired: /^Invalid login token\. Token expired: \d+ >= \d+$/,
    'wrong-audience': /^Invalid login token\. Incorrect token audience/,
    'wrong-issuer': /^Invalid login token\. Issuer doesn't match providerName$/,
    'bad-signature': /^Invalid login token\. Couldn't verify signed token/,
    'alg-none': /^Invalid login token\. /,
    'not-yet-valid': /^Invalid login token\. /,
  };
  for (const [kind, message] of Object.entries(words)) {
    sandbox.provider.setBadIdToken(kind as BadIdToken, 1);
    const { id_token: bad } = await obtainTokens(sandbox.provider);
    await t.rejects(getId(bad), { name: 'NotAuthorizedException', message }, kind);
  }
  await t.rejects(getId('not.a.token'), { message: /Not a valid OpenId Connect identity token/ });
  const [head, , signature] = idToken.split('.');
  const changed = Buffer.from(JSON.stringify({ ...claimsOf(idToken), sub: 'somebody-else' })).toString(
    'base64url',
  );
  await t.rejects(getId(`${head}.${changed}.${signature}`), { message: /Couldn't verify signed token/ });
  await t.resolves(getId());
});

t.test('a token of a key that is no longer published is refused', async (t) => {
  const { sandbox, getId } = await setUp(t);
  await sandbox.provider.rotateKeys();
  await t.rejects(getId(), NotAuthorizedException);
  t.equal(sandbox.provider.counts.jwks, 0, 'AWS is not a client in the counts of the provider');
});

t.test('an identity gives credentials only to its owner', async (t) => {
  const { sandbox, cognito, idToken, getId } = await setUp(t);
  const { IdentityId } = await getId();
  const other = signIdToken({ ...claimsOf(idToken), sub: 'somebody-else' }, sandbox.provider.signingKey());
  t.not((await getId(other)).IdentityId, IdentityId);
  const Logins = { [loginKey(sandbox)]: other };
  await t.rejects(cognito.send(new GetCredentialsForIdentityCommand({ IdentityId, Logins })), {
    name: 'NotAuthorizedException',
    message: /Logins don't match/,
  });
});

t.test('errors on demand are mapped by the SDK', async (t) => {
  const { sandbox, getId } = await setUp(t);
  const expected = [
    ['TooManyRequestsException', TooManyRequestsException, 400],
    ['ExternalServiceException', ExternalServiceException, 400],
    ['InternalErrorException', InternalErrorException, 500],
  ] as const;
  for (const [code, type, status] of expected) {
    sandbox.aws.setFault('GetId', { kind: 'error', code }, 1);
    const error = await getId().catch((cause: unknown) => cause);
    t.type(error, type);
    t.match(error, { $metadata: { httpStatusCode: status, requestId: /-/ } });
  }
  await t.resolves(getId());
  t.match(sandbox.aws.calls[0], { operation: 'GetId', status: 400, error: 'TooManyRequestsException' });
});

t.test('throttled twice, the SDK with its own retries succeeds', async (t) => {
  const { sandbox, idToken } = await setUp(t);
  const cognito = new CognitoIdentityClient({
    endpoint: sandbox.aws.url,
    region: 'us-east-1',
    maxAttempts: 3,
  });
  t.teardown(() => cognito.destroy());
  sandbox.aws.setFault('GetId', { kind: 'error', code: 'TooManyRequestsException' }, 2);
  const Logins = { [loginKey(sandbox)]: idToken };
  await t.resolves(cognito.send(new GetIdCommand({ IdentityPoolId: sandbox.aws.identityPoolId, Logins })));
  t.equal(sandbox.aws.count('GetId'), 3);
});

t.test('network faults: cut, lost reply, a captive portal, slow, gone and back', async (t) => {
  const { sandbox, getId, getCredentials } = await setUp(t);
  sandbox.aws.setFault('GetId', { kind: 'down' }, 1);
  await t.rejects(getId());
  sandbox.aws.setFault('GetCredentialsForIdentity', { kind: 'loseReply' }, 1);
  await t.rejects(getCredentials());
  sandbox.aws.setFault('all', { kind: 'html' }, 1);
  await t.rejects(getId());
  sandbox.aws.setFault('all', { kind: 'status', status: 503 }, 1);
  t.match(await getId().catch((cause: unknown) => cause), { $metadata: { httpStatusCode: 503 } });
  sandbox.aws.setFault('all', { kind: 'slow', ms: 100 }, 1);
  const before = performance.now();
  await t.resolves(getId());
  t.ok(performance.now() - before >= 95);
  await sandbox.aws.stop();
  await t.rejects(getId());
  await sandbox.aws.start();
  await t.resolves(getCredentials());
});

t.test('the clock of the account decides, and shows in the Date header', async (t) => {
  const { sandbox, getId } = await setUp(t);
  sandbox.aws.setClockOffset(2 * 60 * 60 * 1000);
  await t.rejects(getId(), { message: /Token expired/ });
  const { headers } = await fetch(sandbox.aws.url);
  const aheadMs = Date.parse(headers.get('date') ?? '') - Date.now();
  t.ok(Math.abs(aheadMs - 7_200_000) < 5000);
  t.ok(headers.get('x-amzn-requestid'));
});
