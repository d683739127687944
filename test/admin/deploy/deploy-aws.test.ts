import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { OKTA, STACK, startAdminCloud } from '../fixtures/admin-cloud.ts';

const LOGICAL_IDS = [
  'OidcProvider',
  'IdentityPool',
  'AuthenticatedRole',
  'IdentityPoolRoles',
  'PrincipalTags',
];

t.test(
  'a first deployment shows caller and changes, asks, shows progress and prints the outputs',
  async (t) => {
    const { ccwb, aws } = await startAdminCloud(t);
    const { status, out, error } = await ccwb('deploy', { answers: ['y', 'yes'] });
    t.equal(status, 0, error);
    t.match(error, /^profile {6}ClaudeCode .*\nAWS account {2}123456789012\nregion {7}us-east-1\n/);
    t.match(error, /\nas {11}arn:aws:sts::123456789012:assumed-role\/Administrator\/ada@example\.com\n/);
    t.match(error, /\nContinue\? \[y\/N\] y\n/);
    t.ok(error.indexOf('Continue?') < error.indexOf('will be created:'), 'asks before anything is made');
    for (const id of LOGICAL_IDS) t.match(error, `  + ${id} (`);
    t.match(error, / \+ cognito-identity\.amazonaws\.com may take the role AuthenticatedRole .* where /);
    t.match(
      error,
      / \+ AuthenticatedRole may bedrock:InvokeModel, .* where aws:RequestedRegion is us-east-1\n/,
    );
    t.match(error, `\nCreate ${STACK}? [y/N] yes\n`);
    t.match(error, /\n\S+Z ccwb-ClaudeCode-auth AuthenticatedRole AWS::IAM::Role CREATE_COMPLETE\n/);
    t.match(error, /"identity_pool_id": "us-east-1:[\w-]{36}"\n$/, 'what belongs into config.json');
    t.match(
      out,
      /^ccwb-ClaudeCode-auth {2}created\n {2}IdentityPoolId {2}us-east-1:\S+\n {2}RoleArn +arn:aws:iam::/,
    );
    t.equal(aws.stacks.find(STACK)?.status, 'CREATE_COMPLETE');
  },
);

t.test('every event is shown once and in order, even over several pages', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  aws.stacks.pageSize = 2;
  aws.stacks.stepsPerLook = 5;
  const { error } = await ccwb('deploy --yes');
  const shown = [...error.matchAll(/^\S+Z ccwb-ClaudeCode-auth (\S+) \S+ ([A-Z_]+)/gm)].map(
    ([, id, s]) => `${id} ${s}`,
  );
  const happened = (aws.stacks.find(STACK)?.events ?? []).slice(1).map((e) => `${e.logicalId} ${e.status}`);
  t.strictSame(shown, happened);
});

t.test('a second deployment changes nothing and says so', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  await ccwb('deploy --yes');
  const events = aws.stacks.find(STACK)?.events.length;
  const { status, out, error } = await ccwb('deploy --yes --json');
  t.equal(status, 0);
  t.match(error, 'ccwb-ClaudeCode-auth: no changes\n');
  t.match(JSON.parse(out), { stacks: [{ result: 'unchanged', changes: [], outputs: { RoleArn: /^arn:/ } }] });
  t.equal(aws.stacks.find(STACK)?.events.length, events, 'nothing happened in AWS');
  t.equal(aws.stacks.find(STACK)?.changeSets.size, 0, 'the empty change set is gone');
});

t.test('an update shows changed resources and changed permissions', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  await ccwb('deploy --yes');
  const { status, error, out } = await ccwb('deploy --json --bedrock-regions us-east-1,us-west-2', {
    answers: ['y', 'y'],
  });
  t.equal(status, 0, error);
  t.match(error, '\n  ~ AuthenticatedRole (IAM Role) changes: Policies\n');
  t.notMatch(error, /\+ OidcProvider/);
  t.match(
    error,
    /\n {2}~ AuthenticatedRole may bedrock:InvokeModel, .*\n {6}- until now where aws:RequestedRegion is us-east-1\n/,
  );
  t.match(error, /\n {6}\+ from now on where aws:RequestedRegion is us-east-1 or us-west-2\n/);
  t.match(JSON.parse(out), {
    account: '123456789012',
    region: 'us-east-1',
    stacks: [
      { stack: 'auth', name: STACK, result: 'updated', changes: [{ logicalId: 'AuthenticatedRole' }] },
    ],
  });
  t.equal(aws.stacks.find(STACK)?.status, 'UPDATE_COMPLETE');
});

t.test('a dry run leaves nothing behind, with and without an existing stack', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  const first = await ccwb('deploy --dry-run --json');
  t.equal(first.status, 0, first.error);
  t.match(JSON.parse(first.out).stacks, [{ result: 'planned', changes: { length: 5 } }]);
  t.equal(aws.stacks.find(STACK), undefined, 'the empty stack is gone');
  await ccwb('deploy --yes');
  const second = await ccwb('deploy --dry-run --no-global-inference');
  t.match(second.error, /~ AuthenticatedRole .*Policies\n/);
  t.equal(aws.stacks.find(STACK)?.status, 'CREATE_COMPLETE');
  t.equal(aws.stacks.find(STACK)?.changeSets.size, 0);
});

t.test('a no ends the deployment, before a change set is created and after it is shown', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  const first = await ccwb('deploy', { answers: ['n'] });
  t.equal(first.status, 1);
  t.match(first.error, /\(ERR_DECLINED\)\n {2}fix: /);
  t.equal(aws.count('CreateChangeSet'), 0);
  const second = await ccwb('deploy', { answers: ['y', ''] });
  t.equal(second.status, 1);
  t.match(second.error, /not yes: Create ccwb-ClaudeCode-auth\? \(ERR_DECLINED\)/);
  t.equal(aws.stacks.find(STACK), undefined, 'no empty stack stays behind');
});

t.test('without a terminal the deployment fails and names --yes', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  const { status, error } = await ccwb('deploy');
  t.equal(status, 2);
  t.match(error, /no terminal to ask at: Continue\? \(ERR_USAGE\)\n {2}fix: add --yes /);
  t.equal(aws.count('CreateChangeSet'), 0);
});

t.test('an identity pool in use is removed only after a second yes', async (t) => {
  const { ccwb, aws, configPath } = await startAdminCloud(t);
  await ccwb('deploy --yes');
  const direct = {
    ...OKTA,
    identity_pool_id: undefined,
    federated_role_arn: 'arn:aws:iam::123456789012:role/x',
  };
  writeFileSync(configPath, JSON.stringify({ profiles: { ClaudeCode: direct } }));

  const refused = await ccwb('deploy --yes');
  t.equal(refused.status, 1);
  t.match(refused.error, /ATTENTION.*\n {2}! IdentityPool \(Cognito IdentityPool\) is removed: everybody/);
  t.match(refused.error, /\(ERR_REPLACEMENT\)\n {2}fix: add --allow-replacement/);
  const declined = await ccwb('deploy --yes', { answers: ['y', 'n'].slice(1) });
  t.match(declined.error, /not yes: Take it away all the same\? \(ERR_DECLINED\)/);
  t.equal(aws.stacks.find(STACK)?.status, 'CREATE_COMPLETE');

  const allowed = await ccwb('deploy --yes --allow-replacement --write-config');
  t.equal(allowed.status, 0, allowed.error);
  t.match(allowed.error, /federated_role_arn of profile ClaudeCode into /);
  t.notOk(aws.stacks.find(STACK)?.resources.has('IdentityPool'));
});

t.test('--write-config sets the field, keeps all others and keeps the old file as a copy', async (t) => {
  const { ccwb, config, configPath } = await startAdminCloud(t);
  const before = readFileSync(configPath, 'utf8');
  const { status, error, out } = await ccwb('deploy --yes --json --write-config');
  t.equal(status, 0, error);
  const pool = JSON.parse(out).config.identity_pool_id;
  t.match(pool, /^us-east-1:[\w-]{36}$/);
  t.equal(JSON.parse(out).configWritten, true);
  t.strictSame(config().profiles.ClaudeCode, { ...OKTA, identity_pool_id: pool });
  t.equal(readFileSync(`${configPath}.bak`, 'utf8'), before);
  const again = await ccwb('deploy --yes --write-config');
  t.match(again.error, /config\.json has identity_pool_id of profile ClaudeCode already\n/);
  t.equal(readFileSync(`${configPath}.bak`, 'utf8'), before, 'nothing was written the second time');
});

t.test('lines fit a terminal of 80 columns', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  aws.stacks.failing.set('AuthenticatedRole', { when: 'create', reason: `x ${'reason '.repeat(30)}` });
  const { error } = await ccwb('deploy --yes', { columns: 80 });
  const [progress = ''] = error.split('\nccwb: ');
  const long = progress
    .split('\n')
    .filter((line) => line.length > 80 && !/\S{60}/.test(line) && !line.startsWith('profile'));
  t.strictSame(long, []);
  t.match(progress, /\n {2}\d\d:\d\d:\d\d {2}create FAILED +AuthenticatedRole \(IAM Role\)\n {12}x reason/);
});
