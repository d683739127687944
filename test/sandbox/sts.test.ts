import {
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandInput,
  ExpiredTokenException,
  GetCallerIdentityCommand,
  IDPCommunicationErrorException,
  InvalidIdentityTokenException,
} from '@aws-sdk/client-sts';
import t from 'tap';
import { obtainTokens } from '../../sandbox/provider/oauth-client.ts';
import { setUp, stsClient } from './support.ts';

const whoAmI = new GetCallerIdentityCommand({});

t.test('credentials from Cognito say who they are', async (t) => {
  const { sandbox, getCredentials } = await setUp(t);
  const credentials = await getCredentials();
  t.match(await stsClient(t, sandbox, credentials).send(whoAmI), {
    Arn: 'arn:aws:sts::123456789012:assumed-role/BedrockSandboxRole/CognitoIdentityCredentials',
    Account: '123456789012',
    UserId: /^AROA[A-Z2-7]{16}:CognitoIdentityCredentials$/,
  });
  t.match(sandbox.aws.calls.at(-1), {
    operation: 'GetCallerIdentity',
    keyTail: credentials.AccessKeyId?.slice(-4),
  });
});

t.test('keys, tokens and secrets that do not belong together are refused', async (t) => {
  const { sandbox, getCredentials } = await setUp(t);
  const mine = await getCredentials();
  const other = await getCredentials();
  const attempt = (change: object) => stsClient(t, sandbox, { ...mine, ...change }).send(whoAmI);
  await t.rejects(attempt({ SecretKey: other.SecretKey }), { name: 'SignatureDoesNotMatch' });
  await t.rejects(attempt({ AccessKeyId: 'ASIAAAAAAAAAAAAAAAAA' }), { name: 'InvalidClientTokenId' });
  await t.rejects(attempt({ SessionToken: other.SessionToken }), { name: 'InvalidClientTokenId' });
  await t.rejects(attempt({ SessionToken: undefined }), { name: 'InvalidClientTokenId' });
  await t.rejects(stsClient(t, sandbox, mine, 'eu-west-1').send(whoAmI), {
    name: 'SignatureDoesNotMatch',
    message: /valid region, not 'eu-west-1'/,
    $metadata: { httpStatusCode: 403 },
  });
  await t.resolves(attempt({}));
});

t.test('expired credentials are refused', async (t) => {
  const { sandbox, getCredentials } = await setUp(t, { aws: { credentialSeconds: 1 } });
  const short = await getCredentials();
  await new Promise((resolve) => setTimeout(resolve, 1050));
  await t.rejects(stsClient(t, sandbox, short).send(whoAmI), { name: 'ExpiredToken' });

  sandbox.aws.setCredentialSeconds(3600);
  const long = await getCredentials();
  await t.resolves(stsClient(t, sandbox, long).send(whoAmI));
  sandbox.aws.expireAllCredentials();
  await t.rejects(stsClient(t, sandbox, long).send(whoAmI), { name: 'ExpiredToken' });
  await t.resolves(getCredentials().then((fresh) => stsClient(t, sandbox, fresh).send(whoAmI)));
});

t.test('a request signed too long ago is refused in words that name both times', async (t) => {
  const { sandbox, getCredentials } = await setUp(t);
  const client = stsClient(t, sandbox, await getCredentials());
  sandbox.aws.setClockOffset(16 * 60 * 1000);
  await t.rejects(client.send(whoAmI), {
    name: 'SignatureDoesNotMatch',
    message: /^Signature expired: \d+T\d+Z is now/,
  });
});

t.test('unsigned requests are refused, with an error in XML', async (t) => {
  const { sandbox } = await setUp(t);
  const response = await fetch(sandbox.aws.url, {
    method: 'POST',
    body: new URLSearchParams({ Action: 'GetCallerIdentity', Version: '2011-06-15' }),
  });
  t.equal(response.status, 403);
  t.match(
    await response.text(),
    /<Type>Sender<\/Type><Code>MissingAuthenticationToken<\/Code>.*<RequestId>[\w-]+</,
  );
});

t.test('AssumeRoleWithWebIdentity gives credentials for the time asked', async (t) => {
  const { sandbox, idToken } = await setUp(t);
  const answer = await stsClient(t, sandbox).send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: sandbox.aws.roleArn,
      RoleSessionName: 'demo@example.com',
      WebIdentityToken: idToken,
      DurationSeconds: 43_200,
    }),
  );
  const { AccessKeyId, SecretAccessKey: SecretKey, SessionToken, Expiration } = answer.Credentials ?? {};
  const seconds = (Number(Expiration) - Date.now()) / 1000;
  t.ok(seconds > 43_190 && seconds <= 43_200);
  const credentials = { AccessKeyId, SecretKey, SessionToken };
  t.match(await stsClient(t, sandbox, credentials).send(whoAmI), {
    Arn: 'arn:aws:sts::123456789012:assumed-role/BedrockSandboxRole/demo@example.com',
  });
  t.match(answer, { Audience: 'sandbox-client', SubjectFromWebIdentityToken: '00u1demo5andb0x' });
});

t.test('AssumeRoleWithWebIdentity refuses what the service refuses', async (t) => {
  const { sandbox, idToken } = await setUp(t, { aws: { maxSessionSeconds: 7200 } });
  const client = stsClient(t, sandbox);
  const attempt = (change: Partial<AssumeRoleWithWebIdentityCommandInput>) =>
    client.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: sandbox.aws.roleArn,
        RoleSessionName: 'demo',
        WebIdentityToken: idToken,
        ...change,
      }),
    );
  await t.resolves(attempt({}));
  await t.rejects(attempt({ RoleArn: 'arn:aws:iam::123456789012:role/Other' }), { name: 'AccessDenied' });
  await t.rejects(attempt({ RoleSessionName: 'a b' }), {
    name: 'ValidationError',
    message: /roleSessionName/,
  });
  await t.rejects(attempt({ RoleSessionName: 'x'.repeat(65) }), { name: 'ValidationError' });
  await t.rejects(attempt({ DurationSeconds: 899 }), { name: 'ValidationError', message: /900/ });
  await t.rejects(attempt({ DurationSeconds: 43_201 }), { name: 'ValidationError', message: /43200/ });
  await t.rejects(attempt({ DurationSeconds: 7201 }), { message: /exceeds the MaxSessionDuration/ });
  await t.rejects(attempt({ WebIdentityToken: 'not a token' }), InvalidIdentityTokenException);

  sandbox.provider.setBadIdToken('expired', 1);
  const { id_token: expired } = await obtainTokens(sandbox.provider);
  await t.rejects(attempt({ WebIdentityToken: expired }), ExpiredTokenException);
  sandbox.provider.setBadIdToken('wrong-audience', 1);
  const { id_token: foreign } = await obtainTokens(sandbox.provider);
  await t.rejects(attempt({ WebIdentityToken: foreign }), {
    name: 'InvalidIdentityTokenException',
    message: /Incorrect token audience/,
  });
  sandbox.aws.setFault('AssumeRoleWithWebIdentity', { kind: 'error', code: 'IDPCommunicationError' }, 1);
  await t.rejects(attempt({}), IDPCommunicationErrorException);
});
