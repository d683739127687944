import t, { type Test } from 'tap';
import type { AdminProfile } from '../../../admin/profiles/admin-profile.ts';
import { PROFILE } from '../../../tools/support/admin-profiles.ts';
import { STACK, startProfileCloud, useOwnClock } from '../fixtures/admin-cloud.ts';
import { type Ended, shell } from '../fixtures/program.ts';

/** What a pipeline runs; each part only when the one before ended with 0. */
const CHAIN = 'ccwb deploy --yes && ccwb status --json && ccwb destroy --force';

const DENIED =
  'User: arn:aws:sts::123456789012:assumed-role/Administrator/ada is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::123456789012:role/x because no identity-based policy allows the iam:CreateRole action';
const TAKEN = 'Provider with url https://company.okta.com already exists.';

/** The last two lines: what went wrong and what to do. */
const last = (error: string): string => error.trimEnd().split('\n').slice(-2).join('\n');

/** The real program without a terminal, with a profile and an account of its own. */
async function pipeline(t: Test, profile: AdminProfile = PROFILE) {
  const cloud = await startProfileCloud(t, profile);
  cloud.aws.stacks.stepsPerLook = 50;
  useOwnClock(cloud);
  const { credentials } = cloud.settings();
  const env = {
    ...cloud.env,
    AWS_ENDPOINT_URL: cloud.aws.url,
    AWS_ACCESS_KEY_ID: credentials?.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials?.secretAccessKey,
    AWS_SESSION_TOKEN: credentials?.sessionToken,
  };
  return {
    ...cloud,
    run: (line: string, onError?: (said: string) => void): Promise<Ended> => shell(line, env, onError),
  };
}

t.test('deploy, status and destroy in one line end with 0 and leave the profile unchanged', async (t) => {
  const { run, profile, aws } = await pipeline(t);
  const { status, out, error } = await run(CHAIN);
  t.equal(status, 0, error);
  t.match(
    out,
    /^ccwb-ClaudeCode-auth {2}created\n.*\n\{\n {2}"profile": "ClaudeCode".*\nccwb-ClaudeCode-auth {2}deleted\n$/s,
  );
  t.strictSame(profile(), PROFILE);
  t.equal(aws.stacks.find(STACK), undefined);
  t.equal(aws.count('DeleteStack'), 1);
});

t.test('a denied permission ends the line with 1 and is named in the last lines', async (t) => {
  const { run, aws, profile } = await pipeline(t);
  aws.stacks.failing.set('AuthenticatedRole', { when: 'create', reason: DENIED });
  const { status, out, error } = await run(CHAIN);
  t.equal(status, 1);
  t.equal(
    last(error),
    `ccwb: ${STACK} was not created (ROLLBACK_COMPLETE): AuthenticatedRole (AWS::IAM::Role) CREATE_FAILED: ${DENIED} (ERR_STACK_FAILED)\n` +
      '  fix: have the permission in that reason added for the principal that deploys (ccwb deploy --print-permissions prints all of them), then run it again; the next ccwb deploy deletes what is left of the stack first',
  );
  t.equal(out, '', 'neither status nor destroy ran');
  t.strictSame(profile().outputs, {});
  aws.stacks.failing.clear();
  t.equal((await run(CHAIN)).status, 0, 'the same line again mends it');
});

t.test('a provider that is already registered is reported with the setting for it', async (t) => {
  const { run, aws } = await pipeline(t);
  aws.stacks.failing.set('OidcProvider', { when: 'create', reason: TAKEN });
  const { status, error } = await run(CHAIN);
  t.equal(status, 1);
  t.match(last(error), `OidcProvider (AWS::IAM::OIDCProvider) CREATE_FAILED: ${TAKEN} (ERR_STACK_FAILED)\n`);
  t.match(last(error), /where that registration shall be used, set providerRegistered to true/);
});

t.test('an update that is rolled back leaves the stack and its outputs', async (t) => {
  const { run, aws, profile } = await pipeline(t);
  t.equal((await run('ccwb deploy --yes')).status, 0);
  const before = profile();
  const reason = 'Maximum policy size of 10240 bytes exceeded';
  aws.stacks.failing.set('AuthenticatedRole', { when: 'update', reason });
  const { status, error } = await run(
    'ccwb deploy --yes --bedrock-regions us-west-2 && ccwb destroy --force',
  );
  t.equal(status, 1);
  t.match(
    last(error),
    `${STACK} was not updated (UPDATE_ROLLBACK_COMPLETE): AuthenticatedRole (AWS::IAM::Role) UPDATE_FAILED: ${reason} (ERR_STACK_FAILED)\n`,
  );
  t.strictSame(profile(), before);
});

t.test('a network outage of seconds does not end the deployment', async (t) => {
  const network = {
    type: 'existing',
    vpcId: 'vpc-0123456789abcdef0',
    taskSubnetIds: ['subnet-0123456789abcdef0'],
    loadBalancerSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
  } as const;
  const { run, aws, profile } = await pipeline(t, { ...PROFILE, infra: { monitoring: { network } } });
  let back: Promise<void> | undefined;
  const { status, error } = await run('ccwb deploy --yes', (said) => {
    if (back !== undefined || !/ccwb-ClaudeCode-auth .* CREATE_COMPLETE/.test(said)) return;
    back = aws.stop().then(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await aws.start();
    });
  });
  await back;
  t.equal(status, 0, error);
  t.strictSame(Object.keys(profile().outputs), ['auth', 'monitoring', 'dashboard']);
});

t.test('expired credentials end the command with a fix', async (t) => {
  const { run, aws } = await pipeline(t);
  const { status, error } = await run('ccwb deploy --yes', (said) => {
    if (said.includes('CREATE_IN_PROGRESS User Initiated')) aws.expireAllCredentials();
  });
  // How far it was by then is the machine's affair.
  if (status !== 0)
    t.match(last(error), /\(ExpiredToken: .*\(ERR_ADMIN_CREDENTIALS\)\n {2}fix: sign in as an admin/);
  const again = await run(CHAIN);
  t.equal(again.status, 1);
  t.match(
    again.error,
    /^ccwb: AWS does not take these credentials \(ExpiredToken: .*\(ERR_ADMIN_CREDENTIALS\)\n {2}fix: sign in as an administrator \(aws sso login\)/,
  );
});

t.test('wrong usage ends with 2: a missing yes, an unknown stack, no name for a profile', async (t) => {
  const { run, aws } = await pipeline(t);
  for (const [line, message] of [
    ['ccwb deploy', /no terminal to ask at: Continue\? \(ERR_USAGE\)\n {2}fix: add --yes /],
    ['ccwb deploy everything --yes', /no stack "everything"; allowed: auth, networking/],
    ['ccwb status --profile a/b', /"a\/b" is no name for a profile/],
  ] as const) {
    const { status, error } = await run(line);
    t.equal(status, 2, line);
    t.match(last(error), message);
  }
  t.equal(aws.count('CreateChangeSet'), 0);
});
