import t from 'tap';
import { STACKS, stackName } from '../../../infra/outputs.ts';
import { STACK, startAdminCloud } from '../fixtures/admin-cloud.ts';

t.test('status shows each stack with its outputs and its last drift result', async (t) => {
  const { ccwb } = await startAdminCloud(t);
  const before = await ccwb('status');
  const names = STACKS.map((stack) => stackName('ClaudeCode', stack));
  t.strictSame([before.status, before.out], [0, names.map((name) => `${name}  NOT_DEPLOYED\n`).join('')]);
  await ccwb('deploy --yes');
  const { status, out } = await ccwb('status');
  t.equal(status, 0);
  t.match(
    out,
    /^ccwb-ClaudeCode-auth {2}CREATE_COMPLETE\n {2}changed +\d{4}-\d\d-\d\d \d\d:\d\d UTC \(\d+ \w+ ago\)\n/,
  );
  t.match(out, /\n {2}drift +not looked for\n {2}IdentityPoolId {2}us-east-1:/);
  t.match(out, /\n {2}RoleArn +arn:aws:iam::123456789012:role\//);
});

t.test('status prints JSON with --json', async (t) => {
  const { ccwb } = await startAdminCloud(t);
  await ccwb('deploy --yes');
  const { out } = await ccwb('status --json');
  t.match(JSON.parse(out), {
    profile: 'ClaudeCode',
    account: '123456789012',
    region: 'us-east-1',
    caller: /^arn:aws:sts::/,
    stacks: [
      {
        stack: 'auth',
        name: STACK,
        status: 'CREATE_COMPLETE',
        changedAt: /^\d{4}-.*Z$/,
        drift: 'NOT_CHECKED',
        outputs: { RoleArn: /^arn:/, IdentityPoolId: /^us-east-1:/ },
      },
    ],
  });
});

t.test('a stack in a failed state is shown with the reason', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  aws.stacks.failing.set('IdentityPool', { when: 'create', reason: 'You have exceeded the quota' });
  await ccwb('deploy --yes');
  const { out } = await ccwb('status');
  t.match(
    out,
    /ROLLBACK_COMPLETE\n {2}problem +IdentityPool \(AWS::Cognito::IdentityPool\): You have exceeded the quota\n/,
  );
});

t.test('drift is detected with --drift', async (t) => {
  const { ccwb } = await startAdminCloud(t);
  await ccwb('deploy --yes');
  const { out, error, status } = await ccwb('status --drift');
  t.equal(status, 0, error);
  t.match(out, /\n {2}drift +CHANGED by other means than deployment\n/);
});
