import t from 'tap';
import { METRICS } from '../../../infra/collector/claude-code-metrics.ts';
import {
  COLLECTOR_TASK,
  collectorConfig,
  collectorConfigText,
  HEADER_ATTRIBUTES,
} from '../../../infra/collector/collector-config.ts';
import { problemsOf } from '../fixtures/collector-schema.ts';
import { MONITORINGS, monitored } from '../fixtures/configurations.ts';
import { COGNITO, profileOf } from '../fixtures/profiles.ts';
import { jsonOf, propertiesOf } from '../fixtures/templates.ts';

process.env.CDK_VALIDATION = 'false';

const INPUT = {
  profileName: 'Research',
  environment: 'production',
  region: 'eu-central-1',
  accountId: '123456789012',
};
const config = collectorConfig(INPUT);

t.test('every component fits its schema, and pipelines use existing components only', async (t) => {
  t.strictSame(problemsOf(config), []);
});

t.test('the schema rejects a wrong configuration', async (t) => {
  const wrong: [where: string, change: (config: Record<string, never>) => void][] = [
    ['an unknown component', ({ processors }: never) => Object.assign(processors, { transform: {} })],
    [
      'an unknown setting',
      ({ exporters }: { exporters: { awsemf: object } }) =>
        Object.assign(exporters.awsemf, { name_space: 'x' }),
    ],
    [
      'a setting of another type',
      ({ processors }: { processors: { batch: object } }) => Object.assign(processors.batch, { timeout: 60 }),
    ],
    [
      'a value that is none of its own',
      ({ exporters }: { exporters: { awsemf: object } }) =>
        Object.assign(exporters.awsemf, { dimension_rollup_option: 'None' }),
    ],
    [
      'a missing setting',
      ({ exporters }: { exporters: { awscloudwatchlogs: Record<string, unknown> } }) =>
        delete exporters.awscloudwatchlogs.log_stream_name,
    ],
    [
      'a pipeline of nothing',
      ({ service }: { service: { pipelines: { logs: { exporters: string[] } } } }) =>
        service.pipelines.logs.exporters.push('otlp'),
    ],
  ] as never;
  for (const [where, change] of wrong) {
    const copy = structuredClone(config) as never;
    change(copy);
    t.equal(problemsOf(copy).length, 1, where);
  }
});

t.test('the headers of otel-helper override the attributes of the sender', async (t) => {
  t.strictSame(HEADER_ATTRIBUTES, {
    'x-user-email': 'user.email',
    'x-user-id': 'user.id',
    'x-user-name': 'user.name',
    'x-department': 'department',
    'x-team-id': 'team.id',
    'x-cost-center': 'cost_center',
    'x-organization': 'organization',
    'x-location': 'location',
    'x-role': 'role',
    'x-manager': 'manager',
  });
  t.strictSame(
    config.processors.attributes.actions,
    [
      ...['user.email', 'user.id', 'user.name'].map((key) => ({ key, action: 'delete' })),
      ...Object.entries(HEADER_ATTRIBUTES).map(([header, key]) => ({
        key,
        action: 'upsert',
        from_context: `metadata.${header}`,
      })),
    ],
    'without a header, the value of the machine does not stand either',
  );
  t.strictSame(config.processors.resource.attributes, [
    { key: 'user.email', action: 'delete' },
    { key: 'user.id', action: 'delete' },
    { key: 'user.name', action: 'delete' },
    { key: 'aws.account_id', action: 'upsert', value: '123456789012' },
    { key: 'deployment.environment', action: 'upsert', value: 'production' },
  ]);
});

t.test('metadata is read before requests are mixed, and memory is guarded first', async (t) => {
  for (const { grpc, http } of [config.receivers.otlp.protocols]) {
    t.strictSame(grpc, { endpoint: '0.0.0.0:4317', include_metadata: true });
    t.strictSame(http, { endpoint: '0.0.0.0:4318', include_metadata: true });
  }
  for (const { processors } of Object.values(config.service.pipelines)) {
    t.strictSame(processors, ['memory_limiter', 'filter', 'attributes', 'resource', 'batch']);
  }
  t.equal(config.processors.batch.timeout, '60s');
  const { limit_mib, spike_limit_mib } = config.processors.memory_limiter;
  t.ok(limit_mib < COLLECTOR_TASK.memoryMib && spike_limit_mib < limit_mib);
});

t.test('records of a machine with a wrong clock are dropped alone, not with all others', async (t) => {
  const conditions = ['time > Now() + Duration("1h")', 'time < Now() - Duration("300h")'];
  t.strictSame(config.processors.filter, {
    error_mode: 'ignore',
    metrics: { datapoint: conditions },
    logs: { log_record: conditions },
  });
});

t.test('metrics and events go to the deployment\u2019s own namespace and log groups', async (t) => {
  t.match(config.exporters, {
    awsemf: { namespace: 'ClaudeCode/Research', log_group_name: '/aws/claude-code/Research/metrics' },
    awscloudwatchlogs: { log_group_name: '/aws/claude-code/Research/events' },
  });
});

t.test('every metric has its sets of dimensions, a unit CloudWatch knows, and no more', async (t) => {
  const { metric_declarations, metric_descriptors, dimension_rollup_option } = config.exporters.awsemf;
  t.equal(dimension_rollup_option, 'NoDimensionRollup');
  const names = Object.keys(METRICS);
  t.strictSame(
    metric_descriptors.map(({ metric_name }) => metric_name),
    names,
  );
  for (const [index, { dimensions, metric_name_selectors }] of metric_declarations.entries()) {
    // `\z` is the end of the text to the collector's regular expressions.
    const selector = new RegExp(metric_name_selectors[0].replace('\\z', '$'));
    t.strictSame(
      names.filter((name) => selector.test(name)),
      [names[index]],
    );
    t.strictSame(dimensions, Object.values(METRICS)[index]?.dimensionSets);
    for (const name of dimensions.flat())
      t.notMatch(name, /user|session/, 'nothing that grows with the users');
  }
});

t.test('nothing in the text is a variable to the collector', async (t) => {
  t.notMatch(collectorConfigText(INPUT), /\$/);
});

t.test('the task gets the same text, with the account filled in by CloudFormation', async (t) => {
  const template = jsonOf(t, 'monitoring', monitored(profileOf('okta', COGNITO), MONITORINGS['new private']));
  const { ContainerDefinitions } = propertiesOf(template, 'TaskDefinition') as {
    ContainerDefinitions: { Environment: { Value: { 'Fn::Join': [string, (string | object)[]] } }[] }[];
  };
  const [separator, parts] = ContainerDefinitions[0]?.Environment[0]?.Value['Fn::Join'] ?? ['', []];
  t.strictSame(
    parts.filter((part) => typeof part !== 'string'),
    [{ Ref: 'AWS::AccountId' }],
  );
  const text = parts.map((part) => (typeof part === 'string' ? part : '123456789012')).join(separator);
  t.strictSame(JSON.parse(text), collectorConfig({ ...INPUT, profileName: 'ClaudeCode' }));
});
