import t from 'tap';
import { synthesize } from '../../infra/app.ts';
import { stackInputs, stacksOf } from '../../infra/outputs.ts';
import { findProfileProblem } from '../../infra/profile/check-profile.ts';
import type { InfraProfile } from '../../infra/profile/profile.ts';
import {
  configurations,
  MONITORINGS,
  monitored,
  stacksIn,
  withEverything,
  ZONE,
} from './fixtures/configurations.ts';
import { COGNITO, profileOf } from './fixtures/profiles.ts';
import { statementsIn } from './fixtures/telemetry.ts';
import { namesIn, type TemplateJson } from './fixtures/templates.ts';
import { complaints, TEMPLATE_MAX_BYTES } from './fixtures/validator.ts';

process.env.CDK_VALIDATION = 'false';

/** Template → the first configuration that has it: what is the same need be judged once. */
const distinct = new Map<string, { label: string; stack: string; inputs: string[] }>();

t.test('every combination has a template for each of its stacks', async (t) => {
  const all = configurations();
  const directory = t.testdir();
  let made = 0;
  for (const configuration of all) {
    const { profile } = configuration;
    t.equal(findProfileProblem(profile), undefined, configuration.label);
    for (const { stack, label } of stacksIn(configuration)) {
      const text = JSON.stringify(synthesize(stack, profile, directory), undefined, 2);
      made += 1;
      if (!distinct.has(text))
        distinct.set(text, { label, stack, inputs: Object.keys(stackInputs(stack, profile)) });
    }
  }
  t.equal(new Set(all.map(({ label }) => label)).size, 6 * 2 * (2 + 2 + 9 * 2));
  t.comment(`${all.length} configurations, ${made} templates, ${distinct.size} different ones`);
});

t.test('every template is valid, small and needs no bootstrap', async (t) => {
  for (const [text, { label, inputs }] of distinct) {
    t.strictSame(complaints(text), [], label);
    t.ok(Buffer.byteLength(text) < TEMPLATE_MAX_BYTES, label);
    const { Parameters = {}, ...rest } = JSON.parse(text) as TemplateJson;
    t.strictSame(Object.keys(rest).sort(), ['Description', 'Outputs', 'Resources'], label);
    t.strictSame(Object.keys(Parameters), inputs, `${label}: every parameter is another stack's output`);
  }
});

t.test('the validator rejects a wrong template', async (t) => {
  const pool = { Type: 'AWS::Cognito::IdentityPool', Properties: { AllowClassicFlow: 'perhaps' } };
  t.not(complaints(JSON.stringify({ Resources: { Pool: pool } })).length, 0);
});

t.test('no template has wildcard permissions, public buckets or exports', async (t) => {
  const allowed = JSON.stringify;
  for (const [text, { label }] of distinct) {
    const template = JSON.parse(text) as TemplateJson;
    for (const [id, { Type, Properties = {} }] of Object.entries(template.Resources)) {
      const where = `${label}: ${id}`;
      for (const statement of statementsIn(Properties)) {
        const wild = /"Principal":("\*"|\{"\w+":"\*"\})/.test(allowed({ Principal: statement.Principal }));
        t.ok(!wild || statement.Effect === 'Deny', `${where}: a wildcard principal is only denied something`);
        const everything = [statement.Action].flat().some((action) => /^(\*|\w+:\*)$/.test(String(action)));
        t.ok(!everything || statement.Effect === 'Deny', `${where}: no action is a wildcard`);
      }
      if (Type === 'AWS::Cognito::IdentityPool')
        t.equal(Properties.AllowUnauthenticatedIdentities, false, where);
      if (Type === 'AWS::S3::Bucket') {
        const block = {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        };
        t.strictSame(Properties.PublicAccessBlockConfiguration, block, where);
        t.ok(Properties.BucketEncryption, where);
      }
      t.equal(Properties.ManagedPolicyArns, undefined, `${where}: permissions are written out`);
    }
    t.notMatch(text, /"unauthenticated"/, label);
    t.notMatch(
      text,
      /"Image": "(?!public\.ecr\.aws\/aws-observability\/aws-otel-collector:v\d+\.\d+\.\d+@sha256:[0-9a-f]{64}")/,
      label,
    );
    t.notMatch(text, /"Fn::ImportValue"|"Export"/, `${label}: no stack ties another down`);
  }
});

t.test('port 80 only redirects if there is HTTPS', async (t) => {
  for (const [text, { label }] of distinct) {
    const { Resources } = JSON.parse(text) as TemplateJson;
    const listeners = Object.values(Resources).filter(
      ({ Type }) => Type === 'AWS::ElasticLoadBalancingV2::Listener',
    );
    const plain = listeners.filter(({ Properties }) => Properties?.Protocol !== 'HTTPS');
    if (listeners.length === plain.length) continue;
    const actions = plain.flatMap(({ Properties }) => Properties?.DefaultActions as { Type: string }[]);
    t.strictSame(
      actions.map(({ Type }) => Type),
      ['redirect'],
      label,
    );
  }
});

t.test('two deployments of one provider in one account and region share no name', async (t) => {
  const named = (name: string, registered: boolean): Set<string> => {
    const okta = profileOf('okta', COGNITO, { name });
    const domain = { ...ZONE, name: `${name.toLowerCase()}.company.example` };
    const profile = withEverything(
      monitored(
        { ...okta, identityProvider: { ...okta.identityProvider, registered } },
        { ...MONITORINGS['new private, domain'], domain },
      ),
    );
    const names = stacksOf(profile).flatMap((stack) =>
      namesIn(synthesize(stack, profile, t.testdir()) as TemplateJson),
    );
    return new Set(names);
  };
  const first = named('ClaudeCode', false);
  const second = named('Research', true);
  t.ok(first.size > 10, [...first].join(' '));
  t.equal(second.size, first.size - 1, 'the second one does not register the issuer again');
  for (const name of first) t.notOk(second.has(name), name);
});

t.test('templates of other partitions do not name the commercial one', async (t) => {
  for (const region of ['us-gov-west-1', 'us-gov-east-1', 'cn-north-1', 'cn-northwest-1']) {
    const bedrock = { regions: [region], geographies: [], globalInference: false };
    for (const monitoring of ['new private, domain', 'new public'] as const) {
      const profile: InfraProfile = withEverything(
        monitored(profileOf('okta', COGNITO, { region, bedrock }), MONITORINGS[monitoring]),
      );
      t.equal(findProfileProblem(profile), undefined);
      for (const stack of stacksOf(profile)) {
        const text = JSON.stringify(synthesize(stack, profile, t.testdir()));
        t.strictSame(complaints(text), [], `${stack} in ${region}`);
        t.notMatch(text, /arn:aws/, `${stack} in ${region}: the partition comes from the stack`);
        t.notMatch(text, /"cognito-identity\.amazonaws\.com/, `${stack} in ${region}`);
      }
    }
  }
});

t.test('the same profile gives the same template', async (t) => {
  const profile = monitored(profileOf('okta', COGNITO), MONITORINGS['new private']);
  for (const stack of stacksOf(profile)) {
    t.strictSame(synthesize(stack, profile, t.testdir()), synthesize(stack, profile, t.testdir()));
  }
});
