import {
  CfnEIP,
  CfnFlowLog,
  CfnInternetGateway,
  CfnNatGateway,
  CfnRoute,
  CfnRouteTable,
  CfnSubnet,
  CfnSubnetRouteTableAssociation,
  CfnVPC,
  CfnVPCGatewayAttachment,
} from 'aws-cdk-lib/aws-ec2';
import { CfnRole, PolicyDocument, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import { Fn, Tags } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { DeploymentStack } from '../deployment-stack.ts';
import { deploymentName, logGroupName, NETWORKING_OUTPUTS } from '../outputs.ts';
import type { InfraProfile, Monitoring } from '../profile/profile.ts';

/**
 * Small on purpose: it holds a load balancer and at most four tasks, and the smaller it is the easier it is
 * peered with a network that exists. Each subnet is a quarter.
 */
const CIDR = {
  vpc: '10.255.250.0/24',
  PublicA: '10.255.250.0/26',
  PublicB: '10.255.250.64/26',
  PrivateA: '10.255.250.128/26',
  PrivateB: '10.255.250.192/26',
} as const;
type SubnetName = Exclude<keyof typeof CIDR, 'vpc'>;

const EVERYWHERE = '0.0.0.0/0';

/**
 * A network of its own for the collector, over two zones. Everything is L1: nothing is looked up, and
 * nothing is there that this file does not name.
 */
export class NetworkingStack extends DeploymentStack {
  readonly #profile: InfraProfile;
  readonly #vpc: CfnVPC;

  /** @param profile must have passed `findProfileProblem` and ask for a new network. */
  constructor(scope: Construct, profile: InfraProfile) {
    super(scope, 'networking', profile, 'network of the telemetry collector');
    const { monitoring } = profile;
    if (monitoring?.network.type !== 'new') throw new TypeError('the profile asks for no new network');
    this.#profile = profile;
    this.#vpc = new CfnVPC(this, 'Vpc', {
      cidrBlock: CIDR.vpc,
      enableDnsSupport: true,
      enableDnsHostnames: true,
    });
    Tags.of(this).add('Name', deploymentName(profile.name));
    const internetRoute = this.#createPublicRoute();
    const publicSubnets = this.#createSubnets('Public', internetRoute);
    const privateSubnets =
      monitoring.network.tasks === 'private'
        ? this.#createPrivateSubnets(publicSubnets, internetRoute)
        : undefined;
    this.#logRefusals(monitoring);

    const ids = (subnets: readonly CfnSubnet[]): string =>
      Fn.join(
        ',',
        subnets.map(({ ref }) => ref),
      );
    const loadBalancer = monitoring.internal ? (privateSubnets ?? publicSubnets) : publicSubnets;
    this.output(NETWORKING_OUTPUTS.vpcId, this.#vpc.ref, 'VPC of the collector');
    this.output(
      NETWORKING_OUTPUTS.taskSubnetIds,
      ids(privateSubnets ?? publicSubnets),
      'subnets of the tasks',
    );
    this.output(NETWORKING_OUTPUTS.loadBalancerSubnetIds, ids(loadBalancer), 'subnets of the load balancer');
  }

  #createPublicRoute(): CfnRoute {
    const gateway = new CfnInternetGateway(this, 'InternetGateway');
    const attachment = new CfnVPCGatewayAttachment(this, 'InternetGatewayAttachment', {
      vpcId: this.#vpc.ref,
      internetGatewayId: gateway.ref,
    });
    const route = this.#createRoute('Public', { gatewayId: gateway.ref });
    route.addResourceDependency(attachment);
    return route;
  }

  /**
   * One NAT gateway for both zones: a second one would cost as much again, and what is lost when its zone
   * fails is telemetry, which Claude Code goes without.
   */
  #createPrivateSubnets([first]: readonly CfnSubnet[], internetRoute: CfnRoute): CfnSubnet[] {
    if (!first) throw new TypeError('no public subnet');
    const address = new CfnEIP(this, 'NatAddress', { domain: 'vpc' });
    const gateway = new CfnNatGateway(this, 'NatGateway', {
      subnetId: first.ref,
      allocationId: address.attrAllocationId,
    });
    gateway.addResourceDependency(internetRoute);
    return this.#createSubnets('Private', this.#createRoute('Private', { natGatewayId: gateway.ref }));
  }

  /** The route to everywhere, in a route table of its own. */
  #createRoute(
    name: 'Public' | 'Private',
    target: { gatewayId: string } | { natGatewayId: string },
  ): CfnRoute {
    const table = new CfnRouteTable(this, `${name}RouteTable`, { vpcId: this.#vpc.ref });
    return new CfnRoute(this, `${name}Route`, {
      routeTableId: table.ref,
      destinationCidrBlock: EVERYWHERE,
      ...target,
    });
  }

  #createSubnets(name: 'Public' | 'Private', route: CfnRoute): CfnSubnet[] {
    return [this.#createSubnet(`${name}A`, 0, route), this.#createSubnet(`${name}B`, 1, route)];
  }

  #createSubnet(name: SubnetName, zone: 0 | 1, route: CfnRoute): CfnSubnet {
    const subnet = new CfnSubnet(this, `${name}Subnet`, {
      vpcId: this.#vpc.ref,
      cidrBlock: CIDR[name],
      availabilityZone: Fn.select(zone, Fn.getAzs()),
      // Whoever needs a public address asks for one.
      mapPublicIpOnLaunch: false,
    });
    new CfnSubnetRouteTableAssociation(this, `${name}Routes`, {
      subnetId: subnet.ref,
      routeTableId: route.routeTableId,
    });
    return subnet;
  }

  /** Connections that a security group refused: the ones worth a look, and few enough to cost little. */
  #logRefusals({ retentionDays }: Monitoring): void {
    const logGroup = new CfnLogGroup(this, 'FlowLogGroup', {
      logGroupName: logGroupName(this.#profile.name, 'network'),
      retentionInDays: retentionDays,
    });
    const trust = new PolicyStatement({
      principals: [new ServicePrincipal('vpc-flow-logs.amazonaws.com')],
      actions: ['sts:AssumeRole'],
      conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
    });
    const write = new PolicyStatement({
      actions: ['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
      resources: [logGroup.attrArn],
    });
    const role = new CfnRole(this, 'FlowLogRole', {
      description: 'VPC flow logs write their log group',
      assumeRolePolicyDocument: new PolicyDocument({ statements: [trust] }),
      policies: [{ policyName: 'Write', policyDocument: new PolicyDocument({ statements: [write] }) }],
    });
    new CfnFlowLog(this, 'FlowLog', {
      resourceType: 'VPC',
      resourceId: this.#vpc.ref,
      trafficType: 'REJECT',
      logDestinationType: 'cloud-watch-logs',
      logGroupName: logGroup.ref,
      deliverLogsPermissionArn: role.attrArn,
    });
  }
}
