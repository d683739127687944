import { countMetrics } from './collector/claude-code-metrics.ts';

/**
 * Estimates the monthly cost of a deployment, without the models, from a table of prices and a table of
 * assumptions. Free allowances, taxes and discounts are left out.
 */

/** AWS's list prices in USD in us-east-1; other regions are up to a third dearer. Source: AWS's price pages. */
export const AWS_PRICES = {
  asOf: '2026-06',
  logsIngestedGb: 0.5,
  logsStoredGbMonth: 0.03,
  logsScannedGb: 0.005,
  /** For the first 10,000. */
  metricMonth: 0.3,
  dashboardMonth: 3,
  alarmMonth: 0.1,
  kmsKeyMonth: 1,
  fargateVcpuHour: 0.04048,
  fargateGbHour: 0.004445,
  loadBalancerHour: 0.0225,
  loadBalancerUnitHour: 0.008,
  natHour: 0.045,
  natGb: 0.045,
  publicAddressHour: 0.005,
  firehoseGb: 0.029,
  firehoseConversionGb: 0.018,
  lambdaGbSecond: 0.0000133334,
  s3GbMonth: 0.023,
  s3ArchiveGbMonth: 0.004,
  athenaTb: 5,
  /** The first copy of management events in a region is free; each further trail pays for its own. */
  furtherTrailMillionEvents: 20,
} as const;

/** Assumed use by one person. Nobody measured it: compare with your own bill after a month. */
export const ASSUMPTIONS = {
  hoursPerDay: 6,
  daysPerMonth: 21,
  /** Claude Code exports every minute; per active minute so many of its counters have moved. */
  metricRecordsPerMinute: 8,
  metricRecordBytes: 1_200,
  eventsPerHour: 150,
  eventBytes: 1_000,
  /** Requests to a model, each an event of the audit trail. */
  modelCallsPerHour: 60,
  auditEventBytes: 2_500,
  /** CloudTrail's own files are compressed. */
  auditFileFraction: 0.1,
  /** Of what was ingested; CloudWatch keeps logs compressed. */
  storedLogFraction: 0.15,
  retentionDays: 90,
  /** Parquet's share of the records it was made from. */
  parquetFraction: 0.05,
  glacierAfterDays: 90,
  /** Looks at the dashboard in a month, each scanning a day of metrics for its five tables. */
  dashboardLooks: 60,
  tablesOnDashboard: 5,
  /** Queries in Athena in a month, each reading a third of a month's files. */
  queries: 100,
  queriedFraction: 0.33,
  /** One task of half a virtual CPU and 1 GB takes the records of so many people at work. */
  peoplePerTask: 2_500,
  mostTasks: 4,
  models: 4,
  peoplePerDepartment: 50,
  mostDepartments: 200,
} as const;

const HOURS_PER_MONTH = 730;
const GB = 1e9;

/** Choices of an administrator that decide the cost. */
export type CostShape = {
  readonly users: number;
  /** For how many days the audit trail is kept; undefined: there is none. */
  readonly auditDays: number | undefined;
  /** Undefined: no telemetry is collected. */
  readonly monitoring: MonitoringShape | undefined;
};

export type MonitoringShape = {
  /** Network of the collector's tasks; an `existing` network adds no cost. */
  readonly network: 'private' | 'public' | 'existing';
  readonly alarms: boolean;
  readonly analytics: boolean;
};

export type CostItem = { readonly what: string; readonly usd: number };

export type CostEstimate = {
  /** Largest first. */
  readonly items: readonly CostItem[];
  readonly totalUsd: number;
};

/** Numbers of users that the documentation and the wizard show. */
export const SCALES = [100, 5_000, 100_000] as const;

/** Returns the estimate for a month. Identity pools and roles are free. */
export function monthlyCost({ users, auditDays, monitoring }: CostShape): CostEstimate {
  const items = [
    ...(auditDays === undefined ? [] : [{ what: AUDIT_ITEM, usd: auditUsd(users, auditDays) }]),
    ...(monitoring ? [...collector(users, monitoring), ...cloudWatch(users, monitoring)] : []),
    ...(monitoring?.analytics ? analytics(users) : []),
  ].sort((a, b) => b.usd - a.usd);
  return { items, totalUsd: items.reduce((sum, { usd }) => sum + usd, 0) };
}

/** Returns the cost that adds to {@link monthlyCost} if another trail already records management events. */
export function furtherTrailUsd(users: number): number {
  return (modelCalls(users) / 1e6) * AWS_PRICES.furtherTrailMillionEvents;
}

const AUDIT_ITEM = 'Audit trail (CloudWatch Logs, S3)';

function auditUsd(users: number, days: number): number {
  const a = ASSUMPTIONS;
  const price = AWS_PRICES;
  const gb = (modelCalls(users) * a.auditEventBytes) / GB;
  const months = days / 30;
  const storage = a.storedLogFraction * price.logsStoredGbMonth + a.auditFileFraction * price.s3GbMonth;
  return gb * (price.logsIngestedGb + months * storage);
}

function modelCalls(users: number): number {
  return hoursOfWork(users) * ASSUMPTIONS.modelCallsPerHour;
}

function hoursOfWork(users: number): number {
  return users * ASSUMPTIONS.hoursPerDay * ASSUMPTIONS.daysPerMonth;
}

/** Returns the gigabytes that the users write to each of the two log groups in a month. */
export function telemetryGb(users: number): { readonly metrics: number; readonly events: number } {
  const a = ASSUMPTIONS;
  const hours = hoursOfWork(users);
  return {
    metrics: (hours * 60 * a.metricRecordsPerMinute * a.metricRecordBytes) / GB,
    events: (hours * a.eventsPerHour * a.eventBytes) / GB,
  };
}

function collector(users: number, { network }: MonitoringShape): CostItem[] {
  const { peoplePerTask, mostTasks, hoursPerDay, daysPerMonth } = ASSUMPTIONS;
  const price = AWS_PRICES;
  const { metrics, events } = telemetryGb(users);
  const gb = metrics + events;
  // One task stays up; the others only while people work.
  const busy = Math.min(Math.ceil(users / peoplePerTask), mostTasks);
  const taskHours = HOURS_PER_MONTH + (busy - 1) * hoursPerDay * daysPerMonth;
  const task = 0.5 * price.fargateVcpuHour + price.fargateGbHour;
  // A unit is a gigabyte an hour.
  const balancer = HOURS_PER_MONTH * price.loadBalancerHour + gb * price.loadBalancerUnitHour;
  const nat = HOURS_PER_MONTH * price.natHour + gb * price.natGb;
  const addresses = taskHours * price.publicAddressHour;
  return [
    { what: 'Collector tasks (Fargate)', usd: taskHours * task },
    { what: 'Load balancer', usd: balancer },
    ...(network === 'private' ? [{ what: 'NAT gateway', usd: nat }] : []),
    ...(network === 'public' ? [{ what: 'Public addresses of the tasks', usd: addresses }] : []),
  ];
}

function cloudWatch(users: number, { alarms }: MonitoringShape): CostItem[] {
  const a = ASSUMPTIONS;
  const price = AWS_PRICES;
  const { metrics, events } = telemetryGb(users);
  const gb = metrics + events;
  const stored = gb * a.storedLogFraction * (a.retentionDays / 30);
  const scanned = (metrics / a.daysPerMonth) * a.dashboardLooks * a.tablesOnDashboard;
  const departments = Math.min(Math.ceil(users / a.peoplePerDepartment), a.mostDepartments);
  const count = countMetrics({
    type: 4,
    model: a.models,
    department: departments,
    tool_name: 3,
    decision: 2,
  });
  return [
    { what: 'Records into CloudWatch Logs', usd: gb * price.logsIngestedGb },
    { what: 'Log storage', usd: stored * price.logsStoredGbMonth },
    { what: 'Looking at the dashboard (Logs Insights)', usd: scanned * price.logsScannedGb },
    { what: 'CloudWatch metrics', usd: count * price.metricMonth },
    { what: 'Dashboard', usd: price.dashboardMonth },
    ...(alarms ? [{ what: 'Alarms and their key', usd: alarmsUsd() }] : []),
  ];
}

/** Three alarms on one metric each, one on two, and three on a query over the metric of every model. */
function alarmsUsd(): number {
  return (3 + 2 + 3 * ASSUMPTIONS.models) * AWS_PRICES.alarmMonth + AWS_PRICES.kmsKeyMonth;
}

function analytics(users: number): CostItem[] {
  const a = ASSUMPTIONS;
  const price = AWS_PRICES;
  const { metrics, events } = telemetryGb(users);
  const gb = metrics + events;
  const parquet = gb * a.parquetFraction;
  const months = a.glacierAfterDays / 30;
  // After a year: the first months at hand, the rest archived.
  const storage = parquet * (months * price.s3GbMonth + (12 - months) * price.s3ArchiveGbMonth);
  // The function takes about ten seconds with 1 GB of memory for a gigabyte of records.
  const transform = gb * 10 * price.lambdaGbSecond;
  const read = (a.queries * a.queriedFraction * parquet) / 1_000;
  return [
    {
      what: 'Delivery and conversion (Firehose)',
      usd: gb * (price.firehoseGb + price.firehoseConversionGb),
    },
    { what: 'Transform (Lambda)', usd: transform },
    { what: 'Data of a year (S3)', usd: storage },
    { what: 'Queries (Athena)', usd: read * price.athenaTb },
  ];
}
