import t, { type Test } from 'tap';
import type { Monitoring } from '../../../infra/profile/profile.ts';
import { CERTIFICATE, MONITORINGS, monitored, ZONE } from '../fixtures/configurations.ts';
import { CLIENT_ID, COGNITO, PROVIDER_TYPES, profileOf } from '../fixtures/profiles.ts';
import { jsonOf, propertiesOf, type TemplateJson } from '../fixtures/templates.ts';

process.env.CDK_VALIDATION = 'false';

type Name = keyof typeof MONITORINGS;
const templateFor = (t: Test, name: Name): TemplateJson =>
  jsonOf(t, 'monitoring', monitored(profileOf('okta', COGNITO), MONITORINGS[name]));
const ref = (id: string): object => ({ Ref: id });
const attribute = (id: string, name: string): object => ({ 'Fn::GetAtt': [id, name] });

type Rule = { CidrIp?: string; FromPort: number; ToPort: number; IpProtocol: string };
const rulesOf = (template: TemplateJson, id: string, property: string): Rule[] =>
  propertiesOf(template, id)[property] as Rule[];

t.test('only the load balancer is open, to the chosen networks', async (t) => {
  const internal = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'];
  for (const [name, { internal: isInternal, domain }] of Object.entries(MONITORINGS) as [
    Name,
    Monitoring,
  ][]) {
    const template = templateFor(t, name);
    const callers = isInternal ? internal : ['0.0.0.0/0'];
    const ports = domain ? [443, 80] : [80];
    t.strictSame(
      rulesOf(template, 'LoadBalancerSecurityGroup', 'SecurityGroupIngress').map((rule) => [
        rule.FromPort,
        rule.ToPort,
        rule.CidrIp,
      ]),
      ports.flatMap((port) => callers.map((caller) => [port, port, caller])),
      name,
    );
    t.equal(propertiesOf(template, 'LoadBalancer').Scheme, isInternal ? 'internal' : 'internet-facing', name);
    const out = rulesOf(template, 'LoadBalancerSecurityGroup', 'SecurityGroupEgress');
    t.strictSame(
      out.map(({ FromPort }) => FromPort),
      domain ? [4_318, 13_133, 443] : [4_318, 13_133],
      name,
    );
    t.equal(propertiesOf(template, 'CollectorSecurityGroup').SecurityGroupIngress, undefined, name);
    t.match(rulesOf(template, 'CollectorSecurityGroup', 'SecurityGroupEgress'), [
      { FromPort: 443, ToPort: 443 },
    ]);
    for (const [id, port] of [
      ['CollectorHttpIngress', 4_318],
      ['CollectorHealthIngress', 13_133],
    ] as const) {
      t.match(propertiesOf(template, id), {
        FromPort: port,
        ToPort: port,
        SourceSecurityGroupId: attribute('LoadBalancerSecurityGroup', 'GroupId'),
      });
    }
  }
});

t.test('with a domain, only valid tokens of the profile\u2019s issuer and audience pass', async (t) => {
  for (const type of PROVIDER_TYPES) {
    const profile = monitored(profileOf(type, COGNITO), MONITORINGS['new private, domain']);
    const listener = propertiesOf(jsonOf(t, 'monitoring', profile), 'HttpsListener');
    t.match(listener, { Port: 443, Protocol: 'HTTPS', SslPolicy: 'ELBSecurityPolicy-TLS13-1-2-2021-06' });
    t.match(listener.DefaultActions, [
      {
        Order: 1,
        Type: 'jwt-validation',
        JwtValidationConfig: {
          Issuer: profile.identityProvider.issuer,
          JwksEndpoint: /^https:\/\//,
          AdditionalClaims: [{ Name: 'aud', Format: 'single-string', Values: [CLIENT_ID] }],
        },
      },
      { Order: 2, Type: 'forward', TargetGroupArn: ref('TargetGroup') },
    ]);
    t.equal((listener.DefaultActions as unknown[]).length, 2);
  }
});

t.test('with a domain, port 80 sends people on to HTTPS', async (t) => {
  t.strictSame(propertiesOf(templateFor(t, 'new private, domain'), 'HttpListener'), {
    LoadBalancerArn: ref('LoadBalancer'),
    Port: 80,
    Protocol: 'HTTP',
    DefaultActions: [
      { Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' } },
    ],
  });
});

t.test('a listener closes no connection between two exports', async (t) => {
  t.match(propertiesOf(templateFor(t, 'new private'), 'LoadBalancer').LoadBalancerAttributes, [
    ...[{}, {}],
    { Key: 'idle_timeout.timeout_seconds', Value: '300' },
  ]);
});

t.test('another network or scheme makes another load balancer, with a target group of its own', async (t) => {
  const named = (name: Name): string =>
    JSON.stringify(propertiesOf(templateFor(t, name), 'LoadBalancer').Name);
  const vpc = { 'Fn::Select': [1, { 'Fn::Split': ['-', ref('VpcId')] }] };
  const [, deployment] = /ccwb-([0-9a-f]{6})/.exec(named('existing')) ?? [];
  t.strictSame(propertiesOf(templateFor(t, 'new private'), 'LoadBalancer').Name, {
    'Fn::Join': ['-', [`ccwb-${deployment}`, vpc, 'p']],
  });
  t.strictSame(JSON.parse(named('new private internal')), {
    'Fn::Join': ['-', [`ccwb-${deployment}`, vpc, 'i']],
  });
  t.match(named('existing'), /^"ccwb-[0-9a-f]{6}-[0-9a-f]{8,17}-p"$/);
  t.equal(named('new private'), named('new private, domain'));
  // 17 digits of the longest VPC id.
  t.ok(`ccwb-${deployment}-0123456789abcdef0-p`.length <= 32);
  t.strictSame(propertiesOf(templateFor(t, 'existing'), 'TargetGroup').Name, {
    'Fn::Join': [
      '-',
      [
        'ccwb',
        { 'Fn::Select': [2, { 'Fn::Split': ['/', attribute('LoadBalancer', 'LoadBalancerFullName')] }] },
      ],
    ],
  });
});

t.test('the certificate is the given one, or created and validated in the zone', async (t) => {
  const made = templateFor(t, 'new private, domain');
  t.strictSame(propertiesOf(made, 'Certificate'), {
    DomainName: ZONE.name,
    ValidationMethod: 'DNS',
    DomainValidationOptions: [{ DomainName: ZONE.name, HostedZoneId: ZONE.hostedZoneId }],
  });
  t.strictSame(propertiesOf(made, 'HttpsListener').Certificates, [{ CertificateArn: ref('Certificate') }]);
  t.match(propertiesOf(made, 'DnsRecord'), { HostedZoneId: ZONE.hostedZoneId, Name: ZONE.name, Type: 'A' });
  const given = templateFor(t, 'existing internal, certificate');
  t.strictSame(propertiesOf(given, 'HttpsListener').Certificates, [{ CertificateArn: CERTIFICATE }]);
});
