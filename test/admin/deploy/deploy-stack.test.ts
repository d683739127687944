import t from 'tap';
import { MAX_TEMPLATE_BYTES } from '../../../admin/deploy/stack-plan.ts';
import { deployTemplate, startAdminCloud } from '../fixtures/admin-cloud.ts';

const NAME = 'ccwb-Test-auth';
const topic = { Type: 'AWS::SNS::Topic' };
const bucket = (BucketName?: string) => ({
  Type: 'AWS::S3::Bucket',
  DeletionPolicy: 'Retain',
  Properties: { BucketName },
});

t.test('a changed value of a parameter updates the stack', async (t) => {
  const cloud = await startAdminCloud(t);
  const template = {
    Parameters: { VpcId: { Type: 'String' } },
    Resources: { Topic: { ...topic, Properties: { TopicName: { Ref: 'VpcId' } } } },
    Outputs: { Given: { Value: { Ref: 'VpcId' } } },
  };
  const value = { VpcId: { value: 'vpc-1' } };
  const { deployed } = await deployTemplate(cloud, template, {}, {}, value);
  t.match(deployed, { result: 'created', outputs: { Given: 'vpc-1' } });
  const same = await deployTemplate(cloud, template, {}, {}, value);
  t.match(same.deployed, { result: 'unchanged' });
  const other = await deployTemplate(cloud, template, {}, {}, { VpcId: { value: 'vpc-2' } });
  t.match(other.deployed, { result: 'updated', outputs: { Given: 'vpc-2' } });
});

t.test('a stack that needs a missing stack names the one to deploy first', async (t) => {
  const cloud = await startAdminCloud(t);
  const template = { Parameters: { VpcId: { Type: 'String' } }, Resources: { Topic: topic } };
  const input = { VpcId: { stack: 'auth', output: 'VpcId' } } as const;
  const { error } = await deployTemplate(cloud, template, {}, {}, input);
  t.match(error, {
    code: 'ERR_STACK_STATE',
    message: /needs VpcId of the stack auth/,
    fix: /run ccwb deploy auth first/,
  });
  const dry = await deployTemplate(cloud, template, { dryRun: true }, {}, input);
  t.match(dry.deployed, { result: 'planned', changes: [{ action: 'Add', logicalId: 'Topic' }] });
  t.match(dry.said, /what follows is its template, not a change set\n/);
  t.equal(cloud.aws.count('CreateChangeSet'), 0);
});

t.test('an update of outputs alone is made, and reports that nothing else changes', async (t) => {
  const cloud = await startAdminCloud(t);
  await deployTemplate(cloud, { Resources: { Topic: topic } });
  const { deployed, said } = await deployTemplate(cloud, {
    Resources: { Topic: topic },
    Outputs: { Name: { Value: { Ref: 'Topic' } } },
  });
  t.match(deployed, { result: 'updated', changes: [], outputs: { Name: /^ccwb-Test-auth-Topic-/ } });
  t.match(
    said,
    / will be updated:\n {2}nothing but outputs, descriptions or metadata\nWho may do what stays as it is\.\n/,
  );
});

t.test('changes of many resources are read from all pages', async (t) => {
  const cloud = await startAdminCloud(t);
  cloud.aws.stacks.pageSize = 7;
  cloud.aws.stacks.stepsPerLook = 50;
  const Resources = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`Topic${index}`, topic]));
  const { deployed } = await deployTemplate(cloud, { Resources });
  t.equal(deployed?.changes.length, 40);
});

t.test('replacing a retained bucket is shown with a warning and needs its own yes', async (t) => {
  const cloud = await startAdminCloud(t);
  await deployTemplate(cloud, { Resources: { Logs: bucket('one') } });
  const next = { Resources: { Logs: bucket('two') } };
  const refused = await deployTemplate(cloud, next);
  t.match(refused.error, {
    code: 'ERR_REPLACEMENT',
    message: /Logs \(S3 Bucket\) is replaced: the new one is empty/,
  });
  t.match(refused.said, /\n {2}! Logs \(S3 Bucket\) is REPLACED by a new one: BucketName\n/);
  t.match(refused.said, /\nATTENTION, this takes away what is in use:\n {2}! Logs/);
  const allowed = await deployTemplate(cloud, next, { yes: false }, { answers: ['y', 'y'] });
  t.match(allowed.deployed, { result: 'updated' });
  t.match(allowed.said, /Take it away all the same\? \[y\/N\] y\n\nUpdate ccwb-Test-auth\? \[y\/N\] y\n/);
});

t.test('a retained bucket that leaves the stack is reported as staying', async (t) => {
  const cloud = await startAdminCloud(t);
  await deployTemplate(cloud, {
    Resources: { Logs: { ...bucket(), DeletionPolicy: 'RetainExceptOnCreate' }, Topic: topic },
  });
  const { said, deployed } = await deployTemplate(cloud, { Resources: { Topic: topic } });
  t.match(said, / - Logs \(S3 Bucket\) leaves the stack and stays in the account\n/);
  t.match(deployed, { result: 'updated' });
});

t.test('replacing a role that config.json files name needs its own yes', async (t) => {
  const cloud = await startAdminCloud(t);
  const template = (path: string) => ({
    Resources: { Users: { Type: 'AWS::IAM::Role', Properties: { Path: path } } },
    Outputs: { RoleArn: { Value: { 'Fn::GetAtt': ['Users', 'Arn'] } } },
  });
  await deployTemplate(cloud, template('/a/'));
  const { error } = await deployTemplate(cloud, template('/b/'), { configOutputs: ['RoleArn'] });
  t.match(error, { code: 'ERR_REPLACEMENT', message: /config\.json files in use name it/ });
  t.match((await deployTemplate(cloud, template('/b/'))).deployed, { result: 'updated' });
});

t.test('a template with named roles is deployed with the capability it needs', async (t) => {
  const cloud = await startAdminCloud(t);
  const named = { Type: 'AWS::IAM::Role', Properties: { RoleName: 'x' } };
  t.match((await deployTemplate(cloud, { Resources: { Named: named } })).deployed, { result: 'created' });
});

t.test('a template that is too long is refused before anything is sent', async (t) => {
  const cloud = await startAdminCloud(t);
  const Resources = { Topic: { ...topic, Properties: { DisplayName: 'x'.repeat(MAX_TEMPLATE_BYTES) } } };
  const { error } = await deployTemplate(cloud, { Resources });
  t.match(error, {
    code: 'ERR_TEMPLATE_INVALID',
    message: /has 5\d{4} bytes; CloudFormation takes at most 51200/,
  });
  t.equal(cloud.aws.count('DescribeStacks'), 0);
});

t.test(
  'a template that CloudFormation rejects is reported with its reason and leaves nothing behind',
  async (t) => {
    const cloud = await startAdminCloud(t);
    const Resources = { Topic: { ...topic, Properties: { TopicName: { Ref: 'Nobody' } } } };
    const { error } = await deployTemplate(cloud, { Resources });
    t.match(error, { code: 'ERR_TEMPLATE_INVALID', message: /Unresolved resource dependencies \[Nobody\]/ });
    t.equal(cloud.aws.stacks.find(NAME), undefined);
  },
);

t.test('a request whose reply is lost is sent again and executed once', async (t) => {
  const cloud = await startAdminCloud(t);
  for (const operation of ['CreateChangeSet', 'ExecuteChangeSet'] as const) {
    cloud.aws.setFault(operation, { kind: 'loseReply' }, 1);
  }
  const { deployed, error } = await deployTemplate(cloud, { Resources: { Topic: topic } });
  t.match(deployed, { result: 'created' }, String(error));
  t.equal(cloud.aws.count('CreateChangeSet'), 2);
  t.equal(cloud.aws.count('ExecuteChangeSet'), 2);
});

t.test('a change set that someone else deleted is reported and nothing is left behind', async (t) => {
  const cloud = await startAdminCloud(t);
  const { error } = await deployTemplate(
    cloud,
    { Resources: { Topic: topic } },
    { yes: false },
    {
      answers: ['y'],
      onSay: (text) => {
        if (text.includes(`Create ${NAME}?`)) cloud.aws.stacks.find(NAME)?.changeSets.clear();
      },
    },
  );
  t.match(error, {
    code: 'ERR_STACK_STATE',
    message: /ChangeSetNotFound/,
    fix: /somebody else changed the stack/,
  });
  t.equal(cloud.aws.stacks.find(NAME), undefined);
});

t.test('a deployed template that cannot be read is reported and the update continues', async (t) => {
  const cloud = await startAdminCloud(t);
  await deployTemplate(cloud, { Resources: { Topic: topic } });
  cloud.aws.setFault('GetTemplate', {
    kind: 'error',
    code: 'ValidationError',
    message: 'Stack with id x does not exist',
  });
  const next = { Resources: { Topic: { ...topic, Properties: { DisplayName: 'x' } } } };
  const { said, deployed } = await deployTemplate(cloud, next);
  t.match(deployed, { result: 'updated' });
  t.match(said, /the template of ccwb-Test-auth as it is deployed cannot be read/);
});

t.test('the page of a captive portal is not taken for a missing stack', async (t) => {
  const cloud = await startAdminCloud(t);
  cloud.aws.setFault('DescribeStacks', { kind: 'html' });
  const { error } = await deployTemplate(cloud, { Resources: { Topic: topic } });
  t.match(error, { code: 'ERR_AWS_UNREACHABLE', message: /what answered is not AWS/ });
  t.equal(cloud.aws.count('CreateChangeSet'), 0);
});

t.test('an execution without any event is given up after a minute', async (t) => {
  const cloud = await startAdminCloud(t);
  cloud.aws.setFault('ExecuteChangeSet', { kind: 'html' });
  const { error } = await deployTemplate(cloud, { Resources: { Topic: topic } });
  t.match(error, {
    code: 'ERR_STACK_PENDING',
    message: /AWS took the order for ccwb-Test-auth a minute ago/,
  });
});
