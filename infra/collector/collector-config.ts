import { logGroupName, metricNamespace } from '../outputs.ts';
import { METRICS } from './claude-code-metrics.ts';

/** Ports of the collector. Only HTTP is behind the load balancer: the helper's headers go with HTTP alone. */
export const PORTS = { grpc: 4_317, http: 4_318, health: 13_133 } as const;

/** Size and number of the Fargate tasks. */
export const COLLECTOR_TASK = { cpuUnits: 512, memoryMib: 1_024, least: 1, most: 4 } as const;

/**
 * Memory at which the collector refuses records, and the margin below it at which it frees memory. In MiB,
 * not per cent: a container on Fargate sees the memory of the machine, not of its task.
 */
const MEMORY_LIMIT = { limit_mib: COLLECTOR_TASK.memoryMib * 0.75, spike_limit_mib: 192 } as const;

/**
 * Attribute of each header of otel-helper. It replaces Claude Code's own attribute of the same name: a value
 * invented by the user's machine must not look like one of the identity provider.
 */
export const HEADER_ATTRIBUTES: Readonly<Record<string, string>> = {
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
};

/** Attributes of the user. The headers set them, never the settings (`OTEL_RESOURCE_ATTRIBUTES`) of a machine. */
const IDENTITY = ['user.email', 'user.id', 'user.name'] as const;

export type CollectorInput = {
  /** Of the deployment: namespace and log groups derive from it. */
  readonly profileName: string;
  readonly environment: string;
  readonly region: string;
  /** May be a placeholder that CloudFormation fills in. */
  readonly accountId: string;
};

type AttributeAction =
  | { key: string; action: 'upsert'; from_context: string }
  | { key: string; action: 'upsert'; value: string }
  | { key: string; action: 'delete' };

/** The part of the collector's configuration language that is used here, as its components document it. */
export type CollectorConfig = {
  extensions: { health_check: { endpoint: string } };
  receivers: {
    otlp: {
      protocols: Record<'grpc' | 'http', { endpoint: string; include_metadata: boolean }>;
    };
  };
  processors: {
    memory_limiter: { check_interval: string; limit_mib: number; spike_limit_mib: number };
    filter: FilterProcessor;
    attributes: { actions: AttributeAction[] };
    resource: { attributes: AttributeAction[] };
    batch: { timeout: string; send_batch_size: number; send_batch_max_size: number };
  };
  exporters: { awsemf: EmfExporter; awscloudwatchlogs: LogsExporter };
  service: {
    extensions: ['health_check'];
    pipelines: Record<'metrics' | 'logs', { receivers: string[]; processors: string[]; exporters: string[] }>;
    telemetry: { logs: { level: 'warn' }; metrics: { level: 'none' } };
  };
};

/** Drops the records for which a condition holds (OpenTelemetry Transformation Language). */
type FilterProcessor = {
  error_mode: 'ignore';
  metrics: { datapoint: readonly string[] };
  logs: { log_record: readonly string[] };
};

type EmfExporter = {
  region: string;
  namespace: string;
  log_group_name: string;
  log_stream_name: string;
  /** `1`: records with an `_aws` member, as the specification of the embedded metric format has it. */
  version: '1';
  dimension_rollup_option: 'NoDimensionRollup';
  resource_to_telemetry_conversion: { enabled: true };
  metric_declarations: { dimensions: string[][]; metric_name_selectors: [string] }[];
  metric_descriptors: { metric_name: string; unit: string; overwrite: true }[];
};

type LogsExporter = { region: string; log_group_name: string; log_stream_name: string };

/**
 * Conditions for records of a machine whose clock is wrong. CloudWatch Logs takes events that are at most two hours
 * ahead and fourteen days old; one record beyond that would make it refuse those of all other machines in the batch.
 */
const WRONG_TIMES = ['time > Now() + Duration("1h")', 'time < Now() - Duration("300h")'] as const;

/** The stream of a log group that all tasks write to; there is no limit per stream any more. */
const LOG_STREAM = 'collector';

/** Configuration of the collector for a deployment. */
export function collectorConfig(input: CollectorInput): CollectorConfig {
  // All interfaces: the load balancer comes from outside, and the security group admits nobody else.
  const listen = (port: number): string => `0.0.0.0:${port}`;
  // Headers are read before `batch`, which mixes requests, and memory is guarded before everything.
  const processors = ['memory_limiter', 'filter', 'attributes', 'resource', 'batch'];
  return {
    extensions: { health_check: { endpoint: listen(PORTS.health) } },
    receivers: {
      otlp: {
        protocols: {
          grpc: { endpoint: listen(PORTS.grpc), include_metadata: true },
          http: { endpoint: listen(PORTS.http), include_metadata: true },
        },
      },
    },
    processors: {
      memory_limiter: { check_interval: '1s', ...MEMORY_LIMIT },
      filter: {
        error_mode: 'ignore',
        metrics: { datapoint: WRONG_TIMES },
        logs: { log_record: WRONG_TIMES },
      },
      attributes: { actions: [...withoutIdentity(), ...headerActions()] },
      resource: { attributes: resourceActions(input) },
      // A full batch goes at once: a busy minute is not held in memory.
      batch: { timeout: '60s', send_batch_size: 1_000, send_batch_max_size: 1_000 },
    },
    exporters: exporters(input),
    service: {
      extensions: ['health_check'],
      pipelines: {
        metrics: { receivers: ['otlp'], processors, exporters: ['awsemf'] },
        logs: { receivers: ['otlp'], processors, exporters: ['awscloudwatchlogs'] },
      },
      // The service's own metrics have no reader: its health is the load balancer's and the log group's affair.
      telemetry: { logs: { level: 'warn' }, metrics: { level: 'none' } },
    },
  };
}

/** The same as the text that the image takes in `AOT_CONFIG_CONTENT`: YAML, of which JSON is a part. */
export function collectorConfigText(input: CollectorInput): string {
  // Not indented: a task definition has room for 64 KB.
  return JSON.stringify(collectorConfig(input));
}

/** Deletes what the machine says of the user: without a header, nothing may stand in for a verified value. */
function withoutIdentity(): AttributeAction[] {
  return IDENTITY.map((key) => ({ key, action: 'delete' }));
}

function headerActions(): AttributeAction[] {
  return Object.entries(HEADER_ATTRIBUTES).map(([header, key]) => ({
    key,
    action: 'upsert',
    from_context: `metadata.${header}`,
  }));
}

function resourceActions({ accountId, environment }: CollectorInput): AttributeAction[] {
  return [
    ...withoutIdentity(),
    { key: 'aws.account_id', action: 'upsert', value: accountId },
    { key: 'deployment.environment', action: 'upsert', value: environment },
  ];
}

const METRIC_ENTRIES = Object.entries(METRICS);

function exporters({ profileName, region }: CollectorInput): CollectorConfig['exporters'] {
  return {
    awsemf: {
      region,
      namespace: metricNamespace(profileName),
      log_group_name: logGroupName(profileName, 'metrics'),
      log_stream_name: LOG_STREAM,
      version: '1',
      // Only the sets below: the default would add each dimension alone, and with it every user.
      dimension_rollup_option: 'NoDimensionRollup',
      resource_to_telemetry_conversion: { enabled: true },
      metric_declarations: METRIC_ENTRIES.map(([metric, { dimensionSets }]) => ({
        dimensions: dimensionSets.map((set) => [...set]),
        // Not `$` for the end: the collector would take it for a variable.
        metric_name_selectors: [`^${metric.replaceAll('.', '\\.')}\\z`],
      })),
      metric_descriptors: METRIC_ENTRIES.map(([metric_name, { unit }]) => ({
        metric_name,
        unit,
        overwrite: true,
      })),
    },
    awscloudwatchlogs: {
      region,
      log_group_name: logGroupName(profileName, 'events'),
      log_stream_name: LOG_STREAM,
    },
  };
}
