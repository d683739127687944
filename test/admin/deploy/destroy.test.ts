import t from 'tap';
import { deployTemplate, STACK, startAdminCloud } from '../fixtures/admin-cloud.ts';

t.test('destroy lists the resources, asks for the name and follows the deletion to the end', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  await ccwb('deploy --yes');
  const { status, out, error } = await ccwb('destroy', { answers: ['ccwb-ClaudeCode'] });
  t.equal(status, 0, error);
  t.match(
    error,
    /\nccwb-ClaudeCode-auth \(CREATE_COMPLETE\) will be deleted:\n {2}- OidcProvider \(IAM OIDCProvider\) \S+\n/,
  );
  t.match(error, /\nThis cannot be undone\. To delete it, type ccwb-ClaudeCode: ccwb-ClaudeCode\n/);
  t.match(error, / ccwb-ClaudeCode-auth AuthenticatedRole AWS::IAM::Role DELETE_COMPLETE\n/);
  t.equal(out, `${STACK}  deleted\n`);
  t.equal(aws.stacks.find(STACK), undefined);
});

t.test('destroying a missing stack is no error', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  for (const args of ['destroy', 'destroy --yes', 'destroy --force']) {
    const { status, out, error } = await ccwb(args);
    t.equal(status, 0, error);
    t.equal(out, '');
    t.match(error, /\nNo stack of ccwb-ClaudeCode is there\.\n/);
  }
  const named = await ccwb('destroy auth');
  t.strictSame([named.status, named.out], [0, `${STACK}  absent\n`]);
  t.equal(aws.count('DeleteStack'), 0);
});

t.test('a wrong name, a missing terminal or a dry run deletes nothing', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  await ccwb('deploy --yes');
  const wrong = await ccwb('destroy', { answers: ['yes'] });
  t.match(wrong.error, /\(ERR_DECLINED\)/);
  t.equal(wrong.status, 1);
  const piped = await ccwb('destroy');
  t.match(piped.error, /\(ERR_USAGE\)\n {2}fix: add --yes if it is meant/);
  t.equal(piped.status, 2);
  const dry = await ccwb('destroy --dry-run --json');
  t.match(JSON.parse(dry.out), { deployment: 'ccwb-ClaudeCode', stacks: [{ result: 'planned', keeps: [] }] });
  t.equal(aws.count('DeleteStack'), 0);
});

t.test('a resource that cannot be deleted is reported with its reason, and a retry continues', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  await ccwb('deploy --yes');
  aws.stacks.failing.set('AuthenticatedRole', {
    when: 'delete',
    reason: 'Cannot delete entity, must detach all policies first.',
  });
  const { status, error, out } = await ccwb('destroy --yes --json');
  t.equal(status, 1);
  t.match(
    error,
    /was not deleted \(DELETE_FAILED\): AuthenticatedRole \(AWS::IAM::Role\) DELETE_FAILED: Cannot delete/,
  );
  t.match(
    error,
    /fix: remove what keeps the resource from being deleted, .*; the next ccwb destroy tries again; with --keep-failed that resource stays and the rest goes\n$/,
  );
  t.match(JSON.parse(out), { stacks: [], error: { code: 'ERR_STACK_FAILED' } });
  const deploy = await ccwb('deploy --dry-run');
  t.match(deploy.error, /is in the state DELETE_FAILED: AuthenticatedRole/);
  aws.stacks.failing.clear();
  const again = await ccwb('destroy --yes');
  t.equal(again.status, 0, again.error);
  t.match(
    again.error,
    /\(DELETE_FAILED\) will be deleted:\n {2}- AuthenticatedRole \(IAM Role\) \S+\n\S+Z/,
    'only what is left',
  );
});

t.test('a stack with termination protection is not deleted', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  await ccwb('deploy --yes');
  const stack = aws.stacks.find(STACK);
  if (stack) stack.protected = true;
  const { status, error } = await ccwb('destroy --yes');
  t.equal(status, 1);
  t.match(
    error,
    /ccwb-ClaudeCode-auth is protected against termination \(ERR_STACK_STATE\)\n {2}fix: if it shall go: aws cloud/,
  );
  t.equal(aws.count('DeleteStack'), 0);
});

t.test('a deletion in progress is followed to its end', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  await ccwb('deploy --yes');
  aws.stacks.stepsPerLook = 1;
  const interruption = new AbortController();
  const first = await ccwb('destroy --yes', {
    interruption,
    onSay: (text) => {
      if (text.includes(' DELETE_IN_PROGRESS')) interruption.abort();
    },
  });
  t.match(
    first.error,
    /interrupted; ccwb-ClaudeCode-auth goes on in AWS \(DELETE_IN_PROGRESS\) \(ERR_STACK_PENDING\)/,
  );
  const again = await ccwb('destroy --yes');
  t.equal(again.status, 0, again.error);
  t.match(again.error, /\(DELETE_IN_PROGRESS, which is waited for\)/);
});

t.test('retained resources are listed and stay in the account', async (t) => {
  const cloud = await startAdminCloud(t);
  const Resources = {
    Logs: { Type: 'AWS::S3::Bucket', DeletionPolicy: 'Retain' },
    Topic: { Type: 'AWS::SNS::Topic' },
  };
  await deployTemplate(cloud, { Resources });
  const stack = cloud.aws.stacks.find('ccwb-Test-auth');
  if (stack) Object.assign(stack, { name: STACK });
  const { error, out } = await cloud.ccwb('destroy --yes');
  t.match(error, /- Topic \(SNS Topic\).*\nWhat stays in the account:\n {2}= Logs \(S3 Bucket\) /);
  t.match(error, / Logs AWS::S3::Bucket DELETE_SKIPPED\n/);
  t.match(
    out,
    /^ccwb-ClaudeCode-auth {2}deleted\n {2}stays: S3 Bucket (ccwb-Test-auth-Logs-\w+)\n {4}to delete it with all that is in it: ccwb destroy --profile ClaudeCode --delete-bucket \1\n$/,
  );
});

t.test('--keep-failed deletes the stack without what resists, and names what is left', async (t) => {
  const cloud = await startAdminCloud(t);
  const bucket = { Type: 'AWS::S3::Bucket' };
  await deployTemplate(cloud, { Resources: { Logs: bucket, Topic: { Type: 'AWS::SNS::Topic' } } });
  const stack = cloud.aws.stacks.find('ccwb-Test-auth');
  if (stack) Object.assign(stack, { name: STACK });
  cloud.aws.stacks.filled.add(stack?.resources.get('Logs')?.physicalId ?? '');
  const refused = await cloud.ccwb('destroy --yes');
  t.match(
    refused.error,
    /Logs \(AWS::S3::Bucket\) DELETE_FAILED: The bucket you tried to delete is not empty/,
  );
  const { status, out, error } = await cloud.ccwb('destroy --yes --keep-failed');
  t.equal(status, 0, error);
  t.match(out, /^ccwb-ClaudeCode-auth {2}deleted\n {2}stays: S3 Bucket ccwb-Test-auth-Logs-/);
  t.equal(cloud.aws.stacks.find(STACK), undefined);
});

t.test('--keep-failed leaves a resource of any type that cannot be deleted', async (t) => {
  const { ccwb, aws } = await startAdminCloud(t);
  await ccwb('deploy --yes');
  aws.stacks.failing.set('AuthenticatedRole', { when: 'delete', reason: 'Cannot delete entity' });
  const { status, out, error } = await ccwb('destroy --yes --keep-failed --json');
  t.equal(status, 0, error);
  t.match(JSON.parse(out), { stacks: [{ result: 'deleted', left: [{ type: 'AWS::IAM::Role' }] }] });
  t.equal(aws.stacks.find(STACK), undefined);
});

t.test('--delete-bucket takes buckets of the deployment only', async (t) => {
  const { ccwb } = await startAdminCloud(t);
  const { status, error } = await ccwb('destroy --delete-bucket payroll');
  t.equal(status, 2);
  t.match(
    error,
    /--delete-bucket is "payroll"; allowed: a bucket that a stack of ccwb-ClaudeCode left \(ERR_USAGE\)/,
  );
  const dry = await ccwb('destroy --dry-run --delete-bucket ccwb-claudecode-auth-auditbucket-1a2b');
  t.equal(dry.status, 0, dry.error);
  t.match(
    dry.error,
    /The bucket ccwb-claudecode-auth-auditbucket-1a2b will be deleted, WITH EVERYTHING IN IT\.\n/,
  );
});
