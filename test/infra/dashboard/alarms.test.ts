import t from 'tap';
import { METRICS, TOTAL } from '../../../infra/collector/claude-code-metrics.ts';
import { ALARMS, type AlarmId } from '../../../infra/dashboard/alarms.ts';
import { CONTEXT, THRESHOLDS } from '../fixtures/telemetry-props.ts';

const watch = (id: AlarmId): ReturnType<(typeof ALARMS)[AlarmId]['watch']> =>
  ALARMS[id].watch(CONTEXT, THRESHOLDS);

t.test('usage alarms watch totals that the collector publishes', async (t) => {
  const expected = {
    TokensPerHourAlarm: ['claude_code.token.usage', 3_600, THRESHOLDS.tokensPerHour],
    DailyCostAlarm: ['claude_code.cost.usage', 86_400, THRESHOLDS.dailyCostUsd],
  } as const;
  for (const [id, [metric, period, threshold]] of Object.entries(expected)) {
    t.match(watch(id as AlarmId), {
      namespace: 'ClaudeCode/ClaudeCode',
      metricName: metric,
      dimensions: [{ name: 'deployment.environment', value: 'production' }],
      statistic: 'Sum',
      period,
      threshold,
      comparisonOperator: 'GreaterThanThreshold',
    });
    t.ok(METRICS[metric].dimensionSets.includes(TOTAL), metric);
  }
});

t.test('Bedrock is watched over all models, each kind of failure by itself', async (t) => {
  const ids = ['BedrockThrottlesAlarm', 'BedrockClientErrorsAlarm', 'BedrockServerErrorsAlarm'] as const;
  const queries = ids.map((id) => watch(id).metrics as { expression: string; period: number }[]);
  t.strictSame(
    queries.map(([query]) => query?.expression),
    ['InvocationThrottles', 'InvocationClientErrors', 'InvocationServerErrors'].map(
      (metric) => `SELECT SUM(${metric}) FROM SCHEMA("AWS/Bedrock", ModelId)`,
    ),
  );
});

t.test('missing data raises an alarm for the collector only', async (t) => {
  for (const id of Object.keys(ALARMS) as AlarmId[]) {
    const expected = id === 'CollectorUnhealthyAlarm' ? 'breaching' : 'notBreaching';
    t.equal(watch(id).treatMissingData, expected, id);
  }
});
