import { CfnAlarm, CfnDashboard } from 'aws-cdk-lib/aws-cloudwatch';
import {
  AccountRootPrincipal,
  AnyPrincipal,
  Effect,
  PolicyDocument,
  PolicyStatement,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { CfnKey } from 'aws-cdk-lib/aws-kms';
import { CfnSubscription, CfnTopic, CfnTopicPolicy } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { DeploymentStack } from '../deployment-stack.ts';
import { DASHBOARD_OUTPUTS, deliveryStreamName } from '../outputs.ts';
import { ALARMS, type AlarmThresholds } from './alarms.ts';
import { type DashboardContext, dashboardBody } from './dashboard-body.ts';

export type DashboardProps = {
  /** Name of the deployment. */
  readonly name: string;
  readonly region: string;
  readonly namespace: string;
  /** Value of the attribute `deployment.environment`. */
  readonly environment: string;
  readonly metricsLogGroup: string;
  readonly bedrockRegions: readonly string[];
  readonly analytics: boolean;
  readonly alarms?: AlarmThresholds;
};

/** CloudFormation parameters of the stack, filled from what the monitoring stack gives back. */
export const DASHBOARD_PARAMETERS = {
  loadBalancer: 'LoadBalancerName',
  targetGroup: 'TargetGroupName',
  cluster: 'ClusterName',
  service: 'ServiceName',
} as const;

/** Permissions of the account's administrators on the key: everything but decrypting. */
const ADMINISTER_KEY = [
  'CancelKeyDeletion',
  'DescribeKey',
  'DisableKey',
  'DisableKeyRotation',
  'EnableKey',
  'EnableKeyRotation',
  'GetKeyPolicy',
  'GetKeyRotationStatus',
  'ListResourceTags',
  'PutKeyPolicy',
  'ScheduleKeyDeletion',
  'TagResource',
  'UntagResource',
  'UpdateKeyDescription',
].map((action) => `kms:${action}`);

/** The dashboard of a deployment and its alarms. */
export class DashboardStack extends DeploymentStack {
  constructor(scope: Construct, props: DashboardProps) {
    super(scope, 'dashboard', props, 'dashboard and alarms');
    const context = this.#contextOf(props);
    new CfnDashboard(this, 'Dashboard', {
      dashboardName: this.deployment,
      dashboardBody: this.toJsonString(dashboardBody(context)),
    });
    this.output(DASHBOARD_OUTPUTS.dashboardName, this.deployment, 'in the CloudWatch console of the region');
    if (props.alarms) this.#createAlarms(context, props.alarms);
  }

  #contextOf(props: DashboardProps): DashboardContext {
    const { loadBalancer, targetGroup, cluster, service } = DASHBOARD_PARAMETERS;
    return {
      ...props,
      deployment: props.name,
      collector: {
        loadBalancer: this.parameter(loadBalancer, 'app/NAME/ID of the collector’s load balancer'),
        targetGroup: this.parameter(targetGroup, 'targetgroup/NAME/ID of the collector'),
        cluster: this.parameter(cluster, 'ECS cluster of the collector'),
        service: this.parameter(service, 'ECS service of the collector'),
      },
      ...(props.analytics && { deliveryStream: deliveryStreamName(props.name) }),
    };
  }

  #createAlarms(context: DashboardContext, thresholds: AlarmThresholds): void {
    const topic = this.#createTopic();
    if (thresholds.email !== undefined) {
      new CfnSubscription(this, 'EmailSubscription', {
        topicArn: topic.ref,
        protocol: 'email',
        endpoint: thresholds.email,
      });
    }
    for (const [id, { name, description, watch }] of Object.entries(ALARMS)) {
      new CfnAlarm(this, id, {
        alarmName: `${this.deployment}-${name}`,
        alarmDescription: description,
        ...watch(context, thresholds),
        alarmActions: [topic.ref],
        okActions: [topic.ref],
      });
    }
    this.output(DASHBOARD_OUTPUTS.alarmTopicArn, topic.ref, 'subscribe to it for the alarms');
  }

  /** Encrypted with a key of our own: AWS's own key for SNS does not admit CloudWatch. */
  #createTopic(): CfnTopic {
    const cloudWatch = new ServicePrincipal('cloudwatch.amazonaws.com');
    const ofThisAccount = { StringEquals: { 'aws:SourceAccount': this.account } };
    const key = new CfnKey(this, 'AlarmKey', {
      description: `Messages of the alarms of ${this.deployment}`,
      enableKeyRotation: true,
      keyPolicy: new PolicyDocument({
        statements: [
          new PolicyStatement({
            sid: 'AccountDecides',
            principals: [new AccountRootPrincipal()],
            actions: ADMINISTER_KEY,
            resources: ['*'],
          }),
          new PolicyStatement({
            sid: 'AlarmsEncrypt',
            principals: [cloudWatch],
            actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
            resources: ['*'],
            conditions: ofThisAccount,
          }),
        ],
      }),
    });
    const topic = new CfnTopic(this, 'AlarmTopic', { kmsMasterKeyId: key.attrArn });
    new CfnTopicPolicy(this, 'AlarmTopicPolicy', {
      topics: [topic.ref],
      policyDocument: new PolicyDocument({
        statements: [
          new PolicyStatement({
            sid: 'AlarmsPublish',
            principals: [cloudWatch],
            actions: ['sns:Publish'],
            resources: [topic.ref],
            conditions: ofThisAccount,
          }),
          new PolicyStatement({
            sid: 'OnlyOverTls',
            effect: Effect.DENY,
            principals: [new AnyPrincipal()],
            actions: ['sns:Publish'],
            resources: [topic.ref],
            conditions: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ],
      }),
    });
    return topic;
  }
}
