import {
  CloudFormationClient,
  CreateChangeSetCommand,
  type CreateChangeSetCommandInput,
  DeleteStackCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
} from '@aws-sdk/client-cloudformation';
import t, { type Test } from 'tap';
import { startAwsEndpoints } from '../../sandbox/aws/aws-endpoints.ts';

const Role = { Type: 'AWS::IAM::Role', Properties: { Path: '/' } };
const Topic = { Type: 'AWS::SNS::Topic' };
const text = (Resources: object, more: object = {}): string => JSON.stringify({ Resources, ...more });

async function setUp(t: Test) {
  const aws = await startAwsEndpoints({ issuers: [], clientId: 'x' });
  t.teardown(() => aws.close());
  const { accessKeyId, secretAccessKey, sessionToken } = aws.signIn(
    'arn:aws:iam::123456789012:role/Admin',
    'ada',
  );
  const settings = { endpoint: aws.url, region: 'us-east-1', maxAttempts: 1 };
  const client = new CloudFormationClient({
    ...settings,
    credentials: { accessKeyId, secretAccessKey, sessionToken },
  });
  t.teardown(() => client.destroy());
  const create = (input: Partial<CreateChangeSetCommandInput> = {}) =>
    client.send(
      new CreateChangeSetCommand({
        StackName: 'stack',
        ChangeSetName: `c-${crypto.randomUUID()}`,
        ChangeSetType: 'CREATE',
        TemplateBody: text({ Topic }),
        ...input,
      }),
    );
  const describe = (ChangeSetName: string | undefined) =>
    client.send(new DescribeChangeSetCommand({ ChangeSetName }));
  const execute = (ChangeSetName: string | undefined) =>
    client.send(new ExecuteChangeSetCommand({ ChangeSetName }));
  /** Looks until the change set is made. */
  const made = async (id: string | undefined) => {
    await describe(id);
    await describe(id);
    return describe(id);
  };
  const stack = async (StackName = 'stack') =>
    (await client.send(new DescribeStacksCommand({ StackName }))).Stacks?.[0];
  return { aws, client, settings, create, describe, execute, made, stack };
}

t.test(
  'a change set is pending, then in progress, then made; before that it cannot be executed',
  async (t) => {
    const { create, describe, execute, stack } = await setUp(t);
    const { Id } = await create();
    t.match(await stack(), { StackStatus: 'REVIEW_IN_PROGRESS' });
    t.match(await describe(Id), { Status: 'CREATE_PENDING', ExecutionStatus: 'UNAVAILABLE' });
    await t.rejects(execute(Id), { name: 'InvalidChangeSetStatusException' });
    t.match(await describe(Id), { Status: 'CREATE_IN_PROGRESS' });
    t.match(await describe(Id), {
      Status: 'CREATE_COMPLETE',
      ExecutionStatus: 'AVAILABLE',
      Changes: [{ ResourceChange: { Action: 'Add', LogicalResourceId: 'Topic' } }],
    });
    await t.resolves(execute(Id));
    await t.rejects(execute(Id), { name: 'ChangeSetNotFoundException' }, 'once');
  },
);

t.test('what AWS refuses is refused in its words', async (t) => {
  const { create, client } = await setUp(t);
  const refused = (
    input: Partial<CreateChangeSetCommandInput>,
    message: RegExp | string,
    name = 'ValidationError',
  ) => t.rejects(create(input), { name, message });
  const Parameters = { Vpc: { Type: 'String' } };
  await refused({ TemplateBody: '{' }, /JSON not well-formed/);
  await refused({ TemplateBody: text({}) }, /At least one Resources member/);
  await refused({ TemplateBody: text({ Topic, Long: 'x'.repeat(51_200) }) }, /less than or equal to 51200/);
  await refused({ TemplateBody: text({ Topic }, { Parameters }) }, 'Parameters: [Vpc] must have values');
  await refused(
    { Parameters: [{ ParameterKey: 'No', ParameterValue: '1' }] },
    /\[No\] do not exist in the template/,
  );
  await refused(
    { TemplateBody: text({ Role }) },
    'Requires capabilities : [CAPABILITY_IAM]',
    'InsufficientCapabilitiesException',
  );
  await refused(
    {
      TemplateBody: text({ Role: { ...Role, Properties: { RoleName: 'x' } } }),
      Capabilities: ['CAPABILITY_IAM'],
    },
    'Requires capabilities : [CAPABILITY_NAMED_IAM]',
    'InsufficientCapabilitiesException',
  );
  await refused({ ChangeSetType: 'UPDATE' }, 'Stack [stack] does not exist');
  await t.rejects(client.send(new DescribeStacksCommand({ StackName: 'stack' })), {
    message: 'Stack with id stack does not exist',
  });
  await create({ ChangeSetName: 'twice' });
  await t.rejects(create({ ChangeSetName: 'twice' }), { name: 'AlreadyExistsException' });
});

t.test('the same template again fails as AWS says it, and other states take no change set', async (t) => {
  const { aws, create, execute, made, stack } = await setUp(t);
  aws.stacks.stepsPerLook = 100;
  const first = await create();
  await made(first.Id);
  await execute(first.Id);
  aws.stacks.stepsPerLook = 0;
  await t.rejects(create({ ChangeSetType: 'UPDATE' }), {
    message: /is in CREATE_IN_PROGRESS state and can not be updated/,
  });
  aws.stacks.stepsPerLook = 100;
  t.match(await stack(), { StackStatus: 'CREATE_COMPLETE' });
  await t.rejects(create(), { message: /Stack \[stack\] already exists and cannot be created again/ });
  const again = await create({ ChangeSetType: 'UPDATE' });
  t.match(await made(again.Id), {
    Status: 'FAILED',
    StatusReason:
      "The submitted information didn't contain changes. Submit different information to create a change set.",
    ExecutionStatus: 'UNAVAILABLE',
  });
});

t.test('events come newest first, in pages', async (t) => {
  const { aws, client, create, execute, made } = await setUp(t);
  aws.stacks.stepsPerLook = 100;
  aws.stacks.pageSize = 2;
  const { Id } = await create();
  await made(Id);
  await execute(Id);
  const first = await client.send(new DescribeStackEventsCommand({ StackName: 'stack' }));
  t.match(first.StackEvents, [
    { ResourceStatus: 'CREATE_COMPLETE', LogicalResourceId: 'stack' },
    { LogicalResourceId: 'Topic' },
  ]);
  t.equal(first.StackEvents?.length, 2);
  const second = await client.send(
    new DescribeStackEventsCommand({ StackName: 'stack', NextToken: first.NextToken }),
  );
  t.equal(second.StackEvents?.length, 2);
});

t.test('a deleted stack is found by its ARN only, and deleting it again is no error', async (t) => {
  const { aws, client, create, execute, made, stack } = await setUp(t);
  aws.stacks.stepsPerLook = 100;
  const { Id, StackId = '' } = await create();
  await made(Id);
  await execute(Id);
  await stack();
  await client.send(new DeleteStackCommand({ StackName: 'stack' }));
  t.match(await stack(StackId), { StackStatus: 'DELETE_COMPLETE' });
  await t.rejects(stack(), { message: /does not exist/ });
  await t.resolves(client.send(new DeleteStackCommand({ StackName: 'stack' })));
});

t.test('requests are signed for CloudFormation, by credentials that are valid', async (t) => {
  const { aws, create, client, settings } = await setUp(t);
  const stranger = new CloudFormationClient({
    ...settings,
    credentials: { accessKeyId: 'AKIAAAAAAAAAAAAAAAAA', secretAccessKey: 'x' },
  });
  t.teardown(() => stranger.destroy());
  const ask = new DescribeStacksCommand({ StackName: 'x' });
  await t.rejects(stranger.send(ask), { name: 'InvalidClientTokenId' });
  await t.rejects(client.send(ask), { name: 'ValidationError' });
  aws.expireAllCredentials();
  await t.rejects(create(), { name: 'ExpiredToken' });
});

const balancer = (Scheme: string) => ({
  Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
  Properties: { Scheme },
});
const group = (VpcId: string) => ({
  Type: 'AWS::ElasticLoadBalancingV2::TargetGroup',
  Properties: { VpcId },
});
const listener = (Port: number) => ({
  Type: 'AWS::ElasticLoadBalancingV2::Listener',
  Properties: {
    LoadBalancerArn: { Ref: 'Balancer' },
    Port,
    DefaultActions: [{ Type: 'forward', TargetGroupArn: { Ref: 'Group' } }],
  },
});

t.test('what is new is created before the old is deleted, as load balancers then refuse it', async (t) => {
  const { aws, create, execute, made, stack } = await setUp(t);
  aws.stacks.stepsPerLook = 100;
  const update = async (Resources: object, ChangeSetType: 'CREATE' | 'UPDATE' = 'UPDATE') => {
    const { Id } = await create({ ChangeSetType, TemplateBody: text(Resources) });
    const changeSet = await made(Id);
    await execute(Id);
    return { changes: changeSet.Changes, status: (await stack())?.StackStatus };
  };
  const failed = () =>
    aws.stacks.find('stack')?.events.findLast(({ status }) => status.endsWith('_FAILED'))?.reason;
  const Balancer = balancer('internal');
  const Group = group('a');
  const Resources = { Balancer, Group, First: listener(80) };
  t.equal((await update(Resources, 'CREATE')).status, 'CREATE_COMPLETE');
  t.equal((await update({ Balancer, Group, Second: listener(80) })).status, 'UPDATE_ROLLBACK_COMPLETE');
  t.match(failed(), /^A listener already exists on this port for this load balancer/);
  t.ok(aws.stacks.find('stack')?.resources.has('First'), 'all is as before');
  const moved = await update({ ...Resources, Balancer: balancer('internet-facing') });
  t.equal(moved.status, 'UPDATE_ROLLBACK_COMPLETE');
  t.match(failed(), /^The following target groups cannot be associated with more than one load balancer/);
  t.match(
    moved.changes?.map(({ ResourceChange: change }) => [change?.LogicalResourceId, change?.Replacement]),
    [
      ['Balancer', 'True'],
      ['First', 'True'],
    ],
    'what refers to a replaced resource changes too',
  );
  const both = await update({
    Balancer: balancer('internet-facing'),
    Group: group('b'),
    First: listener(80),
  });
  t.equal(both.status, 'UPDATE_COMPLETE');
});
