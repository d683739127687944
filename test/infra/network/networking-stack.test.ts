import t, { type Test } from 'tap';
import { NETWORKING_OUTPUTS } from '../../../infra/outputs.ts';
import { MONITORINGS, monitored } from '../fixtures/configurations.ts';
import { COGNITO, profileOf } from '../fixtures/profiles.ts';
import { jsonOf, propertiesOf, type TemplateJson, typesOf } from '../fixtures/templates.ts';

process.env.CDK_VALIDATION = 'false';

const okta = profileOf('okta', COGNITO);

/** What a network without a NAT gateway is made of: logical id → type, a contract. */
const PUBLIC = {
  Vpc: 'AWS::EC2::VPC',
  InternetGateway: 'AWS::EC2::InternetGateway',
  InternetGatewayAttachment: 'AWS::EC2::VPCGatewayAttachment',
  PublicRouteTable: 'AWS::EC2::RouteTable',
  PublicRoute: 'AWS::EC2::Route',
  PublicASubnet: 'AWS::EC2::Subnet',
  PublicARoutes: 'AWS::EC2::SubnetRouteTableAssociation',
  PublicBSubnet: 'AWS::EC2::Subnet',
  PublicBRoutes: 'AWS::EC2::SubnetRouteTableAssociation',
  FlowLogGroup: 'AWS::Logs::LogGroup',
  FlowLogRole: 'AWS::IAM::Role',
  FlowLog: 'AWS::EC2::FlowLog',
};
const PRIVATE = {
  NatAddress: 'AWS::EC2::EIP',
  NatGateway: 'AWS::EC2::NatGateway',
  PrivateRouteTable: 'AWS::EC2::RouteTable',
  PrivateRoute: 'AWS::EC2::Route',
  PrivateASubnet: 'AWS::EC2::Subnet',
  PrivateARoutes: 'AWS::EC2::SubnetRouteTableAssociation',
  PrivateBSubnet: 'AWS::EC2::Subnet',
  PrivateBRoutes: 'AWS::EC2::SubnetRouteTableAssociation',
};

type Name = keyof typeof MONITORINGS;
const templateFor = (test: Test, name: Name): TemplateJson =>
  jsonOf(test, 'networking', monitored(okta, MONITORINGS[name]));
const subnets = (name: string): object => ({
  'Fn::Join': [',', [{ Ref: `${name}ASubnet` }, { Ref: `${name}BSubnet` }]],
});

t.test('tasks in private subnets need a NAT gateway, tasks in public ones do not', async (t) => {
  t.strictSame(typesOf(templateFor(t, 'new private')), { ...PUBLIC, ...PRIVATE });
  t.strictSame(typesOf(templateFor(t, 'new public')), PUBLIC);
});

t.test('load balancer and tasks are in the subnets of the chosen access', async (t) => {
  const expected: [Name, loadBalancer: string, tasks: string][] = [
    ['new private', 'Public', 'Private'],
    ['new public', 'Public', 'Public'],
    ['new private internal', 'Private', 'Private'],
    ['new public internal', 'Public', 'Public'],
  ];
  for (const [name, loadBalancer, tasks] of expected) {
    const { Outputs } = templateFor(t, name);
    t.strictSame(Object.keys(Outputs), Object.values(NETWORKING_OUTPUTS));
    t.strictSame(Outputs.VpcId?.Value, { Ref: 'Vpc' });
    t.strictSame(Outputs.TaskSubnetIds?.Value, subnets(tasks));
    t.strictSame(Outputs.LoadBalancerSubnetIds?.Value, subnets(loadBalancer));
  }
});

t.test(
  'the subnets are in two zones, do not overlap, and give nobody a public address unasked',
  async (t) => {
    const template = templateFor(t, 'new private');
    t.match(propertiesOf(template, 'Vpc'), { CidrBlock: '10.255.250.0/24', EnableDnsSupport: true });
    const blocks: Record<string, [cidr: string, zone: number]> = {
      PublicA: ['10.255.250.0/26', 0],
      PublicB: ['10.255.250.64/26', 1],
      PrivateA: ['10.255.250.128/26', 0],
      PrivateB: ['10.255.250.192/26', 1],
    };
    for (const [name, [CidrBlock, zone]] of Object.entries(blocks)) {
      t.match(propertiesOf(template, `${name}Subnet`), {
        CidrBlock,
        MapPublicIpOnLaunch: false,
        AvailabilityZone: { 'Fn::Select': [zone, { 'Fn::GetAZs': '' }] },
      });
      t.strictSame(propertiesOf(template, `${name}Routes`), {
        SubnetId: { Ref: `${name}Subnet` },
        RouteTableId: { Ref: `${name.slice(0, -1)}RouteTable` },
      });
    }
  },
);

t.test('private subnets go out by the NAT gateway only', async (t) => {
  const template = templateFor(t, 'new private');
  t.strictSame(propertiesOf(template, 'PrivateRoute'), {
    RouteTableId: { Ref: 'PrivateRouteTable' },
    DestinationCidrBlock: '0.0.0.0/0',
    NatGatewayId: { Ref: 'NatGateway' },
  });
  t.match(propertiesOf(template, 'NatGateway'), { SubnetId: { Ref: 'PublicASubnet' } });
  t.strictSame(template.Resources.NatGateway?.DependsOn, ['PublicRoute']);
  t.strictSame(template.Resources.PublicRoute?.DependsOn, ['InternetGatewayAttachment']);
});

t.test('refused connections are logged, by the account\u2019s own flow logs only', async (t) => {
  const template = templateFor(t, 'new public');
  t.match(propertiesOf(template, 'FlowLog'), {
    ResourceId: { Ref: 'Vpc' },
    TrafficType: 'REJECT',
    LogGroupName: { Ref: 'FlowLogGroup' },
  });
  t.match(propertiesOf(template, 'FlowLogGroup'), {
    LogGroupName: '/aws/claude-code/ClaudeCode/network',
    RetentionInDays: 90,
  });
  t.match(propertiesOf(template, 'FlowLogRole'), {
    AssumeRolePolicyDocument: {
      Statement: [
        {
          Principal: { Service: 'vpc-flow-logs.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
        },
      ],
    },
    Policies: [{ PolicyDocument: { Statement: [{ Resource: { 'Fn::GetAtt': ['FlowLogGroup', 'Arn'] } }] } }],
  });
});

t.test('the name tag of the VPC is the name of the deployment', async (t) => {
  t.match(propertiesOf(templateFor(t, 'new public'), 'Vpc').Tags, [
    { Key: 'Name', Value: 'ccwb-ClaudeCode' },
  ]);
});
