import { createHash } from 'node:crypto';
import { CfnCertificate } from 'aws-cdk-lib/aws-certificatemanager';
import { CfnSecurityGroup, CfnSecurityGroupIngress } from 'aws-cdk-lib/aws-ec2';
import { CfnListener, CfnLoadBalancer, CfnTargetGroup } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { CfnRecordSet } from 'aws-cdk-lib/aws-route53';
import { Fn, type Stack } from 'aws-cdk-lib/core';
import { jwksUriOf } from '../profile/jwks.ts';
import type { InfraProfile, Monitoring } from '../profile/profile.ts';
import { PORTS } from './collector-config.ts';

/** Network of the collector: ids of existing resources, or references to parameters. */
export type CollectorNetwork = {
  readonly vpcId: string;
  readonly taskSubnetIds: string[];
  readonly loadBalancerSubnetIds: string[];
};

export type CollectorLoadBalancer = {
  readonly loadBalancer: CfnLoadBalancer;
  readonly targetGroup: CfnTargetGroup;
  readonly collectorSecurityGroup: CfnSecurityGroup;
  /** The listener that forwards: a service can register targets once it is there. */
  readonly listener: CfnListener;
  /** URL without a path. */
  readonly endpoint: string;
};

/** Above the interval at which Claude Code exports, 60 s: a connection closed just then would lose the export. */
const IDLE_TIMEOUT_SECONDS = 300;

// TLS 1.2 and 1.3 with forward secrecy.
const TLS_POLICY = 'ELBSecurityPolicy-TLS13-1-2-2021-06';

const EVERYWHERE = ['0.0.0.0/0'];
// RFC 1918 and RFC 6598: an internal load balancer has no other callers, by any way into the network.
const PRIVATE_NETWORKS = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'];

/** Creates load balancer and security groups and, with a domain, TLS and the validation of tokens. */
export function createLoadBalancer(
  stack: Stack,
  profile: InfraProfile,
  monitoring: Monitoring,
  network: CollectorNetwork,
): CollectorLoadBalancer {
  const { domain, internal } = monitoring;
  const groups = createSecurityGroups(stack, monitoring, network.vpcId);
  const loadBalancer = new CfnLoadBalancer(stack, 'LoadBalancer', {
    name: loadBalancerName(profile.name, network.vpcId, internal),
    type: 'application',
    scheme: internal ? 'internal' : 'internet-facing',
    ipAddressType: 'ipv4',
    subnets: network.loadBalancerSubnetIds,
    securityGroups: [groups.loadBalancer.attrGroupId],
    loadBalancerAttributes: [
      { key: 'routing.http.drop_invalid_header_fields.enabled', value: 'true' },
      // The stack can be destroyed in one step; nothing is lost with a load balancer.
      { key: 'deletion_protection.enabled', value: 'false' },
      { key: 'idle_timeout.timeout_seconds', value: String(IDLE_TIMEOUT_SECONDS) },
    ],
  });
  const targetGroup = createTargetGroup(stack, network.vpcId, loadBalancer);
  const listener = domain
    ? createTlsListeners(stack, profile, domain, loadBalancer, targetGroup)
    : createHttpListener(stack, loadBalancer, { type: 'forward', targetGroupArn: targetGroup.ref });
  return {
    loadBalancer,
    targetGroup,
    listener,
    collectorSecurityGroup: groups.collector,
    endpoint: domain ? `https://${domain.name}` : `http://${loadBalancer.attrDnsName}`,
  };
}

function createSecurityGroups(
  stack: Stack,
  { domain, internal }: Monitoring,
  vpcId: string,
): { loadBalancer: CfnSecurityGroup; collector: CfnSecurityGroup } {
  const collector = new CfnSecurityGroup(stack, 'CollectorSecurityGroup', {
    groupDescription: 'Telemetry collector: reached by its load balancer only',
    vpcId,
    securityGroupEgress: EVERYWHERE.map((cidrIp) => tcp(443, { cidrIp }, 'CloudWatch and the image')),
  });
  // Port 80 stays for the redirect alone where there is a domain.
  const open: [port: number, purpose: string][] = domain
    ? [
        [443, 'telemetry'],
        [80, 'redirect to 443'],
      ]
    : [[80, 'telemetry']];
  const callers = internal ? PRIVATE_NETWORKS : EVERYWHERE;
  const toCollector = { destinationSecurityGroupId: collector.attrGroupId };
  const loadBalancer = new CfnSecurityGroup(stack, 'LoadBalancerSecurityGroup', {
    groupDescription: 'Load balancer of the telemetry collector',
    vpcId,
    securityGroupIngress: open.flatMap(([port, purpose]) =>
      callers.map((cidrIp) => tcp(port, { cidrIp }, purpose)),
    ),
    securityGroupEgress: [
      ...Object.values(FORWARDED).map((port) => tcp(port, toCollector, 'collector')),
      ...(domain
        ? EVERYWHERE.map((cidrIp) => tcp(443, { cidrIp }, 'signing keys of the identity provider'))
        : []),
    ],
  });
  // Rules of their own: inside the groups, each would need the other to exist first.
  for (const [name, port] of Object.entries(FORWARDED)) {
    new CfnSecurityGroupIngress(stack, `Collector${name}Ingress`, {
      groupId: collector.attrGroupId,
      ...tcp(port, { sourceSecurityGroupId: loadBalancer.attrGroupId }, 'load balancer'),
    });
  }
  return { loadBalancer, collector };
}

/** Ports of a task that the load balancer uses, by the names in logical ids. */
const FORWARDED = { Http: PORTS.http, Health: PORTS.health } as const;

function tcp<Peer>(port: number, peer: Peer, description: string): Peer & TcpRule {
  return { ipProtocol: 'tcp', fromPort: port, toPort: port, description, ...peer };
}

type TcpRule = { ipProtocol: 'tcp'; fromPort: number; toPort: number; description: string };

/**
 * Returns a name that changes when the VPC or the scheme does. Neither can be changed in place: with a new name
 * CloudFormation creates another load balancer before it deletes this one. At most 32 characters.
 */
function loadBalancerName(profileName: string, vpcId: string, internal: boolean): string {
  const deployment = createHash('sha256').update(profileName).digest('hex').slice(0, 6);
  const vpc = Fn.select(1, Fn.split('-', vpcId));
  return Fn.join('-', ['ccwb', deployment, vpc, internal ? 'i' : 'p']);
}

/**
 * Creates the listener of port 80. It has one logical id with and without a domain: of two listeners on one port,
 * CloudFormation would create the second before it deletes the first, which Elastic Load Balancing refuses.
 */
function createHttpListener(
  stack: Stack,
  loadBalancer: CfnLoadBalancer,
  action: CfnListener.ActionProperty,
): CfnListener {
  return new CfnListener(stack, 'HttpListener', {
    loadBalancerArn: loadBalancer.ref,
    port: 80,
    protocol: 'HTTP',
    defaultActions: [action],
  });
}

function createTargetGroup(stack: Stack, vpcId: string, loadBalancer: CfnLoadBalancer): CfnTargetGroup {
  // `app/NAME/ID`: a target group belongs to one load balancer, so a new load balancer gets a new one.
  const id = Fn.select(2, Fn.split('/', loadBalancer.attrLoadBalancerFullName));
  return new CfnTargetGroup(stack, 'TargetGroup', {
    name: Fn.join('-', ['ccwb', id]),
    vpcId,
    targetType: 'ip',
    protocol: 'HTTP',
    port: PORTS.http,
    healthCheckProtocol: 'HTTP',
    healthCheckPort: String(PORTS.health),
    healthCheckPath: '/',
    healthCheckIntervalSeconds: 15,
    healthyThresholdCount: 2,
    unhealthyThresholdCount: 3,
    matcher: { httpCode: '200' },
    // Requests take moments; a task that stops need not be waited for five minutes, which is the default.
    targetGroupAttributes: [{ key: 'deregistration_delay.timeout_seconds', value: '30' }],
  });
}

function createTlsListeners(
  stack: Stack,
  profile: InfraProfile,
  domain: NonNullable<Monitoring['domain']>,
  loadBalancer: CfnLoadBalancer,
  targetGroup: CfnTargetGroup,
): CfnListener {
  createHttpListener(stack, loadBalancer, {
    type: 'redirect',
    redirectConfig: { protocol: 'HTTPS', port: '443', statusCode: 'HTTP_301' },
  });
  if (domain.hostedZoneId !== undefined) {
    new CfnRecordSet(stack, 'DnsRecord', {
      hostedZoneId: domain.hostedZoneId,
      name: domain.name,
      type: 'A',
      aliasTarget: {
        dnsName: loadBalancer.attrDnsName,
        hostedZoneId: loadBalancer.attrCanonicalHostedZoneId,
      },
    });
  }
  return new CfnListener(stack, 'HttpsListener', {
    loadBalancerArn: loadBalancer.ref,
    port: 443,
    protocol: 'HTTPS',
    sslPolicy: TLS_POLICY,
    certificates: [{ certificateArn: domain.certificateArn ?? createCertificate(stack, domain).ref }],
    defaultActions: [
      { order: 1, type: 'jwt-validation', jwtValidationConfig: tokensOf(profile) },
      { order: 2, type: 'forward', targetGroupArn: targetGroup.ref },
    ],
  });
}

function createCertificate(
  stack: Stack,
  { name, hostedZoneId }: NonNullable<Monitoring['domain']>,
): CfnCertificate {
  return new CfnCertificate(stack, 'Certificate', {
    domainName: name,
    validationMethod: 'DNS',
    domainValidationOptions: [{ domainName: name, ...(hostedZoneId !== undefined && { hostedZoneId }) }],
  });
}

/** Returns the validation of tokens: the load balancer accepts the ID tokens of the profile's users. */
function tokensOf({ identityProvider }: InfraProfile): CfnListener.JwtValidationConfigProperty {
  const jwksEndpoint = jwksUriOf(identityProvider);
  if (jwksEndpoint === undefined) throw new TypeError('the profile does not say where its signing keys are');
  return {
    issuer: identityProvider.issuer,
    jwksEndpoint,
    additionalClaims: [{ name: 'aud', format: 'single-string', values: [identityProvider.clientId] }],
  };
}
