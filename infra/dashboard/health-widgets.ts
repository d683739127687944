import type { AwsSeries, Source, Widget } from './widget-source.ts';

function from(namespace: AwsSeries['namespace'], ...series: [string, AwsSeries['stat'], string][]): Source {
  return {
    kind: 'metrics',
    series: series.map(([metric, stat, label]) => ({ kind: 'aws', namespace, metric, stat, label })),
  };
}

/** Metrics of Bedrock: all callers of the account in the profile's regions, not Claude Code alone. */
export const BEDROCK_WIDGETS: readonly Widget[] = [
  {
    id: 'bedrock-invocations',
    title: 'Bedrock invocations by model',
    says: 'Calls by model in each region of the profile. Of the whole account: other programs count too.',
    size: [12, 6],
    view: 'stacked',
    source: from('AWS/Bedrock', ['Invocations', 'Sum', '']),
  },
  {
    id: 'bedrock-latency',
    title: 'Bedrock latency by model (p90)',
    says: 'Nine of ten calls took less, from the request to the last token. Long answers take long: compare with another day, not with zero.',
    size: [12, 6],
    view: 'line',
    unit: 'ms',
    source: from('AWS/Bedrock', ['InvocationLatency', 'p90', '']),
  },
  {
    id: 'bedrock-throttles',
    title: 'Bedrock throttles by model',
    says: 'Calls refused because a quota of the account was used up. Claude Code tries again by itself; people see it wait.',
    size: [12, 6],
    view: 'bar',
    source: from('AWS/Bedrock', ['InvocationThrottles', 'Sum', '']),
  },
  {
    id: 'bedrock-errors',
    title: 'Bedrock errors by model',
    says: 'Client errors are wrong or forbidden requests, server errors are AWS’s own.',
    size: [12, 6],
    view: 'bar',
    source: from(
      'AWS/Bedrock',
      ['InvocationClientErrors', 'Sum', 'client errors'],
      ['InvocationServerErrors', 'Sum', 'server errors'],
    ),
  },
];

export const COLLECTOR_WIDGETS: readonly Widget[] = [
  {
    id: 'collector-hosts',
    title: 'Collectors in service',
    says: 'Tasks that pass the load balancer’s health check, and those that do not. None healthy: telemetry is lost, work is not.',
    size: [8, 6],
    view: 'line',
    source: from(
      'AWS/ApplicationELB',
      ['HealthyHostCount', 'Maximum', 'healthy'],
      ['UnHealthyHostCount', 'Maximum', 'unhealthy'],
    ),
  },
  {
    id: 'collector-load',
    title: 'Collector CPU and memory',
    says: 'Of what a task may use. Tasks are added by CPU; memory near 100 % means records are refused.',
    size: [8, 6],
    view: 'line',
    unit: '%',
    source: from('AWS/ECS', ['CPUUtilization', 'Average', 'CPU'], ['MemoryUtilization', 'Maximum', 'memory']),
  },
  {
    id: 'collector-requests',
    title: 'Telemetry requests',
    says: 'Requests of Claude Code, those that the load balancer refused (401: no valid ID token), those that the collector refused (4xx) and those that failed (5xx).',
    size: [8, 6],
    view: 'line',
    source: from(
      'AWS/ApplicationELB',
      ['RequestCount', 'Sum', 'forwarded'],
      ['HTTPCode_ELB_4XX_Count', 'Sum', 'token refused'],
      ['HTTPCode_Target_4XX_Count', 'Sum', 'refused'],
      ['HTTPCode_Target_5XX_Count', 'Sum', 'failed'],
    ),
  },
];

/** Only with the analytics stack. */
export const DELIVERY_WIDGETS: readonly Widget[] = [
  {
    id: 'delivery',
    title: 'Records for analytics',
    says: 'Records that came in and that were written to the bucket. The second follows within a quarter of an hour.',
    size: [12, 6],
    view: 'line',
    source: from(
      'AWS/Firehose',
      ['IncomingRecords', 'Sum', 'received'],
      ['DeliveryToS3.Records', 'Sum', 'delivered'],
    ),
  },
  {
    id: 'delivery-age',
    title: 'Age of what waits for delivery',
    says: 'Seconds since the oldest record that is not in the bucket yet. Over 1,800: look at the delivery stream’s error log.',
    size: [12, 6],
    view: 'line',
    source: from('AWS/Firehose', ['DeliveryToS3.DataFreshness', 'Maximum', 'seconds']),
  },
];
