import type { CfnAlarm, CfnAlarmProps } from 'aws-cdk-lib/aws-cloudwatch';
import { type MetricName, TOTAL } from '../collector/claude-code-metrics.ts';
import type { DashboardContext } from './dashboard-body.ts';

/** Thresholds of the alarms, and their recipient. */
export type AlarmThresholds = {
  /** Address that the topic notifies; absent: only subscribers of the topic get the alarms. */
  readonly email?: string;
  /** More tokens than this in an hour. */
  readonly tokensPerHour: number;
  /** More USD than this in a day, as Claude Code reports its cost. */
  readonly dailyCostUsd: number;
  /** More throttles, client errors or server errors than this in an hour, each by itself. */
  readonly bedrockErrorsPerHour: number;
};

/** Logical ids: a contract. */
export type AlarmId =
  | 'TokensPerHourAlarm'
  | 'DailyCostAlarm'
  | 'BedrockThrottlesAlarm'
  | 'BedrockClientErrorsAlarm'
  | 'BedrockServerErrorsAlarm'
  | 'CollectorUnhealthyAlarm'
  | 'TelemetryRefusedAlarm';

type AlarmDefinition = {
  /** Last part of the alarm's name. */
  readonly name: string;
  /** First line of the message that people get. */
  readonly description: string;
  readonly watch: (context: DashboardContext, thresholds: AlarmThresholds) => Watch;
};

type Watch = Pick<
  CfnAlarmProps,
  'namespace' | 'metricName' | 'dimensions' | 'statistic' | 'period' | 'metrics' | 'threshold'
> & {
  readonly comparisonOperator: 'GreaterThanThreshold' | 'LessThanThreshold';
  readonly evaluationPeriods: number;
  readonly treatMissingData: 'notBreaching' | 'breaching';
};

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

export const ALARMS: Readonly<Record<AlarmId, AlarmDefinition>> = {
  TokensPerHourAlarm: {
    name: 'tokens-per-hour',
    description: 'More tokens in an hour than expected: somebody may have left an agent running.',
    watch: (context, { tokensPerHour }) =>
      usageOver(context, 'claude_code.token.usage', HOUR_SECONDS, tokensPerHour),
  },
  DailyCostAlarm: {
    name: 'daily-cost',
    description: 'The cost that Claude Code reports for 24 hours is above the budget for a day.',
    watch: (context, { dailyCostUsd }) =>
      usageOver(context, 'claude_code.cost.usage', DAY_SECONDS, dailyCostUsd),
  },
  BedrockThrottlesAlarm: {
    name: 'bedrock-throttles',
    description: 'Bedrock refuses calls because a quota is used up: people wait.',
    watch: (_, thresholds) => bedrockOver('InvocationThrottles', thresholds),
  },
  BedrockClientErrorsAlarm: {
    name: 'bedrock-client-errors',
    description: 'Bedrock refuses requests as wrong or forbidden: a model or a permission may be missing.',
    watch: (_, thresholds) => bedrockOver('InvocationClientErrors', thresholds),
  },
  BedrockServerErrorsAlarm: {
    name: 'bedrock-server-errors',
    description: 'Bedrock itself fails.',
    watch: (_, thresholds) => bedrockOver('InvocationServerErrors', thresholds),
  },
  CollectorUnhealthyAlarm: {
    name: 'collector-unhealthy',
    description: 'No collector is healthy: telemetry is being lost. Claude Code itself goes on working.',
    watch: ({ collector }) => ({
      namespace: 'AWS/ApplicationELB',
      metricName: 'HealthyHostCount',
      dimensions: [
        { name: 'TargetGroup', value: collector.targetGroup },
        { name: 'LoadBalancer', value: collector.loadBalancer },
      ],
      statistic: 'Maximum',
      period: 60,
      threshold: 1,
      comparisonOperator: 'LessThanThreshold',
      // A deployment or one lost task mends itself in less.
      evaluationPeriods: 5,
      // Without tasks the load balancer says nothing at all.
      treatMissingData: 'breaching',
    }),
  },
  TelemetryRefusedAlarm: {
    name: 'telemetry-refused',
    description:
      'The load balancer refuses much of the telemetry: ID tokens are missing, expired or of another client.',
    watch: ({ collector }) => {
      const sum = (id: string, metricName: string): CfnAlarm.MetricDataQueryProperty => ({
        id,
        returnData: false,
        metricStat: {
          metric: {
            namespace: 'AWS/ApplicationELB',
            metricName,
            dimensions: [{ name: 'LoadBalancer', value: collector.loadBalancer }],
          },
          period: HOUR_SECONDS,
          stat: 'Sum',
        },
      });
      return {
        metrics: [
          // Refused requests reach no target, so RequestCount does not have them.
          sum('refused', 'HTTPCode_ELB_4XX_Count'),
          sum('forwarded', 'RequestCount'),
          {
            id: 'percent',
            // Scanners of the internet alone are no reason.
            expression: `IF(refused > ${SCANNED_PER_HOUR}, 100 * refused / (refused + FILL(forwarded, 0)), 0)`,
            returnData: true,
          },
        ],
        threshold: REFUSED_PERCENT,
        ...OVER,
      };
    },
  },
};

/** Requests without a token that a public address gets from strangers in an hour, at most. */
const SCANNED_PER_HOUR = 100;
/** Part of the requests that may be refused: some come just after a token expired. */
const REFUSED_PERCENT = 20;

/** The sum over everybody. */
function usageOver(
  { namespace, environment }: DashboardContext,
  metricName: MetricName,
  period: number,
  threshold: number,
): Watch {
  const dimensions = TOTAL.map((name) => ({ name, value: environment }));
  return { namespace, metricName, dimensions, statistic: 'Sum', period, threshold, ...OVER };
}

const OVER = {
  comparisonOperator: 'GreaterThanThreshold',
  evaluationPeriods: 1,
  // Nights and weekends are not an incident.
  treatMissingData: 'notBreaching',
} as const;

/** Over all models. A query, because Bedrock keeps these metrics by model only and an alarm cannot search. */
function bedrockOver(metric: string, { bedrockErrorsPerHour }: AlarmThresholds): Watch {
  const expression = `SELECT SUM(${metric}) FROM SCHEMA("AWS/Bedrock", ModelId)`;
  return {
    metrics: [{ id: 'all', expression, period: HOUR_SECONDS, returnData: true }],
    threshold: bedrockErrorsPerHour,
    ...OVER,
  };
}
