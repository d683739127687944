/**
 * Names, outputs and parameters of the stacks, for callers that must not load CDK. The stacks use the same
 * constants, so the two cannot differ.
 */
import { createHash } from 'node:crypto';
import type { InfraProfile, NetworkChoice } from './profile/profile.ts';

export type { InfraProfile } from './profile/profile.ts';

/** Every stack, in the order of deployment. */
export const STACKS = ['auth', 'networking', 'monitoring', 'dashboard', 'analytics'] as const;
export type StackId = (typeof STACKS)[number];

/** The part of a profile that decides which stacks it has. */
export type StackChoices = {
  readonly monitoring?: { readonly network: Pick<NetworkChoice, 'type'>; readonly analytics?: unknown };
};

const IS_WANTED: Readonly<Record<StackId, (profile: StackChoices) => boolean>> = {
  auth: () => true,
  networking: ({ monitoring }) => monitoring?.network.type === 'new',
  monitoring: ({ monitoring }) => monitoring !== undefined,
  dashboard: ({ monitoring }) => monitoring !== undefined,
  analytics: ({ monitoring }) => monitoring?.analytics !== undefined,
};

/** Returns the stacks of a profile, in the order of deployment. */
export function stacksOf(profile: StackChoices): StackId[] {
  return STACKS.filter((stack) => IS_WANTED[stack](profile));
}

/** Returns the name of a stack in CloudFormation, e.g. `ccwb-ClaudeCode-auth`. */
export function stackName(profileName: string, stack: StackId): string {
  return `${deploymentName(profileName)}-${stack}`;
}

/** Returns the name of a deployment, from which names of resources derive, e.g. `ccwb-ClaudeCode`. */
export function deploymentName(profileName: string): string {
  return `ccwb-${profileName}`;
}

/** Returns the CloudWatch namespace of a deployment, e.g. `ClaudeCode/Research`. */
export function metricNamespace(profileName: string): string {
  return `ClaudeCode/${profileName}`;
}

/** Returns the name of the delivery stream of analytics, at most 64 characters as Firehose demands. */
export function deliveryStreamName(profileName: string): string {
  const name = `${deploymentName(profileName)}-analytics`;
  if (name.length <= 64) return name;
  const digest = createHash('sha256').update(profileName).digest('hex').slice(0, 8);
  return `${deploymentName(profileName).slice(0, 45)}-${digest}-analytics`;
}

/**
 * Content of a log group: metrics of the collector (embedded metric format), events of Claude Code, the log
 * of the collector, refused connections of the VPC, events of CloudTrail.
 */
export type LogContent = 'metrics' | 'events' | 'collector' | 'network' | 'audit';

/** Returns the name of a log group, e.g. `/aws/claude-code/ClaudeCode/metrics`. */
export function logGroupName(profileName: string, content: LogContent): string {
  return `/aws/claude-code/${profileName}/${content}`;
}

/** CloudFormation output keys of the `auth` stack. */
export const AUTH_OUTPUTS = {
  /** ARN of the role users get; config.json's `federated_role_arn` for direct federation. Always there. */
  roleArn: 'RoleArn',
  /** Id of the identity pool; config.json's `identity_pool_id`. Absent for direct federation. */
  identityPoolId: 'IdentityPoolId',
  /** Bucket of the audit trail. Absent without audit. Kept when the stack is destroyed. */
  auditBucketName: 'AuditBucketName',
} as const;

/** CloudFormation output keys of the `networking` stack. All of them are always there. */
export const NETWORKING_OUTPUTS = {
  vpcId: 'VpcId',
  /** Ids of the subnets for the collector's tasks, separated by commas. */
  taskSubnetIds: 'TaskSubnetIds',
  /** Ids of the subnets for the load balancer, in two zones, separated by commas. */
  loadBalancerSubnetIds: 'LoadBalancerSubnetIds',
} as const;

/** CloudFormation output keys of the `monitoring` stack. All of them are always there. */
export const MONITORING_OUTPUTS = {
  /** `OTEL_EXPORTER_OTLP_ENDPOINT` of Claude Code: a URL without a path. */
  collectorEndpoint: 'CollectorEndpoint',
  /** Host name of the load balancer: what a DNS record outside this account points at. */
  loadBalancerDnsName: 'LoadBalancerDnsName',
  /** Dimension `LoadBalancer` of its metrics in `AWS/ApplicationELB`. */
  loadBalancerName: 'LoadBalancerName',
  /** Dimension `TargetGroup` of its metrics in `AWS/ApplicationELB`. */
  targetGroupName: 'TargetGroupName',
  /** Dimensions of the collector's metrics in `AWS/ECS`. */
  clusterName: 'ClusterName',
  serviceName: 'ServiceName',
} as const;

/** CloudFormation output keys of the `dashboard` stack. */
export const DASHBOARD_OUTPUTS = {
  /** Name of the dashboard in CloudWatch. Always there. */
  dashboardName: 'DashboardName',
  /** Topic that the alarms are sent to. Absent without alarms. */
  alarmTopicArn: 'AlarmTopicArn',
} as const;

/** CloudFormation output keys of the `analytics` stack. All of them are always there. */
export const ANALYTICS_OUTPUTS = {
  /** Bucket of the data. Kept when the stack is destroyed. */
  dataBucketName: 'DataBucketName',
  resultsBucketName: 'ResultsBucketName',
  /** Athena's workgroup and the table's database: where the queries are. */
  workGroupName: 'WorkGroupName',
  databaseName: 'DatabaseName',
} as const;

/** A value that one stack's output gives. */
export type StackInput = { readonly stack: StackId; readonly output: string };

/**
 * Parameters of each stack's template, and whose output is their value. Stacks import nothing from each
 * other: whoever deploys fills these in, so that each can be deployed, and read, alone.
 */
export const STACK_INPUTS = {
  auth: {},
  networking: {},
  monitoring: {
    VpcId: { stack: 'networking', output: NETWORKING_OUTPUTS.vpcId },
    TaskSubnetIds: { stack: 'networking', output: NETWORKING_OUTPUTS.taskSubnetIds },
    LoadBalancerSubnetIds: { stack: 'networking', output: NETWORKING_OUTPUTS.loadBalancerSubnetIds },
  },
  dashboard: {
    LoadBalancerName: { stack: 'monitoring', output: MONITORING_OUTPUTS.loadBalancerName },
    TargetGroupName: { stack: 'monitoring', output: MONITORING_OUTPUTS.targetGroupName },
    ClusterName: { stack: 'monitoring', output: MONITORING_OUTPUTS.clusterName },
    ServiceName: { stack: 'monitoring', output: MONITORING_OUTPUTS.serviceName },
  },
  analytics: {},
} as const satisfies Readonly<Record<StackId, Readonly<Record<string, StackInput>>>>;

/** Returns the parameters of a profile's template; none for a stack that the profile does not want. */
export function stackInputs(stack: StackId, profile: InfraProfile): Record<string, StackInput> {
  const wanted = stacksOf(profile);
  const inputs: Readonly<Record<string, StackInput>> = STACK_INPUTS[stack];
  return Object.fromEntries(Object.entries(inputs).filter(([, from]) => wanted.includes(from.stack)));
}
