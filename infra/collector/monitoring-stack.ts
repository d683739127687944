import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnParameter } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { DeploymentStack } from '../deployment-stack.ts';
import { logGroupName, MONITORING_OUTPUTS, STACK_INPUTS } from '../outputs.ts';
import type { InfraProfile, Monitoring } from '../profile/profile.ts';
import { type CollectorLogs, createCollector } from './collector-service.ts';
import { type CollectorNetwork, createLoadBalancer } from './load-balancer.ts';

/** The collector of Claude Code's telemetry, its load balancer, and its log groups. */
export class MonitoringStack extends DeploymentStack {
  readonly #profile: InfraProfile;

  /** @param profile must have passed `findProfileProblem` and ask for monitoring. */
  constructor(scope: Construct, profile: InfraProfile) {
    super(scope, 'monitoring', profile, 'telemetry collector');
    const { monitoring } = profile;
    if (!monitoring) throw new TypeError('the profile asks for no monitoring');
    this.#profile = profile;
    const logs = this.#createLogGroups(monitoring);
    const network = this.#networkOf(monitoring);
    const parts = createLoadBalancer(this, profile, monitoring, network);
    const { cluster, service } = createCollector(this, profile, monitoring, network, parts, logs);

    const { loadBalancer, targetGroup, endpoint } = parts;
    const keys = MONITORING_OUTPUTS;
    this.output(keys.collectorEndpoint, endpoint, 'OTEL_EXPORTER_OTLP_ENDPOINT of Claude Code');
    this.output(
      keys.loadBalancerDnsName,
      loadBalancer.attrDnsName,
      'target of a DNS record outside this stack',
    );
    this.output(keys.loadBalancerName, loadBalancer.attrLoadBalancerFullName, 'dimension LoadBalancer');
    this.output(keys.targetGroupName, targetGroup.attrTargetGroupFullName, 'dimension TargetGroup');
    this.output(keys.clusterName, cluster.ref, 'dimension ClusterName');
    this.output(keys.serviceName, service.attrName, 'dimension ServiceName');
  }

  #createLogGroups({ retentionDays }: Monitoring): CollectorLogs {
    const create = (id: string, content: keyof CollectorLogs): CfnLogGroup =>
      new CfnLogGroup(this, id, {
        logGroupName: logGroupName(this.#profile.name, content),
        retentionInDays: retentionDays,
      });
    return {
      metrics: create('MetricsLogGroup', 'metrics'),
      events: create('EventsLogGroup', 'events'),
      collector: create('CollectorLogGroup', 'collector'),
    };
  }

  /** Returns ids of an existing network, or parameters for the network of the `networking` stack. */
  #networkOf({ network }: Monitoring): CollectorNetwork {
    if (network.type === 'existing') {
      return {
        vpcId: network.vpcId,
        taskSubnetIds: [...network.taskSubnetIds],
        loadBalancerSubnetIds: [...network.loadBalancerSubnetIds],
      };
    }
    return {
      vpcId: this.#parameter('VpcId', 'AWS::EC2::VPC::Id').valueAsString,
      taskSubnetIds: this.#parameter('TaskSubnetIds', SUBNETS).valueAsList,
      loadBalancerSubnetIds: this.#parameter('LoadBalancerSubnetIds', SUBNETS).valueAsList,
    };
  }

  /** A parameter whose value CloudFormation itself checks, unlike a plain text. */
  #parameter(id: keyof typeof STACK_INPUTS.monitoring, type: string): CfnParameter {
    const { stack, output } = STACK_INPUTS.monitoring[id];
    return new CfnParameter(this, id, { type, description: `${output} of the ${stack} stack` });
  }
}

const SUBNETS = 'List<AWS::EC2::Subnet::Id>';
