import { CfnScalableTarget, CfnScalingPolicy } from 'aws-cdk-lib/aws-applicationautoscaling';
import { CfnCluster, CfnService, CfnTaskDefinition } from 'aws-cdk-lib/aws-ecs';
import { CfnRole, PolicyDocument, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import type { Stack } from 'aws-cdk-lib/core';
import { deploymentName } from '../outputs.ts';
import type { InfraProfile, Monitoring } from '../profile/profile.ts';
import { COLLECTOR_TASK, collectorConfigText, PORTS } from './collector-config.ts';
import type { CollectorLoadBalancer, CollectorNetwork } from './load-balancer.ts';

/**
 * The AWS distribution of the OpenTelemetry collector, by digest: a tag can be moved to another image. A newer one
 * is a change of these lines, read and tested.
 */
export const COLLECTOR_IMAGE =
  'public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0@sha256:d2bdfff2c377c3d71d78bd5d9ce9862fd535b12134a5739d87a07801297cf9fd';

// Low enough that a second task starts before the first one is at its limit.
const CPU_PERCENT = 60;

export type CollectorLogs = {
  readonly metrics: CfnLogGroup;
  readonly events: CfnLogGroup;
  readonly collector: CfnLogGroup;
};

/** Creates the collector: a Fargate service of one to four tasks behind the load balancer. */
export function createCollector(
  stack: Stack,
  profile: InfraProfile,
  monitoring: Monitoring,
  network: CollectorNetwork,
  loadBalancer: CollectorLoadBalancer,
  logs: CollectorLogs,
): { cluster: CfnCluster; service: CfnService } {
  const cluster = new CfnCluster(stack, 'Cluster', { clusterName: deploymentName(profile.name) });
  const taskDefinition = createTaskDefinition(stack, profile, monitoring, logs);
  const isPublic = monitoring.network.type === 'new' && monitoring.network.tasks === 'public';
  const service = new CfnService(stack, 'Service', {
    cluster: cluster.ref,
    taskDefinition: taskDefinition.ref,
    launchType: 'FARGATE',
    // No desired count: each update of the stack would set it, and scale down a service that is busy.
    enableExecuteCommand: false,
    healthCheckGracePeriodSeconds: 60,
    deploymentConfiguration: {
      // A new task answers before the old one goes, and a version that does not start is taken back.
      minimumHealthyPercent: 100,
      maximumPercent: 200,
      deploymentCircuitBreaker: { enable: true, rollback: true },
    },
    networkConfiguration: {
      awsvpcConfiguration: {
        assignPublicIp: isPublic ? 'ENABLED' : 'DISABLED',
        subnets: network.taskSubnetIds,
        securityGroups: [loadBalancer.collectorSecurityGroup.attrGroupId],
      },
    },
    loadBalancers: [
      { containerName: CONTAINER, containerPort: PORTS.http, targetGroupArn: loadBalancer.targetGroup.ref },
    ],
  });
  service.addResourceDependency(loadBalancer.listener);
  scaleByCpu(stack, cluster, service);
  return { cluster, service };
}

const CONTAINER = 'collector';

function createTaskDefinition(
  stack: Stack,
  profile: InfraProfile,
  { environment }: Monitoring,
  logs: CollectorLogs,
): CfnTaskDefinition {
  const config = collectorConfigText({
    profileName: profile.name,
    environment,
    region: profile.region,
    accountId: stack.account,
  });
  return new CfnTaskDefinition(stack, 'TaskDefinition', {
    family: `${deploymentName(profile.name)}-collector`,
    requiresCompatibilities: ['FARGATE'],
    networkMode: 'awsvpc',
    cpu: String(COLLECTOR_TASK.cpuUnits),
    memory: String(COLLECTOR_TASK.memoryMib),
    runtimePlatform: { cpuArchitecture: 'X86_64', operatingSystemFamily: 'LINUX' },
    taskRoleArn: createRole(stack, 'TaskRole', 'The collector writes telemetry', [logs.metrics, logs.events]),
    executionRoleArn: createRole(stack, 'ExecutionRole', 'Fargate writes what the collector says', [
      logs.collector,
    ]),
    containerDefinitions: [
      {
        name: CONTAINER,
        image: COLLECTOR_IMAGE,
        essential: true,
        readonlyRootFilesystem: true,
        linuxParameters: { capabilities: { drop: ['ALL'] } },
        environment: [{ name: 'AOT_CONFIG_CONTENT', value: config }],
        portMappings: [PORTS.http, PORTS.health].map((containerPort) => ({ containerPort, protocol: 'tcp' })),
        logConfiguration: {
          logDriver: 'awslogs',
          options: {
            'awslogs-group': logs.collector.ref,
            'awslogs-region': stack.region,
            'awslogs-stream-prefix': CONTAINER,
          },
        },
      },
    ],
  });
}

/** Returns the ARN of a role that lets the account's own tasks write these log groups, and nothing else. */
function createRole(
  stack: Stack,
  id: string,
  description: string,
  logGroups: readonly CfnLogGroup[],
): string {
  const trust = new PolicyStatement({
    principals: [new ServicePrincipal('ecs-tasks.amazonaws.com')],
    actions: ['sts:AssumeRole'],
    // ECS names the source for the one role, and is not documented to for the other. Roles are passed within
    // an account only, so this is a second lock.
    ...(id === 'TaskRole' && {
      conditions: {
        StringEquals: { 'aws:SourceAccount': stack.account },
        ArnLike: { 'aws:SourceArn': stack.formatArn({ service: 'ecs', resource: '*' }) },
      },
    }),
  });
  const write = new PolicyStatement({
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    resources: logGroups.map(({ attrArn }) => attrArn),
  });
  const role = new CfnRole(stack, id, {
    description,
    assumeRolePolicyDocument: new PolicyDocument({ statements: [trust] }),
    policies: [{ policyName: 'Write', policyDocument: new PolicyDocument({ statements: [write] }) }],
  });
  return role.attrArn;
}

function scaleByCpu(stack: Stack, cluster: CfnCluster, service: CfnService): void {
  const target = new CfnScalableTarget(stack, 'ScalableTarget', {
    serviceNamespace: 'ecs',
    scalableDimension: 'ecs:service:DesiredCount',
    resourceId: `service/${cluster.ref}/${service.attrName}`,
    minCapacity: COLLECTOR_TASK.least,
    maxCapacity: COLLECTOR_TASK.most,
  });
  new CfnScalingPolicy(stack, 'CpuScaling', {
    policyName: 'Cpu',
    policyType: 'TargetTrackingScaling',
    scalingTargetId: target.ref,
    targetTrackingScalingPolicyConfiguration: {
      predefinedMetricSpecification: { predefinedMetricType: 'ECSServiceAverageCPUUtilization' },
      targetValue: CPU_PERCENT,
      scaleOutCooldown: 60,
      scaleInCooldown: 300,
    },
  });
}
