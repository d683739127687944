import t from 'tap';
import { deployTemplate, STACK, startAdminCloud } from '../fixtures/admin-cloud.ts';

const DENIED =
  'User: arn:aws:sts::123456789012:assumed-role/Administrator/ada is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::123456789012:role/x because no identity-based policy allows the iam:CreateRole action';

/** The last two lines: what went wrong and what to do. */
const last = (error: string): string => error.trimEnd().split('\n').slice(-2).join('\n');

t.test('a failed creation reports the first failed resource, its reason and the fix', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  aws.stacks.failing.set('AuthenticatedRole', { when: 'create', reason: DENIED });
  const { status, error, out } = await ccwb('deploy --yes --json');
  t.equal(status, 1);
  t.equal(
    last(error),
    `ccwb: ${STACK} was not created (ROLLBACK_COMPLETE): AuthenticatedRole (AWS::IAM::Role) CREATE_FAILED: ${DENIED} (ERR_STACK_FAILED)\n` +
      '  fix: have the permission in that reason added for the principal that deploys (ccwb deploy --print-permissions prints all of them), then run it again; the next ccwb deploy deletes what is left of the stack first',
  );
  t.match(error, / IdentityPoolRoles .* CREATE_FAILED Resource creation cancelled\n/);
  t.match(JSON.parse(out), { stacks: [], error: { code: 'ERR_STACK_FAILED' } });
});

t.test('the remains of a failed creation are shown with the reason, deleted and created again', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  aws.stacks.failing.set('OidcProvider', {
    when: 'create',
    reason: 'Provider with url https://company.okta.com already exists.',
  });
  const first = await ccwb('deploy --yes');
  t.match(last(first.error), /fix: that name is taken by something outside the stack/);
  aws.stacks.failing.clear();

  const looked = await ccwb('deploy --dry-run');
  t.equal(looked.status, 0, looked.error);
  t.match(
    looked.error,
    /ROLLBACK_COMPLETE: OidcProvider \(AWS::IAM::OIDCProvider\): Provider with url .* exists\.\n/,
  );
  t.equal(aws.stacks.find(STACK)?.status, 'ROLLBACK_COMPLETE', 'a dry run deletes nothing');

  const declined = await ccwb('deploy', { answers: ['y', 'n'] });
  t.match(declined.error, /not yes: Delete what is left of ccwb-ClaudeCode-auth and create it anew\?/);
  const again = await ccwb('deploy', { answers: ['y', 'y', 'y'] });
  t.equal(again.status, 0, again.error);
  t.match(again.error, / ccwb-ClaudeCode-auth \S+ DELETE_COMPLETE\n/);
  t.equal(aws.stacks.find(STACK)?.status, 'CREATE_COMPLETE');
});

t.test('an empty stack with an unexecuted change set can be deployed', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  aws.stacks.open(STACK);
  t.equal((await ccwb('deploy --dry-run')).status, 0);
  t.equal(aws.stacks.find(STACK)?.status, 'REVIEW_IN_PROGRESS', 'it was not ours to delete');
  t.equal((await ccwb('deploy --yes')).status, 0);
});

t.test('a failed update reports that the stack is unchanged', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  await ccwb('deploy --yes');
  aws.stacks.failing.set('AuthenticatedRole', {
    when: 'update',
    reason: 'Maximum policy size of 10240 bytes exceeded',
  });
  const { status, error } = await ccwb('deploy --yes --bedrock-regions us-east-1,us-west-2');
  t.equal(status, 1);
  t.match(
    last(error),
    /was not updated \(UPDATE_ROLLBACK_COMPLETE\): AuthenticatedRole \(AWS::IAM::Role\) UPDATE_FAILED: Maximum/,
  );
  t.match(
    last(error),
    /fix: correct what the reason names, then run it again; the stack is as it was before/,
  );
  aws.stacks.failing.clear();
  t.equal((await ccwb('deploy --yes --bedrock-regions us-east-1,us-west-2')).status, 0);
});

t.test('a failed rollback is continued before the deployment', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  await ccwb('deploy --yes');
  aws.stacks.failing.set('AuthenticatedRole', { when: 'rollback', reason: 'Role is gone' });
  const failed = await ccwb('deploy --yes --bedrock-regions us-west-2');
  t.match(
    last(failed.error),
    /\(UPDATE_ROLLBACK_FAILED\).*\n.*the next ccwb deploy continues the rollback first/,
  );
  const dry = await ccwb('deploy --dry-run --bedrock-regions us-west-2');
  t.match(last(dry.error), /is in the state UPDATE_ROLLBACK_FAILED.*\(ERR_STACK_STATE\)/);
  const stuck = await ccwb('deploy --yes --bedrock-regions us-west-2');
  t.match(last(stuck.error), /the rollback of \S+ failed again: Role is gone \(ERR_STACK_STATE\)/);
  aws.stacks.failing.clear();
  const { status, error } = await ccwb('deploy --bedrock-regions us-west-2', { answers: ['y', 'y', 'y'] });
  t.equal(status, 0, error);
  t.match(error, /\nContinue the rollback of ccwb-ClaudeCode-auth\? \[y\/N\] y\n/);
  t.equal(aws.stacks.find(STACK)?.status, 'UPDATE_COMPLETE');
});

t.test('a state that needs a person is reported with a fix', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  await ccwb('deploy --yes');
  const stack = aws.stacks.find(STACK);
  if (stack) stack.status = 'IMPORT_ROLLBACK_FAILED';
  const { status, error } = await ccwb('deploy --yes');
  t.equal(status, 1);
  t.match(last(error), /is in the state IMPORT_ROLLBACK_FAILED.*\(ERR_STACK_STATE\)\n {2}fix: bring it back/);
});

t.test('an operation in progress is followed to its end first', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  const interruption = new AbortController();
  aws.stacks.stepsPerLook = 1;
  const first = await ccwb('deploy --yes', {
    interruption,
    onSay: (text) => {
      if (text.includes('OidcProvider AWS::IAM::OIDCProvider CREATE_COMPLETE')) interruption.abort();
    },
  });
  t.equal(first.status, 1);
  t.match(
    last(first.error),
    /interrupted; ccwb-ClaudeCode-auth goes on in AWS.*\(ERR_STACK_PENDING\)\n {2}fix: run ccwb status/,
  );
  t.equal(aws.stacks.find(STACK)?.status, 'CREATE_IN_PROGRESS');
  const again = await ccwb('deploy --yes');
  t.equal(again.status, 0, again.error);
  t.match(again.error, /is being worked on already \(CREATE_IN_PROGRESS\): following that first\n/);
  t.match(again.error, /: no changes\n/);
});

t.test('Ctrl-C before the operation starts leaves nothing behind', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  const interruption = new AbortController();
  const { status, error } = await ccwb('deploy', {
    interruption,
    answers: ['y', ''],
    onSay: (text) => {
      if (text.includes(`Create ${STACK}?`)) interruption.abort();
    },
  });
  t.equal(status, 1);
  t.match(last(error), /\(ERR_INTERRUPTED\)/);
  t.equal(aws.count('ExecuteChangeSet'), 0);
  t.equal(aws.stacks.find(STACK), undefined, 'the empty stack is gone');
});

t.test('throttled calls are retried', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  aws.setFault('CreateChangeSet', { kind: 'error', code: 'Throttling' }, 2);
  aws.setFault('DescribeStackEvents', { kind: 'error', code: 'Throttling' }, 2);
  const { status, error } = await ccwb('deploy --yes');
  t.equal(status, 0, error);
  t.equal(aws.calls.filter(({ error: code }) => code === 'Throttling').length, 4);
});

t.test('a network outage during the operation does not end the deployment', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  const { status, error } = await ccwb('deploy --yes', {
    onSay: (text) => {
      if (text.includes('CREATE_IN_PROGRESS User Initiated'))
        aws.setFault('DescribeStacks', { kind: 'html' }, 3);
    },
  });
  t.equal(status, 0, error);
  t.match(
    error,
    /lacks a field: what answered is not AWS; ccwb-ClaudeCode-auth goes on in AWS, asking again\n/,
  );
});

t.test('after ten minutes of outage the command ends and reports that AWS continues', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  const { status, error } = await ccwb('deploy --yes', {
    onSay: (text) => {
      if (text.includes('CREATE_IN_PROGRESS User Initiated'))
        aws.setFault('DescribeStacks', { kind: 'html' });
    },
  });
  t.equal(status, 1);
  t.match(
    last(error),
    /what answered is not AWS; ccwb-ClaudeCode-auth goes on in AWS meanwhile \(ERR_AWS_UNREACHABLE\)\n {2}fix: check the network, VPN and proxy, .*; then ccwb status shows how it ended$/,
  );
});

t.test('credentials that expire meanwhile are reported, with the note that AWS continues', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  const { status, error } = await ccwb('deploy --yes', {
    onSay: (text) => {
      if (text.includes('CREATE_IN_PROGRESS User Initiated')) aws.expireAllCredentials();
    },
  });
  t.equal(status, 1);
  t.match(
    last(error),
    /\(ExpiredToken: .*\); ccwb-ClaudeCode-auth goes on in AWS meanwhile \(ERR_ADMIN_CREDENTIALS\)/,
  );
  t.match(last(error), /fix: sign in as an administrator .*; then ccwb status shows how it ended$/);
});

t.test('a missing permission is named in the last lines', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  const message =
    'User: arn:aws:sts::1:assumed-role/x is not authorized to perform: cloudformation:CreateChangeSet';
  aws.setFault('CreateChangeSet', { kind: 'error', code: 'AccessDenied', message, status: 403 });
  const { status, error } = await ccwb('deploy --yes');
  t.equal(status, 1);
  t.match(
    last(error),
    /AWS refused the template of \S+: User: .* cloudformation:CreateChangeSet \(ERR_ADMIN_DENIED\)/,
  );
});

t.test('an unreachable AWS is reported in two lines', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  await aws.stop();
  const { status, error } = await ccwb('deploy --yes');
  t.equal(status, 1);
  t.match(error, /^ccwb: AWS did not answer asking who calls \(.+\) \(ERR_AWS_UNREACHABLE\)\n {2}fix: .*\n$/);
});

const logGroup = { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/aws/claude-code/x/events' } };

t.test(
  'a name that exists is told from the failed validation, with the command that removes it',
  async (t) => {
    const cloud = await startAdminCloud(t);
    cloud.aws.stacks.outside.add('AWS::Logs::LogGroup /aws/claude-code/x/events');
    const { error } = await deployTemplate(cloud, { Resources: { Events: logGroup } });
    t.match(error, {
      code: 'ERR_TEMPLATE_INVALID',
      message:
        "CloudFormation made no change set for ccwb-Test-auth: Events (AWS::Logs::LogGroup): Resource of type 'AWS::Logs::LogGroup' with identifier '/aws/claude-code/x/events' already exists.",
      fix: /aws logs delete-log-group --log-group-name \/aws\/claude-code\/x\/events --region us-east-1; /,
    });
    t.equal(cloud.aws.stacks.find('ccwb-Test-auth'), undefined, 'nothing is left');
    cloud.aws.stacks.outside.clear();
    t.match((await deployTemplate(cloud, { Resources: { Events: logGroup } })).deployed, {
      result: 'created',
    });
  },
);

t.test(
  'without cloudformation:DescribeEvents the reason stays and the fix names the permission',
  async (t) => {
    const cloud = await startAdminCloud(t);
    cloud.aws.stacks.outside.add('AWS::Logs::LogGroup /aws/claude-code/x/events');
    cloud.aws.setFault('DescribeEvents', { kind: 'error', code: 'AccessDenied', message: 'no', status: 403 });
    const { error } = await deployTemplate(cloud, { Resources: { Events: logGroup } });
    t.match(error, {
      code: 'ERR_TEMPLATE_INVALID',
      message: /EarlyValidation::ResourceExistenceCheck/,
      fix: /^have cloudformation:DescribeEvents added/,
    });
  },
);

t.test('a provider that IAM has already leads to the setting for it, before anything changes', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  aws.stacks.outside.add('AWS::IAM::OIDCProvider https://company.okta.com');
  const { error } = await ccwb('deploy --yes');
  t.match(
    last(error),
    /OidcProvider .* already exists\. \(ERR_TEMPLATE_INVALID\)\n {2}fix: .* set providerRegistered to true/,
  );
  t.equal(aws.count('ExecuteChangeSet'), 0);
});
