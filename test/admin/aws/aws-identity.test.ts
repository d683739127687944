import { join } from 'node:path';
import t, { type Test } from 'tap';
import { refuseOwnProgram, refuseOwnRole } from '../../../admin/aws/aws-identity.ts';
import { ADMIN_ROLE, OKTA, startAdminCloud } from '../fixtures/admin-cloud.ts';

const identity = (arn: string) => ({ account: '123456789012', arn });
const assumed = (role: string, session = 'ada') =>
  identity(`arn:aws:sts::123456789012:assumed-role/${role}/${session}`);

t.test('credentials of a user of the product are refused, other credentials are accepted', async (t) => {
  const refused = { code: 'ERR_ADMIN_CREDENTIALS', fix: /name it in AWS_PROFILE/ };
  const named = ['arn:aws:iam::123456789012:role/teams/Research'];
  t.throws(() => refuseOwnRole(assumed('ccwb-ClaudeCode-auth-AuthenticatedRole-1AB2CD'), []), refused);
  t.throws(() => refuseOwnRole(assumed('Whatever', 'CognitoIdentityCredentials'), []), refused);
  t.throws(() => refuseOwnRole(assumed('Research'), named), refused);
  for (const other of [
    assumed('Administrator'),
    assumed('AWSReservedSSO_AdministratorAccess_0123456789abcdef'),
    identity('arn:aws:iam::123456789012:user/ada'),
    identity('arn:aws:iam::123456789012:root'),
  ]) {
    t.doesNotThrow(() => refuseOwnRole(other, named), other.arn);
  }
});

t.test('with credentials of a user the command ends after the first call to AWS', async (t) => {
  const { ccwb, aws, settings } = await startAdminCloud(t);
  const user = settings(
    'arn:aws:iam::123456789012:role/ccwb-ClaudeCode-auth-AuthenticatedRole-X',
    'ada@example.com',
  );
  for (const command of ['deploy --yes', 'status', 'destroy --yes']) {
    const { status, error } = await ccwb(command, { aws: user });
    t.equal(status, 1);
    t.match(
      error,
      /^ccwb: these credentials are those of a user of Claude Code with Bedrock: arn:.* \(ERR_ADMIN_CREDENTIALS\)\n/,
    );
  }
  t.strictSame([...new Set(aws.calls.map(({ operation }) => operation))], ['GetCallerIdentity']);
});

t.test('a role that another profile of config.json names counts as a role of users too', async (t) => {
  const research = { ...OKTA, identity_pool_id: undefined, federated_role_arn: ADMIN_ROLE };
  const { ccwb } = await startAdminCloud(t, { ClaudeCode: OKTA, Research: research });
  t.match((await ccwb('status')).error, /\(ERR_ADMIN_CREDENTIALS\)/);
});

t.test('credentials that AWS rejects are reported with the error of AWS', async (t) => {
  const { ccwb, aws, settings } = await startAdminCloud(t);
  const stale = settings();
  aws.expireAllCredentials();
  const expired = await ccwb('status', { aws: stale });
  t.match(
    expired.error,
    /^ccwb: AWS does not take these credentials \(ExpiredToken: .*\) \(ERR_ADMIN_CREDENTIALS\)\n {2}fix: sign in as/,
  );
  const unknown = await ccwb('status', {
    aws: { endpoint: aws.url, credentials: { accessKeyId: 'AKIAAAAAAAAAAAAAAAAA', secretAccessKey: 'x' } },
  });
  t.match(unknown.error, /\(InvalidClientTokenId: /);
  const mistyped = await ccwb('status', {
    aws: { endpoint: aws.url, credentials: { ...settings().credentials, secretAccessKey: 'x' } as never },
  });
  t.match(mistyped.error, /SignatureDoesNotMatch.*\n {2}fix: check this computer's clock; sign in/);
});

/** Files of the AWS CLI in a folder of the test's, as the environment names them. */
function awsFiles(t: Test, config: string, credentials = ''): Record<string, string> {
  const folder = t.testdir({ config, credentials });
  return {
    AWS_CONFIG_FILE: join(folder, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
  };
}

t.test('an AWS profile that runs our own program is refused before the program runs', async (t) => {
  const config = `
[default]
region = us-east-1
[profile ClaudeCode]
credential_process = "/home/ada/claude-code-with-bedrock/credential-process" --profile ClaudeCode
[profile deploy]
role_arn = ${ADMIN_ROLE}
source_profile = ClaudeCode
[profile circle]
role_arn = ${ADMIN_ROLE}
source_profile = circle
[profile other]
credential_process = /usr/local/bin/vault-credential-process --for admin
`;
  const env = awsFiles(t, config);
  const attempt = (changes: Record<string, string>) => refuseOwnProgram({ ...env, ...changes });
  await t.rejects(attempt({ AWS_PROFILE: 'ClaudeCode' }), {
    code: 'ERR_ADMIN_CREDENTIALS',
    message: /^the AWS profile ClaudeCode gets its credentials from this product: .*credential-process/,
  });
  await t.rejects(attempt({ AWS_PROFILE: 'deploy' }), {
    message: /deploy \(through source_profile ClaudeCode\)/,
  });
  for (const name of ['default', 'circle', 'other', 'missing'])
    await t.resolves(attempt({ AWS_PROFILE: name }), name);
  const keys = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
  await t.resolves(attempt(keys), 'keys come first');
  await t.rejects(
    attempt({ ...keys, AWS_PROFILE: 'ClaudeCode' }),
    { code: 'ERR_ADMIN_CREDENTIALS' },
    'a named profile before keys',
  );
});

t.test('the default profile is checked when none is named, and missing files are no error', async (t) => {
  const env = awsFiles(t, '[default]\ncredential_process = ~/claude-code-with-bedrock/credential-process\n');
  await t.rejects(refuseOwnProgram(env), { code: 'ERR_ADMIN_CREDENTIALS' });
  await t.resolves(
    refuseOwnProgram({ AWS_CONFIG_FILE: '/nonexistent/a', AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/b' }),
  );
});
