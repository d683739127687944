import t from 'tap';
import { databaseName } from '../../../infra/analytics/catalog.ts';
import { namedQueries } from '../../../infra/analytics/queries.ts';
import { COLUMNS } from '../../../infra/analytics/schema.ts';
import { INLINE_CODE_MAX_CHARACTERS, TRANSFORM_CODE } from '../../../infra/analytics/transform.ts';
import {
  analytics,
  bytesOf,
  type Resource,
  type Synthesized,
  statementsIn,
  typesOf,
} from '../fixtures/telemetry.ts';
import { complaints, TEMPLATE_MAX_BYTES } from '../fixtures/validator.ts';

process.env.CDK_VALIDATION = 'false';

const QUERY = 'AWS::Athena::NamedQuery';
const RESOURCES = {
  DataBucket: 'AWS::S3::Bucket',
  DataBucketPolicy: 'AWS::S3::BucketPolicy',
  ResultsBucket: 'AWS::S3::Bucket',
  ResultsBucketPolicy: 'AWS::S3::BucketPolicy',
  Database: 'AWS::Glue::Database',
  UsageTable: 'AWS::Glue::Table',
  TransformLogs: 'AWS::Logs::LogGroup',
  TransformRole: 'AWS::IAM::Role',
  Transform: 'AWS::Lambda::Function',
  TransformSendsAgain: 'AWS::IAM::RolePolicy',
  DeliveryLogs: 'AWS::Logs::LogGroup',
  DeliveryLogStream: 'AWS::Logs::LogStream',
  DeliveryRole: 'AWS::IAM::Role',
  DeliveryStream: 'AWS::KinesisFirehose::DeliveryStream',
  SubscriptionRole: 'AWS::IAM::Role',
  MetricsSubscription: 'AWS::Logs::SubscriptionFilter',
  EventsSubscription: 'AWS::Logs::SubscriptionFilter',
  WorkGroup: 'AWS::Athena::WorkGroup',
  TopUsersQuery: QUERY,
  TokensByModelAndTypeQuery: QUERY,
  ActivityByHourQuery: QUERY,
  ByOrganizationAndDepartmentQuery: QUERY,
  RequestsAndTokensPerMinuteQuery: QUERY,
  SessionAnalysisQuery: QUERY,
  CostAttributionQuery: QUERY,
  MonthlyCostPerUserQuery: QUERY,
  PeakUsageQuery: QUERY,
  ResponseTimesAndErrorsQuery: QUERY,
};
const BUCKETS = ['DataBucket', 'ResultsBucket'] as const;

function resource({ template }: Synthesized, id: string): Resource {
  const found = template.Resources[id];
  if (!found) throw new Error(`no ${id} in the template`);
  return found;
}

t.test('the stack has exactly these resources', async (t) => {
  t.strictSame(typesOf(analytics(t)), RESOURCES);
});

t.test('every variant passes the validator and cdk-nag, and is small', async (t) => {
  for (const region of ['eu-central-1', 'us-gov-west-1', 'cn-north-1']) {
    for (const days of [30, 3_650]) {
      const changes = { name: 'A'.repeat(64), region, glacierAfterDays: days, resultsDays: days };
      const { template, violations } = analytics(t, changes);
      t.strictSame(complaints(JSON.stringify(template)), [], region);
      t.strictSame(violations, [], region);
      t.ok(bytesOf(template) < TEMPLATE_MAX_BYTES, `${region}: ${bytesOf(template)} bytes`);
      t.notMatch(JSON.stringify(template), /arn:aws/, 'the partition comes from the stack');
    }
  }
});

t.test('buckets are private, encrypted, TLS only, and stay when the stack is deleted', async (t) => {
  const stack = analytics(t);
  for (const id of BUCKETS) {
    const { Properties, DeletionPolicy } = resource(stack, id);
    t.equal(DeletionPolicy, 'RetainExceptOnCreate', id);
    t.match(Properties.BucketEncryption, {
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
    });
    t.strictSame(
      Properties.PublicAccessBlockConfiguration,
      { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
      id,
    );
    const [tls, ...more] = statementsIn(resource(stack, `${id}Policy`));
    t.match(tls, { Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }, id);
    t.strictSame(more, [], 'the policies admit nobody');
  }
});

t.test('data is archived and results are deleted after the days of the profile', async (t) => {
  const stack = analytics(t, { glacierAfterDays: 45, resultsDays: 3 });
  const [data, results] = BUCKETS.map((id) => resource(stack, id).Properties.LifecycleConfiguration);
  t.match(data, {
    Rules: [{ Prefix: 'data/', Transitions: [{ StorageClass: 'GLACIER_IR', TransitionInDays: 45 }] }],
  });
  t.notMatch(JSON.stringify(data), /Expiration/, 'data is never deleted');
  t.match(results, { Rules: [{ ExpirationInDays: 3 }] });
});

t.test('each role trusts one service and is limited to resources of this stack', async (t) => {
  const stack = analytics(t);
  const allowed = statementsIn(stack.template).filter(({ Effect }) => Effect === 'Allow');
  const trusts = allowed.filter(({ Principal }) => Principal !== undefined);
  t.strictSame(
    trusts.map(({ Principal }) => Principal),
    [
      { Service: 'lambda.amazonaws.com' },
      { Service: 'firehose.amazonaws.com' },
      { Service: 'logs.amazonaws.com' },
    ],
  );
  t.match(trusts, [
    {},
    { Condition: { StringEquals: { 'sts:ExternalId': { Ref: 'AWS::AccountId' } } } },
    { Condition: { StringLike: { 'aws:SourceArn': { 'Fn::Join': ['', Array] } } } },
  ]);
  for (const { Action, Resource } of allowed.filter(({ Principal }) => Principal === undefined)) {
    for (const action of [Action].flat()) t.notMatch(String(action), /\*/);
    t.not(Resource, '*');
    for (const one of [Resource].flat()) t.match(JSON.stringify(one), /Fn::GetAtt|:glue:/);
  }
});

t.test('both log groups are delivered to the stream without a filter', async (t) => {
  const stack = analytics(t);
  for (const [id, content] of [
    ['MetricsSubscription', 'metrics'],
    ['EventsSubscription', 'events'],
  ] as const) {
    t.strictSame(resource(stack, id).Properties, {
      LogGroupName: `/aws/claude-code/ClaudeCode/${content}`,
      DestinationArn: { 'Fn::GetAtt': ['DeliveryStream', 'Arn'] },
      RoleArn: { 'Fn::GetAtt': ['SubscriptionRole', 'Arn'] },
      FilterPattern: '',
    });
  }
});

t.test('the stream converts records to the columns of the table and keeps failed ones', async (t) => {
  const stack = analytics(t);
  t.match(resource(stack, 'DeliveryStream').Properties.ExtendedS3DestinationConfiguration, {
    Prefix: 'data/day=!{timestamp:yyyy-MM-dd}/',
    ErrorOutputPrefix: 'errors/!{firehose:error-output-type}/day=!{timestamp:yyyy-MM-dd}/',
    DataFormatConversionConfiguration: {
      Enabled: true,
      SchemaConfiguration: { DatabaseName: databaseName('ClaudeCode'), TableName: 'usage' },
    },
  });
  const { TableInput } = resource(stack, 'UsageTable').Properties as {
    TableInput: {
      Name: string;
      Parameters: Record<string, unknown>;
      StorageDescriptor: { Columns: { Name: string; Type: string }[] };
    };
  };
  t.equal(TableInput.Name, 'usage');
  t.strictSame(
    TableInput.StorageDescriptor.Columns.map(({ Name, Type }) => [Name, Type]),
    COLUMNS.map(({ name, type }) => [name, type]),
  );
  t.match(TableInput.Parameters, { 'projection.enabled': 'true', 'projection.day.range': '2026-01-01,NOW' });
  t.match(JSON.stringify(TableInput.Parameters['storage.location.template']), /data\/day=\$\{day\}\//);
});

t.test('the transform in the template is the tested code and within the inline limit', async (t) => {
  const { Code, Runtime } = resource(analytics(t), 'Transform').Properties;
  t.strictSame(Code, { ZipFile: TRANSFORM_CODE });
  t.equal(Runtime, 'nodejs24.x');
  t.ok(TRANSFORM_CODE.length <= INLINE_CODE_MAX_CHARACTERS, `${TRANSFORM_CODE.length} characters`);
});

t.test('queries cannot override the work group, and it holds the named queries', async (t) => {
  const stack = analytics(t);
  t.match(resource(stack, 'WorkGroup').Properties, {
    Name: 'ccwb-ClaudeCode',
    WorkGroupConfiguration: {
      EnforceWorkGroupConfiguration: true,
      ResultConfiguration: { EncryptionConfiguration: { EncryptionOption: 'SSE_S3' } },
    },
  });
  for (const { id, sql } of namedQueries()) {
    t.match(resource(stack, `${id}Query`).Properties, {
      Database: databaseName('ClaudeCode'),
      WorkGroup: { Ref: 'WorkGroup' },
      QueryString: sql,
    });
  }
});

t.test('two deployments share no name even if only capitals differ', async (t) => {
  const named = (name: string): string[] => {
    const { stackName, template } = analytics(t, { name });
    const names = Object.values(template.Resources).flatMap(({ Type, Properties }) =>
      Type === QUERY ? [] : [Properties.Name, Properties.LogGroupName, Properties.DatabaseName],
    );
    return [stackName, databaseName(name), ...names.filter((name) => typeof name === 'string')];
  };
  const all = ['ClaudeCode', 'claudecode', 'claude-code', 'Claude-Code'].map((name) => new Set(named(name)));
  const together = new Set(all.flatMap((names) => [...names]));
  t.equal(
    together.size,
    all.reduce((sum, { size }) => sum + size, 0),
  );
});
