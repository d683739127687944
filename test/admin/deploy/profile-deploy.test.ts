import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import type { AdminProfile } from '../../../admin/profiles/admin-profile.ts';
import { updateProfile, writeProfile } from '../../../admin/profiles/profile-store.ts';
import { STACKS } from '../../../infra/outputs.ts';
import { EVERYTHING, PROFILE } from '../../../tools/support/admin-profiles.ts';
import { OKTA, STACK, startAdminCloud, startProfileCloud } from '../fixtures/admin-cloud.ts';

const COMPLETE: AdminProfile = { ...PROFILE, infra: EVERYTHING };

/** The last two lines: what went wrong and what to do. */
const last = (error: string): string => error.trimEnd().split('\n').slice(-2).join('\n');

t.test('outputs are stored in the profile and removed with their stacks', async (t) => {
  const { ccwb, profile, env } = await startProfileCloud(t, COMPLETE);
  const { status, error, out } = await ccwb('deploy --yes --json');
  t.equal(status, 0, error);
  t.match(error, `profile      ClaudeCode (${join(env.CCWB_HOME, 'profiles/ClaudeCode.json')})\n`);
  t.match(
    error,
    /\nThe outputs of auth, networking, monitoring, dashboard and analytics are in profile ClaudeCode \(/,
  );
  const report = JSON.parse(out);
  t.match(report, { stored: true, configWritten: false, config: { identity_pool_id: /^us-east-1:/ } });
  const { outputs } = profile();
  t.strictSame(Object.keys(outputs), STACKS);
  for (const { stack, outputs: given } of report.stacks) t.strictSame(outputs[stack as 'auth'], given, stack);

  const stood = await ccwb('status --json');
  t.equal(stood.status, 0, stood.error);
  t.strictSame(
    JSON.parse(stood.out).stacks.map(({ outputs: given }: { outputs: object }) => given),
    STACKS.map((stack) => outputs[stack]),
  );
  const looked = await ccwb('destroy --dry-run');
  t.equal(looked.status, 0, looked.error);
  t.strictSame(profile().outputs, outputs, 'a dry run forgets nothing');
  await ccwb('destroy analytics dashboard --force');
  t.strictSame(Object.keys(profile().outputs), ['auth', 'networking', 'monitoring']);
  await ccwb('destroy --force');
  t.strictSame(profile(), COMPLETE, 'as it was before');
});

t.test('a dry run stores nothing and shows the changes of every stack', async (t) => {
  const { ccwb, profile, aws } = await startProfileCloud(t, COMPLETE);
  const { status, error } = await ccwb('deploy --dry-run');
  t.equal(status, 0, error);
  for (const stack of STACKS) t.match(error, `\nccwb-ClaudeCode-${stack} will be created:\n`);
  t.match(error, /\n {2}\+ AuthenticatedRole may bedrock:InvokeModel, /);
  t.match(error, /ccwb-ClaudeCode-monitoring needs VpcId of the stack networking, which is not deployed/);
  t.strictSame(profile(), COMPLETE);
  t.strictSame(
    aws.stacks.all.filter(({ status: one }) => one !== 'DELETE_COMPLETE'),
    [],
  );
});

t.test(
  'after a failed stack the outputs of earlier ones are stored and a retry continues there',
  async (t) => {
    const { ccwb, profile, aws } = await startProfileCloud(t, COMPLETE);
    aws.stacks.failing.set('Cluster', { when: 'create', reason: 'You have reached the limit of clusters' });
    const { status, error, out } = await ccwb('deploy --yes --json');
    t.equal(status, 1);
    t.match(error, /\nThe outputs of auth and networking are in profile ClaudeCode/);
    t.match(
      last(error),
      /^ccwb: ccwb-ClaudeCode-monitoring was not created \(ROLLBACK_COMPLETE\): Cluster \(AWS::ECS::Cluster\) CREATE_FAILED: You have reached the limit of clusters \(ERR_STACK_FAILED\)\n {2}fix: have the quota/,
    );
    t.match(JSON.parse(out), { stored: true, error: { code: 'ERR_STACK_FAILED' } });
    t.strictSame(Object.keys(profile().outputs), ['auth', 'networking']);
    aws.stacks.failing.clear();
    const again = await ccwb('deploy --yes');
    t.equal(again.status, 0, again.error);
    t.strictSame(Object.keys(profile().outputs), STACKS);
  },
);

t.test('an outage between two stacks is waited for, up to ten minutes', async (t) => {
  for (const [times, expected] of [
    [20, 0],
    [undefined, 1],
  ] as const) {
    const { ccwb, profile, aws } = await startProfileCloud(t, COMPLETE);
    const { status, error } = await ccwb('deploy --yes', {
      onSay: (text) => {
        if (text.includes('ccwb-ClaudeCode-auth will be created'))
          aws.setFault('CreateChangeSet', { kind: 'html' }, times);
      },
    });
    t.equal(status, expected, error);
    t.match(error, /what answered is not AWS; trying again\n/);
    if (expected === 1)
      t.match(last(error), /what answered is not AWS \(ERR_AWS_UNREACHABLE\)\n {2}fix: check the network/);
    t.strictSame(Object.keys(profile().outputs), expected === 1 ? ['auth'] : STACKS);
  }
});

t.test('a stack that could not be deleted keeps its outputs', async (t) => {
  const { ccwb, profile, aws } = await startProfileCloud(t, COMPLETE);
  await ccwb('deploy --yes');
  aws.stacks.failing.set('Cluster', { when: 'delete', reason: 'in use' });
  t.equal((await ccwb('destroy --force')).status, 1);
  t.strictSame(Object.keys(profile().outputs), ['auth', 'networking', 'monitoring']);
});

t.test('a change made to the file during a deployment is kept', async (t) => {
  const { ccwb, profile, env } = await startProfileCloud(t);
  await ccwb('deploy --yes', {
    onSay: (text) => {
      if (text.includes('AuthenticatedRole AWS::IAM::Role CREATE_COMPLETE'))
        updateProfile('ClaudeCode', env, (now) => ({ ...now, users: 77 }));
    },
  });
  t.match(profile(), { users: 77, outputs: { auth: { RoleArn: /^arn:/ } } });
});

t.test(
  'outputs of a deployment elsewhere are reported by status and stored by the next deploy',
  async (t) => {
    const { ccwb, profile, env } = await startProfileCloud(t);
    await ccwb('deploy --yes');
    updateProfile('ClaudeCode', env, (now) => ({ ...now, outputs: {} }));
    const { status, error } = await ccwb('status');
    t.equal(status, 0);
    t.match(
      error,
      /\nThe profile has other outputs of auth than the stacks: the next ccwb deploy, or destroy, puts/,
    );
    await ccwb('deploy --yes');
    t.match(profile().outputs, { auth: { RoleArn: /^arn:/ } });
    t.notMatch((await ccwb('status')).error, /has other outputs/);
  },
);

t.test('destroy removes the outputs of stacks that were deleted by other means', async (t) => {
  const { ccwb, profile, aws } = await startProfileCloud(t);
  await ccwb('deploy --yes');
  const stack = aws.stacks.find(STACK);
  if (stack) stack.status = 'DELETE_COMPLETE';
  t.match((await ccwb('status')).error, /has other outputs of auth/);
  const { status, error } = await ccwb('destroy');
  t.equal(status, 0, error);
  t.strictSame(profile(), PROFILE);
});

t.test('a deployed profile is refused with credentials of another account', async (t) => {
  const RoleArn = 'arn:aws:iam::999999999999:role/ccwb-ClaudeCode-auth-AuthenticatedRole-X';
  const { ccwb, aws, env, profile } = await startProfileCloud(t, {
    ...PROFILE,
    outputs: { auth: { RoleArn } },
  });
  for (const args of ['deploy --yes', 'status', 'destroy --force']) {
    const { status, error } = await ccwb(args);
    t.equal(status, 1);
    t.equal(
      error,
      'ccwb: profile ClaudeCode is deployed in the AWS account 999999999999, and these credentials are of 123456789012 (ERR_ADMIN_CREDENTIALS)\n' +
        `  fix: sign in to 999999999999, or name its profile in AWS_PROFILE; if that deployment is gone, empty outputs in ${join(env.CCWB_HOME, 'profiles/ClaudeCode.json')}\n`,
    );
  }
  t.equal(aws.count('DescribeStacks'), 0);
  t.match(profile().outputs, { auth: { RoleArn } });
});

t.test('flags override the profile for one run', async (t) => {
  const infra = { bedrock: { regions: ['us-east-1', 'us-west-2'], globalInference: false } };
  const { ccwb, profile, env } = await startProfileCloud(t, { ...PROFILE, infra });
  const template = async (flags = '') => (await ccwb(`deploy auth --show-template ${flags}`.trim())).out;
  const said = await template();
  t.match(said, '"us-west-2"');
  t.notMatch(await template('--bedrock-regions us-east-1'), '"us-west-2"');
  const file = join(env.CCWB_HOME, 'infra.json');
  writeFileSync(file, '{"accessGroups":{"claim":"groups","groups":["ai"]}}');
  const other = await template(`--infra ${file}`);
  t.match(other, 'groups');
  t.notMatch(other, '"us-west-2"', 'in the place of what the profile says, not beside it');
  t.strictSame(profile().infra, infra);
});

t.test('a field that AWS cannot take is named with the file of the profile', async (t) => {
  const cases = [
    [{ infra: { audit: { retentionDays: 0 } } }, /infra\.audit\.retentionDays is 0; .*ERR_CONFIG_INVALID/],
    [
      { infra: { bedrock: { regions: ['cn-north-1'] } } },
      /infra\.bedrock\.regions is \["cn-north-1"\]; allowed/,
    ],
    [
      {
        config: {
          ...PROFILE.config,
          federation_type: 'direct',
          max_session_duration: 43_200,
          client_id: 'a b',
        },
      },
      /profile ClaudeCode: client_id is "a b"; .*\n {2}fix: correct client_id in \S+ClaudeCode\.json\n/,
    ],
  ] as const;
  for (const [fields, message] of cases) {
    const { ccwb } = await startProfileCloud(t, { ...PROFILE, ...fields });
    const { status, error } = await ccwb('deploy auth --show-template');
    t.equal(status, 1);
    t.match(error, message);
  }
  const { ccwb } = await startProfileCloud(t);
  const { status, error } = await ccwb('deploy monitoring --dry-run');
  t.equal(status, 2);
  t.match(error, /asks for no monitoring stack, only for auth \(ERR_USAGE\)\n {2}fix: run ccwb init/);
});

t.test('direct federation can be deployed before its role exists', async (t) => {
  const direct = { ...PROFILE, config: { ...PROFILE.config, federation_type: 'direct' } };
  const { ccwb, profile } = await startProfileCloud(t, direct);
  const { status, error, out } = await ccwb('deploy --yes --json');
  t.equal(status, 0, error);
  t.match(JSON.parse(out).config, { federated_role_arn: /^arn:aws:iam::123456789012:role\/ccwb-/ });
  t.strictSame(Object.keys(profile().outputs.auth ?? {}), ['RoleArn']);
  t.equal((await ccwb('deploy --yes')).status, 0, 'and goes on with the one that it has then');
});

t.test('--role-arn is checked and passed to CloudFormation', async (t) => {
  const { ccwb, aws } = await startProfileCloud(t);
  const role = 'arn:aws:iam::123456789012:role/deploys-ccwb';
  t.equal((await ccwb(`deploy --yes --role-arn ${role}`)).status, 0);
  t.equal(aws.stacks.find(STACK)?.roleArn, role);
  await ccwb('deploy --yes --bedrock-regions us-west-2');
  t.equal(aws.stacks.find(STACK)?.roleArn, role, 'it stays the role of the stack');
  const wrong = await ccwb('deploy --yes --role-arn deploys-ccwb');
  t.equal(wrong.status, 2);
  t.match(wrong.error, /--role-arn is "deploys-ccwb"; allowed: the ARN of an IAM role .*\(ERR_USAGE\)\n/);
});

t.test('--write-config is refused for a profile before anything is done', async (t) => {
  const { ccwb, aws } = await startProfileCloud(t);
  const { status, error } = await ccwb('deploy --yes --write-config');
  t.equal(status, 2);
  t.match(
    error,
    /--write-config goes with --config FILE; .*\(ERR_USAGE\)\n {2}fix: leave --write-config out\n$/,
  );
  t.equal(aws.count('GetCallerIdentity'), 0);
});

t.test('a config.json is read when --config names it, or when there is no profile', async (t) => {
  const cloud = await startAdminCloud(t, { FromConfig: OKTA });
  const env = { CCWB_HOME: join(dirname(cloud.configPath), 'ccwb'), CCWB_CONFIG: cloud.configPath };
  const profileOf = async (args: string) =>
    /^profile +(\S+)/.exec((await cloud.ccwb(args, { env })).error)?.[1];
  t.equal(await profileOf('status'), 'FromConfig');
  writeProfile(PROFILE, env);
  t.equal(await profileOf('status'), 'ClaudeCode');
  t.equal(await profileOf(`status --config ${cloud.configPath}`), 'FromConfig');
});

t.test('without a profile the error names the commands that create one', async (t) => {
  const cloud = await startAdminCloud(t);
  const env = { CCWB_HOME: join(dirname(cloud.configPath), 'ccwb') };
  const { status, error } = await cloud.ccwb('deploy', { env });
  t.equal(status, 1);
  t.equal(
    error,
    `ccwb: there is no profile in ${join(env.CCWB_HOME, 'profiles')} (ERR_PROFILE_UNKNOWN)\n` +
      '  fix: run ccwb init to make one, or ccwb profiles import FILE\n',
  );
});

t.test('a profile that cannot be written fails the deployment and keeps its report', async (t) => {
  const { ccwb, env } = await startProfileCloud(t);
  const path = join(env.CCWB_HOME, 'profiles/ClaudeCode.json');
  const { status, error, out } = await ccwb('deploy --yes --json', {
    onSay: (text) => {
      if (text.includes('AuthenticatedRole AWS::IAM::Role CREATE_COMPLETE')) writeFileSync(path, '{');
    },
  });
  t.equal(status, 1);
  t.match(last(error), `ccwb: ${path} is not valid JSON (ERR_CONFIG_INVALID)`);
  t.match(JSON.parse(out), { stored: false, error: { code: 'ERR_CONFIG_INVALID' } });
  t.equal(readFileSync(path, 'utf8'), '{', 'what somebody wrote there is theirs');
});
