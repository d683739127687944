import { LOG_RETENTION_DAYS, RETENTION_ALLOWED } from './access-checks.ts';
import { partitionOf } from './partition.ts';
import type { InfraCandidate, Monitoring, MonitoringField, ProfileProblem } from './profile.ts';

/** A check of one field: whether it holds, of which value, and what would be allowed. */
type FieldCheck = readonly [holds: boolean, field: MonitoringField, value: unknown, allowed: string];

const SUBNET = /^subnet-[0-9a-f]{8,17}$/;
const DOMAIN = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** The first thing wrong with a profile's monitoring, or undefined. */
export function findMonitoringProblem(profile: InfraCandidate): ProfileProblem | undefined {
  const { monitoring } = profile;
  if (!monitoring) return undefined;
  const failed = [
    ...networkChecks(monitoring),
    ...domainChecks(monitoring, profile.region),
    wayOutCheck(monitoring),
    ...logChecks(monitoring),
    ...alarmChecks(monitoring),
    ...analyticsChecks(monitoring),
  ].find(([holds]) => !holds);
  if (failed) return { field: failed[1], value: failed[2], allowed: failed[3] };
  return checkJwksUri(profile);
}

function networkChecks({ network }: Monitoring): FieldCheck[] {
  if (network.type === 'new') return [];
  const { vpcId, taskSubnetIds, loadBalancerSubnetIds } = network;
  const subnets = (ids: readonly string[], least: number): boolean =>
    new Set(ids).size === ids.length && ids.length >= least && ids.every((id) => SUBNET.test(id));
  return [
    [/^vpc-[0-9a-f]{8,17}$/.test(vpcId), 'monitoring.network.vpcId', vpcId, 'the id of a VPC, vpc-…'],
    [
      subnets(taskSubnetIds, 1),
      'monitoring.network.taskSubnetIds',
      taskSubnetIds,
      'at least one subnet id, subnet-…, each once',
    ],
    [
      subnets(loadBalancerSubnetIds, 2),
      'monitoring.network.loadBalancerSubnetIds',
      loadBalancerSubnetIds,
      'at least two subnet ids, subnet-…, each once and in a zone of its own',
    ],
  ];
}

function domainChecks({ domain }: Monitoring, region: string): FieldCheck[] {
  if (!domain) return [];
  const { name, hostedZoneId, certificateArn } = domain;
  const certificates = new RegExp(`^arn:${partitionOf(region)}:acm:${region}:\\d{12}:certificate/[\\w-]+$`);
  return [
    [
      DOMAIN.test(name),
      'monitoring.domain.name',
      name,
      'a host name in lower case, such as otel.company.example',
    ],
    [
      hostedZoneId === undefined || /^Z[A-Z0-9]{1,31}$/.test(hostedZoneId),
      'monitoring.domain.hostedZoneId',
      hostedZoneId,
      'the id of a Route 53 hosted zone, Z…',
    ],
    [
      certificateArn === undefined || certificates.test(certificateArn),
      'monitoring.domain.certificateArn',
      certificateArn,
      `the ARN of a certificate of ACM in ${region}`,
    ],
    // Without a zone the deployment would wait for days for somebody to write the proof into the DNS.
    [
      hostedZoneId !== undefined || certificateArn !== undefined,
      'monitoring.domain.certificateArn',
      certificateArn,
      'a certificate that exists, unless hostedZoneId lets one be made',
    ],
  ];
}

/** Without a public address and without a NAT gateway there is no way to the keys that tokens are signed with. */
function wayOutCheck({ network, internal, domain }: Monitoring): FieldCheck {
  const enclosed = internal && network.type === 'new' && network.tasks === 'public';
  const allowed = 'with a domain and public tasks only false: the load balancer could not fetch signing keys';
  return [!(enclosed && domain), 'monitoring.internal', internal, allowed];
}

function logChecks({ environment, retentionDays }: Monitoring): FieldCheck[] {
  const environmentAllowed = '1 to 64 letters, digits, dots, hyphens and underscores';
  return [
    [/^[\w.-]{1,64}$/.test(environment), 'monitoring.environment', environment, environmentAllowed],
    [
      LOG_RETENTION_DAYS.includes(retentionDays),
      'monitoring.retentionDays',
      retentionDays,
      RETENTION_ALLOWED,
    ],
  ];
}

function alarmChecks({ alarms }: Monitoring): FieldCheck[] {
  if (!alarms) return [];
  const { email, tokensPerHour, dailyCostUsd, bedrockErrorsPerHour } = alarms;
  const positive = (value: number): boolean => Number.isFinite(value) && value > 0;
  const whole = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
  return [
    [email === undefined || EMAIL.test(email), 'monitoring.alarms.email', email, 'an e-mail address'],
    [whole(tokensPerHour), 'monitoring.alarms.tokensPerHour', tokensPerHour, 'a whole number above 0'],
    [positive(dailyCostUsd), 'monitoring.alarms.dailyCostUsd', dailyCostUsd, 'a number of dollars above 0'],
    [
      whole(bedrockErrorsPerHour),
      'monitoring.alarms.bedrockErrorsPerHour',
      bedrockErrorsPerHour,
      'a whole number above 0',
    ],
  ];
}

function analyticsChecks({ analytics }: Monitoring): FieldCheck[] {
  if (!analytics) return [];
  const { glacierAfterDays, resultsDays } = analytics;
  const days = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= 3_650;
  const allowed = 'a whole number of days from 1 to 3650';
  return [
    [days(glacierAfterDays), 'monitoring.analytics.glacierAfterDays', glacierAfterDays, allowed],
    [days(resultsDays), 'monitoring.analytics.resultsDays', resultsDays, allowed],
  ];
}

const JWKS_URI_ALLOWED = 'an https URL, the jwks_uri of the provider\u2019s discovery document';

function checkJwksUri({ identityProvider: { jwksUri } }: InfraCandidate): ProfileProblem | undefined {
  if (jwksUri === undefined || /^https:\/\/[^\s]{1,248}$/.test(jwksUri)) return undefined;
  return { field: 'jwksUri', value: jwksUri, allowed: JWKS_URI_ALLOWED };
}

/** A load balancer that checks tokens needs the address of the keys, which only generic providers keep to themselves. */
export function checkKeysAreKnown({
  identityProvider,
  monitoring,
}: InfraCandidate): ProfileProblem | undefined {
  const { type, jwksUri } = identityProvider;
  if (jwksUri !== undefined || type !== 'generic' || monitoring?.domain === undefined) return undefined;
  return { field: 'jwksUri', value: undefined, allowed: JWKS_URI_ALLOWED };
}
