import t, { type Test } from 'tap';
import { COLLECTOR_TASK } from '../../../infra/collector/collector-config.ts';
import { COLLECTOR_IMAGE } from '../../../infra/collector/collector-service.ts';
import { MONITORING_OUTPUTS } from '../../../infra/outputs.ts';
import { MONITORINGS, monitored } from '../fixtures/configurations.ts';
import { COGNITO, profileOf } from '../fixtures/profiles.ts';
import { jsonOf, propertiesOf, type TemplateJson, typesOf } from '../fixtures/templates.ts';

process.env.CDK_VALIDATION = 'false';

const okta = profileOf('okta', COGNITO);
type Name = keyof typeof MONITORINGS;
const templateFor = (t: Test, name: Name): TemplateJson =>
  jsonOf(t, 'monitoring', monitored(okta, MONITORINGS[name]));
const ref = (id: string): object => ({ Ref: id });
const attribute = (id: string, name: string): object => ({ 'Fn::GetAtt': [id, name] });

/** Logical id → type: a contract. */
const COLLECTOR = {
  MetricsLogGroup: 'AWS::Logs::LogGroup',
  EventsLogGroup: 'AWS::Logs::LogGroup',
  CollectorLogGroup: 'AWS::Logs::LogGroup',
  CollectorSecurityGroup: 'AWS::EC2::SecurityGroup',
  LoadBalancerSecurityGroup: 'AWS::EC2::SecurityGroup',
  CollectorHttpIngress: 'AWS::EC2::SecurityGroupIngress',
  CollectorHealthIngress: 'AWS::EC2::SecurityGroupIngress',
  LoadBalancer: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
  TargetGroup: 'AWS::ElasticLoadBalancingV2::TargetGroup',
  Cluster: 'AWS::ECS::Cluster',
  TaskRole: 'AWS::IAM::Role',
  ExecutionRole: 'AWS::IAM::Role',
  TaskDefinition: 'AWS::ECS::TaskDefinition',
  Service: 'AWS::ECS::Service',
  ScalableTarget: 'AWS::ApplicationAutoScaling::ScalableTarget',
  CpuScaling: 'AWS::ApplicationAutoScaling::ScalingPolicy',
};
const LISTENER = 'AWS::ElasticLoadBalancingV2::Listener';
const TLS = { HttpsListener: LISTENER, HttpListener: LISTENER };

t.test('the collector has exactly these resources', async (t) => {
  const record = { DnsRecord: 'AWS::Route53::RecordSet' };
  const expected: Record<Name, object> = {
    'new private': { HttpListener: LISTENER },
    'new public': { HttpListener: LISTENER },
    'new private internal': { HttpListener: LISTENER },
    'new public internal': { HttpListener: LISTENER },
    existing: { HttpListener: LISTENER },
    'existing internal': { HttpListener: LISTENER },
    'new private, domain': {
      ...TLS,
      ...record,
      Certificate: 'AWS::CertificateManager::Certificate',
    },
    'existing internal, certificate': TLS,
    'existing, zone and certificate': { ...TLS, ...record },
  };
  for (const [name, more] of Object.entries(expected)) {
    t.strictSame(typesOf(templateFor(t, name as Name)), { ...COLLECTOR, ...more }, name);
  }
});

t.test('the collector uses the network of the networking stack or an existing one', async (t) => {
  const made = templateFor(t, 'new private');
  t.strictSame(
    Object.entries(made.Parameters ?? {}).map(([id, { Type }]) => [id, Type]),
    [
      ['VpcId', 'AWS::EC2::VPC::Id'],
      ['TaskSubnetIds', 'List<AWS::EC2::Subnet::Id>'],
      ['LoadBalancerSubnetIds', 'List<AWS::EC2::Subnet::Id>'],
    ],
  );
  t.strictSame(propertiesOf(made, 'LoadBalancer').Subnets, ref('LoadBalancerSubnetIds'));
  t.strictSame(propertiesOf(made, 'TargetGroup').VpcId, ref('VpcId'));
  const existing = templateFor(t, 'existing');
  t.equal(existing.Parameters, undefined);
  t.strictSame(
    propertiesOf(existing, 'LoadBalancer').Subnets,
    MONITORINGS.existing.network.loadBalancerSubnetIds,
  );
  t.match(propertiesOf(existing, 'Service').NetworkConfiguration, {
    AwsvpcConfiguration: { Subnets: MONITORINGS.existing.network.taskSubnetIds },
  });
});

t.test('a task has a public address only without a NAT gateway', async (t) => {
  for (const name of Object.keys(MONITORINGS) as Name[]) {
    const AssignPublicIp = name.startsWith('new public') ? 'ENABLED' : 'DISABLED';
    t.match(propertiesOf(templateFor(t, name), 'Service').NetworkConfiguration, {
      AwsvpcConfiguration: {
        AssignPublicIp,
        SecurityGroups: [attribute('CollectorSecurityGroup', 'GroupId')],
      },
    });
  }
});

t.test('the service keeps one to four healthy tasks and rolls back a failed deployment', async (t) => {
  const template = templateFor(t, 'new private');
  t.match(propertiesOf(template, 'Service'), {
    EnableExecuteCommand: false,
    LaunchType: 'FARGATE',
    DeploymentConfiguration: {
      DeploymentCircuitBreaker: { Enable: true, Rollback: true },
      MinimumHealthyPercent: 100,
      MaximumPercent: 200,
    },
    LoadBalancers: [{ ContainerPort: 4_318, TargetGroupArn: ref('TargetGroup') }],
  });
  t.strictSame(template.Resources.Service?.DependsOn, ['HttpListener']);
  t.notOk(
    'DesiredCount' in propertiesOf(template, 'Service'),
    'an update leaves the number of tasks as it is',
  );
  t.match(propertiesOf(template, 'ScalableTarget'), { MinCapacity: 1, MaxCapacity: 4 });
  t.match(propertiesOf(template, 'CpuScaling').TargetTrackingScalingPolicyConfiguration, {
    PredefinedMetricSpecification: { PredefinedMetricType: 'ECSServiceAverageCPUUtilization' },
    TargetValue: 60,
  });
  t.match(propertiesOf(template, 'TargetGroup'), {
    Port: 4_318,
    TargetType: 'ip',
    HealthCheckPort: '13133',
    HealthCheckPath: '/',
    Matcher: { HttpCode: '200' },
  });
});

t.test('the task runs the pinned image with nothing it does not need', async (t) => {
  const task = propertiesOf(templateFor(t, 'new private'), 'TaskDefinition');
  t.match(COLLECTOR_IMAGE, /:v\d+\.\d+\.\d+@sha256:[0-9a-f]{64}$/);
  t.match(task, {
    Family: 'ccwb-ClaudeCode-collector',
    Cpu: String(COLLECTOR_TASK.cpuUnits),
    Memory: String(COLLECTOR_TASK.memoryMib),
    NetworkMode: 'awsvpc',
    ContainerDefinitions: [
      {
        Image: COLLECTOR_IMAGE,
        ReadonlyRootFilesystem: true,
        LinuxParameters: { Capabilities: { Drop: ['ALL'] } },
        PortMappings: [{ ContainerPort: 4_318 }, { ContainerPort: 13_133 }],
        LogConfiguration: { LogDriver: 'awslogs', Options: { 'awslogs-group': ref('CollectorLogGroup') } },
      },
    ],
  });
  const [{ Environment }] = task.ContainerDefinitions as [{ Environment: { Name: string }[] }];
  t.strictSame(
    Environment.map(({ Name }) => Name),
    ['AOT_CONFIG_CONTENT'],
  );
});

t.test('the collector may write its log groups and do nothing else', async (t) => {
  const template = templateFor(t, 'new private');
  const roles = { TaskRole: ['MetricsLogGroup', 'EventsLogGroup'], ExecutionRole: ['CollectorLogGroup'] };
  for (const [id, groups] of Object.entries(roles)) {
    const role = propertiesOf(template, id);
    t.match(role.AssumeRolePolicyDocument, {
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'ecs-tasks.amazonaws.com' },
          Action: 'sts:AssumeRole',
          ...(id === 'TaskRole' && {
            Condition: { StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') }, ArnLike: {} },
          }),
        },
      ],
    });
    const resources = groups.map((group) => attribute(group, 'Arn'));
    t.strictSame(role.Policies, [
      {
        PolicyName: 'Write',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              Resource: resources.length === 1 ? resources[0] : resources,
            },
          ],
        },
      },
    ]);
  }
});

t.test('the log groups are named after the deployment and expire', async (t) => {
  const template = templateFor(t, 'new private');
  for (const [id, name] of [
    ['MetricsLogGroup', 'metrics'],
    ['EventsLogGroup', 'events'],
    ['CollectorLogGroup', 'collector'],
  ] as const) {
    t.strictSame(propertiesOf(template, id), {
      LogGroupName: `/aws/claude-code/ClaudeCode/${name}`,
      RetentionInDays: 90,
    });
  }
});

t.test('the outputs are those of infra/outputs', async (t) => {
  const { Outputs } = templateFor(t, 'new private');
  t.strictSame(Object.keys(Outputs).sort(), Object.values(MONITORING_OUTPUTS).sort());
  t.strictSame(Outputs.CollectorEndpoint?.Value, {
    'Fn::Join': ['', ['http://', attribute('LoadBalancer', 'DNSName')]],
  });
  t.equal(
    templateFor(t, 'new private, domain').Outputs.CollectorEndpoint?.Value,
    'https://otel.company.example',
  );
});
