import t from 'tap';
import { findProfileProblem } from '../../../infra/profile/check-profile.ts';
import { partitionOf } from '../../../infra/profile/partition.ts';
import type { InfraProfile, Monitoring, ProfileField } from '../../../infra/profile/profile.ts';
import { COGNITO, DIRECT, MONITORING, PROVIDER_TYPES, profileOf } from '../fixtures/profiles.ts';

const okta = profileOf('okta', COGNITO);
const direct = profileOf('okta', DIRECT);

const withIssuer = (issuer: string, from: InfraProfile = okta): InfraProfile => ({
  ...from,
  identityProvider: { ...from.identityProvider, issuer, loginKey: issuer.replace(/^https?:\/\//, '') },
});
const userPoolWithClient = (clientId: string): InfraProfile => {
  const profile = profileOf('cognito', COGNITO);
  return { ...profile, identityProvider: { ...profile.identityProvider, clientId } };
};
const inRegions = (...regions: string[]): InfraProfile => ({
  ...okta,
  bedrock: { regions, geographies: [], globalInference: false },
});
const maxSession = (maxSessionSeconds: number): InfraProfile =>
  profileOf('okta', { type: 'direct', maxSessionSeconds });

const withModels = (...models: string[]): InfraProfile => ({
  ...okta,
  bedrock: { regions: ['eu-central-1'], geographies: ['eu'], globalInference: false, models },
});
const withBedrock = (changes: Partial<InfraProfile['bedrock']>): InfraProfile => ({
  ...okta,
  bedrock: { ...okta.bedrock, ...changes },
});
/** More regions than AWS has. */
const MANY = Array.from({ length: 60 }, (_, index) => `eu-west-${index % 10}`);
const withGroups = (claim: string, groups: string[], from = okta): InfraProfile => ({
  ...from,
  accessGroups: { claim, groups },
});
const monitored = (changes: Partial<Monitoring>, from = okta): InfraProfile => ({
  ...from,
  monitoring: { ...MONITORING, ...changes },
});
const existing = (vpcId: string, tasks: string[], loadBalancer: string[]): InfraProfile =>
  monitored({
    network: { type: 'existing', vpcId, taskSubnetIds: tasks, loadBalancerSubnetIds: loadBalancer },
  });
const withDomain = (domain: NonNullable<Monitoring['domain']>, from = okta): InfraProfile =>
  monitored({ domain }, from);
const ZONE = { name: 'otel.company.example', hostedZoneId: 'Z0123456789ABC' };
const ALARMS = {
  email: 'ops@company.example',
  tokensPerHour: 1_000_000,
  dailyCostUsd: 50.5,
  bedrockErrorsPerHour: 10,
};
const ANALYTICS = { glacierAfterDays: 90, resultsDays: 7 };
const SUBNETS = ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'];
const VPC = 'vpc-0123456789abcdef0';
const CERTIFICATE = 'arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555';
const TAG_CLAIM = 'https://aws.amazon.com/tags/principal_tags/Team';

t.test('every provider type passes with either federation', async (t) => {
  for (const type of PROVIDER_TYPES) {
    t.equal(findProfileProblem(profileOf(type, COGNITO)), undefined, `${type} cognito`);
    t.equal(findProfileProblem(profileOf(type, DIRECT)), undefined, `${type} direct`);
  }
});

t.test('a value AWS cannot take is named with its field and what is allowed', async (t) => {
  const wrong: readonly [ProfileField, InfraProfile, why: string][] = [
    ['name', { ...okta, name: 'my_team' }, 'underscore'],
    ['name', { ...okta, name: 'a.b' }, 'dot'],
    ['name', { ...okta, name: '' }, 'empty'],
    ['name', { ...okta, name: 'x'.repeat(65) }, 'too long'],
    ['issuer', withIssuer('http://127.0.0.1/issuer'), 'not https'],
    ['issuer', withIssuer('https://sso.example:8443/realm'), 'port'],
    ['issuer', withIssuer('https://sso.example/?a=b'), 'query'],
    ['issuer', withIssuer('https://sso.example', profileOf('cognito', COGNITO)), 'no user pool'],
    [
      'issuer',
      { ...okta, identityProvider: { ...okta.identityProvider, loginKey: 'other.example' } },
      'login key',
    ],
    ['clientId', { ...okta, identityProvider: { ...okta.identityProvider, clientId: '' } }, 'empty'],
    ['clientId', { ...okta, identityProvider: { ...okta.identityProvider, clientId: 'a b' } }, 'space'],
    ['clientId', userPoolWithClient('client-1'), 'hyphen for a user pool'],
    ['region', { ...okta, region: 'Frankfurt' }, 'no region'],
    ['region', { ...okta, region: 'us-iso-east-1' }, 'isolated partition'],
    ['bedrock.regions', inRegions(), 'none'],
    ['bedrock.regions', inRegions('eu-west-1', 'nowhere'), 'malformed'],
    ['bedrock.regions', inRegions('eu-west-1', 'us-gov-west-1'), 'another partition'],
    ['bedrock.regions', inRegions(...MANY), 'too many for a policy'],
    ['bedrock.geographies', withBedrock({ geographies: ['us'] }), 'not served'],
    ['bedrock.geographies', withBedrock({ geographies: ['us-gov'] }), 'another partition'],
    ['bedrock.geographies', withBedrock({ geographies: ['mars'] as never }), 'unknown'],
    ['bedrock.guardrail', withBedrock({ guardrail: { id: 'Not One', version: '1' } }), 'malformed'],
    ['bedrock.guardrail', withBedrock({ guardrail: { id: 'gr1', version: '0' } }), 'no version'],
    ['bedrock.models', withModels(), 'none'],
    ['bedrock.models', withModels('us.anthropic.claude-*'), 'the id of an inference profile'],
    ['bedrock.models', withModels('global.anthropic.claude-*'), 'the id of a global profile'],
    ['bedrock.models', withModels('Claude Sonnet'), 'a space'],
    ['bedrock.models', withModels('arn:aws:bedrock:::foundation-model/x'), 'an ARN'],
    ['bedrock.models', withModels(...Array.from({ length: 11 }, (_, i) => `a.b-${i}`)), 'too many'],
    ['accessGroups.claim', withGroups('', ['staff']), 'empty'],
    ['accessGroups.claim', withGroups('my groups', ['staff']), 'a space'],
    ['accessGroups.claim', withGroups('groups', ['staff'], direct), 'IAM cannot see it'],
    ['accessGroups.claim', withGroups(`${TAG_CLAIM}s/aws:x`, ['staff'], direct), 'a slash in the tag'],
    ['accessGroups.claim', withGroups(TAG_CLAIM.replace('Team', 'aws:x'), ['staff'], direct), 'reserved'],
    ['accessGroups.groups', withGroups('groups', []), 'none'],
    ['accessGroups.groups', withGroups('groups', ['']), 'empty'],
    ['accessGroups.groups', withGroups('groups', ['*']), 'a wildcard'],
    ['accessGroups.groups', withGroups('groups', ['a\n']), 'a control character'],
    [
      'accessGroups.groups',
      withGroups(
        'groups',
        Array.from({ length: 26 }, (_, i) => `g${i}`),
      ),
      'too many',
    ],
    ['audit.retentionDays', { ...okta, audit: { retentionDays: 91 } }, 'unknown to CloudWatch Logs'],
    ['monitoring.network.vpcId', existing('vpc-1', SUBNETS, SUBNETS), 'malformed'],
    ['monitoring.network.taskSubnetIds', existing(VPC, [], SUBNETS), 'none'],
    ['monitoring.network.loadBalancerSubnetIds', existing(VPC, SUBNETS, SUBNETS.slice(1)), 'only one'],
    ['monitoring.network.loadBalancerSubnetIds', existing(VPC, SUBNETS, [VPC, VPC]), 'no subnets'],
    ['monitoring.domain.name', withDomain({ ...ZONE, name: 'https://otel.company.example' }), 'a URL'],
    ['monitoring.domain.name', withDomain({ ...ZONE, name: '*.company.example' }), 'a wildcard'],
    ['monitoring.domain.hostedZoneId', withDomain({ ...ZONE, hostedZoneId: 'company.example' }), 'a name'],
    ['monitoring.domain.certificateArn', withDomain({ name: ZONE.name }), 'neither zone nor certificate'],
    [
      'monitoring.domain.certificateArn',
      withDomain({ name: ZONE.name, certificateArn: CERTIFICATE.replace('eu-central-1', 'us-east-1') }),
      'of another region',
    ],
    [
      'monitoring.internal',
      monitored({ network: { type: 'new', tasks: 'public' }, internal: true, domain: ZONE }),
      'no way to the signing keys',
    ],
    ['jwksUri', withDomain(ZONE, profileOf('generic', COGNITO)), 'unknown for a generic provider'],
    [
      'jwksUri',
      monitored({}, { ...okta, identityProvider: { ...okta.identityProvider, jwksUri: 'http://x/keys' } }),
      'not https',
    ],
    ['monitoring.environment', monitored({ environment: 'my production' }), 'a space'],
    ['monitoring.retentionDays', monitored({ retentionDays: 100 }), 'unknown to CloudWatch Logs'],
    ['monitoring.alarms.email', monitored({ alarms: { ...ALARMS, email: 'ops' } }), 'no address'],
    ['monitoring.alarms.tokensPerHour', monitored({ alarms: { ...ALARMS, tokensPerHour: 0 } }), 'zero'],
    ['monitoring.alarms.dailyCostUsd', monitored({ alarms: { ...ALARMS, dailyCostUsd: -1 } }), 'negative'],
    [
      'monitoring.alarms.bedrockErrorsPerHour',
      monitored({ alarms: { ...ALARMS, bedrockErrorsPerHour: 0.5 } }),
      'a fraction',
    ],
    [
      'monitoring.analytics.glacierAfterDays',
      monitored({ analytics: { ...ANALYTICS, glacierAfterDays: 0 } }),
      'zero',
    ],
    [
      'monitoring.analytics.resultsDays',
      monitored({ analytics: { ...ANALYTICS, resultsDays: 1.5 } }),
      'a fraction',
    ],
    ['federation.maxSessionSeconds', maxSession(3_599), 'too short'],
    ['federation.maxSessionSeconds', maxSession(43_201), 'too long'],
    ['federation.maxSessionSeconds', maxSession(3_600.5), 'fraction'],
  ];
  for (const [field, profile, why] of wrong) {
    const problem = findProfileProblem(profile);
    t.equal(problem?.field, field, `${field}: ${why}`);
    t.ok(problem?.allowed, `${field}: says what is allowed`);
  }
});

t.test('the bounds of a session are allowed', async (t) => {
  t.equal(findProfileProblem(maxSession(3_600)), undefined);
  t.equal(findProfileProblem(maxSession(43_200)), undefined);
});

t.test('optional settings of an administrator pass', async (t) => {
  const generic = profileOf('generic', COGNITO);
  const jwksUri = 'https://sso.company.example/realms/staff/protocol/openid-connect/certs';
  const right: InfraProfile[] = [
    withModels('anthropic.claude-*', 'anthropic.claude-sonnet-4-5-20250929-v1:0', '*'),
    withGroups('groups', ['Claude Users', 'ops']),
    withGroups('cognito:groups', ['claude'], profileOf('cognito', COGNITO)),
    withGroups(TAG_CLAIM, ['research'], direct),
    { ...okta, audit: { retentionDays: 90 } },
    monitored({}),
    monitored({ network: { type: 'new', tasks: 'public' }, internal: true }),
    existing(VPC, SUBNETS.slice(1), SUBNETS),
    withDomain(ZONE),
    withDomain({ name: ZONE.name, certificateArn: CERTIFICATE }),
    withDomain({ ...ZONE, certificateArn: CERTIFICATE }),
    withDomain(ZONE, { ...generic, identityProvider: { ...generic.identityProvider, jwksUri } }),
    monitored({ alarms: ALARMS, analytics: ANALYTICS }),
  ];
  for (const profile of right) t.equal(findProfileProblem(profile), undefined, JSON.stringify(profile));
});

t.test('a user pool behind an issuer of its own may federate directly', async (t) => {
  t.equal(findProfileProblem(withIssuer('https://sso.example', profileOf('cognito', DIRECT))), undefined);
});

t.test('the partition follows from the region', async (t) => {
  t.equal(partitionOf('us-east-1'), 'aws');
  t.equal(partitionOf('ap-southeast-2'), 'aws');
  t.equal(partitionOf('us-gov-east-1'), 'aws-us-gov');
  t.equal(partitionOf('cn-northwest-1'), 'aws-cn');
  for (const region of ['us-isob-east-1', 'eusc-de-east-1', 'us-east', '', 'us-east-1\n']) {
    t.equal(partitionOf(region), undefined, JSON.stringify(region));
  }
});
