import { join } from 'node:path';
import t, { type Test } from 'tap';
import { planStacks } from '../../../admin/deploy/synth.ts';
import { createFederation } from '../../../daemon/aws/federation.ts';
import type { StackId } from '../../../infra/outputs.ts';
import { parseConfig, profileNamed } from '../../../protocol/config.ts';
import { fakeClock, rejection } from '../../../tools/support/daemon-edges.ts';
import { awsServer, json } from '../../daemon/fixtures/aws.ts';
import { idTokenFor } from '../../daemon/fixtures/tokens.ts';
import { propertiesOf, type TemplateJson } from '../fixtures/templates.ts';

process.env.CDK_VALIDATION = 'false';

/** config.json as an administrator writes it → the login key that AWS has to know it by. */
const PROVIDERS: Readonly<Record<string, [fields: Record<string, string>, loginKey: string]>> = {
  okta: [{ provider_domain: 'company.okta.com' }, 'company.okta.com'],
  'okta with a server': [
    { provider_domain: 'company.okta.com', okta_auth_server: 'default' },
    'company.okta.com/oauth2/default',
  ],
  auth0: [{ provider_domain: 'company.eu.auth0.com' }, 'company.eu.auth0.com/'],
  azure: [
    { provider_domain: 'login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0' },
    'login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0',
  ],
  cognito: [
    { provider_type: 'cognito', cognito_user_pool_id: 'eu-west-1_Ab12Cd34E' },
    'cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E',
  ],
  google: [{ provider_domain: 'accounts.google.com' }, 'accounts.google.com'],
  generic: [{ issuer: 'https://sso.company.example/realms/staff' }, 'sso.company.example/realms/staff'],
};

const POOL = { identity_pool_id: 'eu-west-1:11111111-2222-3333-4444-555555555555' };
const ROLE = { federated_role_arn: 'arn:aws:iam::123456789012:role/R' };

type Walk = { fields: Record<string, string>; federation: Record<string, string>; infra?: object };

function walk(t: Test, { fields, federation, infra }: Walk) {
  const all = { ...fields, ...federation, client_id: 'client1', aws_region: 'eu-west-1' };
  const profile = profileNamed(parseConfig(JSON.stringify({ ClaudeCode: all }), 'config.json'), 'ClaudeCode');
  const infraFile = infra && join(t.testdir({ 'infra.json': JSON.stringify(infra) }), 'infra.json');
  const templateOf = (stack: StackId): TemplateJson =>
    planStacks([stack], profile, { globalInference: false, infraFile })[0]
      ?.template as unknown as TemplateJson;
  return { profile, all, templateOf };
}

/** The names under which a template lets the identity provider's tokens in. */
function keysIn(template: TemplateJson): string[] {
  const registered = Object.values(template.Resources)
    .filter(({ Type }) => Type === 'AWS::IAM::OIDCProvider')
    .map(({ Properties }) => String(Properties?.Url).replace(/^https:\/\//, ''));
  const pool = template.Resources.IdentityPool?.Properties ?? {};
  const userPools = (pool.CognitoIdentityProviders ?? []) as { ProviderName: string }[];
  const trust = JSON.stringify(propertiesOf(template, 'AuthenticatedRole').AssumeRolePolicyDocument);
  const audience = /"((?!cognito-identity)[^"]+):aud":/.exec(trust)?.[1];
  return [
    ...registered,
    ...userPools.map(({ ProviderName }) => ProviderName),
    ...Object.keys((pool.SupportedLoginProviders ?? {}) as object),
    ...(audience === undefined ? [] : [audience]),
  ];
}

t.test('the template accepts the login key that the daemon sends, for each provider', async (t) => {
  const clock = fakeClock();
  const aws = await awsServer(t, () => json({}));
  for (const [name, [fields, loginKey]] of Object.entries(PROVIDERS)) {
    const { all, templateOf } = walk(t, { fields, federation: POOL });
    const known = keysIn(templateOf('auth'));
    t.strictSame(known, [loginKey], `${name}: in the template`);
    const local = { ...all, cognito_identity_endpoint: aws.endpoint };
    const profile = profileNamed(parseConfig(JSON.stringify({ P: local }), 'config.json'), 'P');
    aws.calls.length = 0;
    await rejection(createFederation(profile, { clock, fetch }).credentials(idTokenFor(clock)));
    const [call] = aws.calls;
    t.equal(call?.operation, 'GetId', name);
    t.strictSame(Object.keys(call?.input.Logins as object), known, `${name}: from the daemon`);
  }
});

t.test('direct federation registers, and asks about, the same issuer', async (t) => {
  for (const [name, [fields, loginKey]] of Object.entries(PROVIDERS)) {
    const { profile, templateOf } = walk(t, { fields, federation: ROLE });
    const once = name === 'google' ? [loginKey] : [loginKey, loginKey];
    t.strictSame(keysIn(templateOf('auth')), once, name);
    t.equal(profile.identityProvider.issuer, `https://${loginKey}`, name);
  }
});

t.test('the load balancer takes the tokens of the same issuer', async (t) => {
  const domain = { name: 'otel.company.example', hostedZoneId: 'Z0123456789ABC' };
  const infra = {
    jwksUri: 'https://sso.company.example/keys',
    monitoring: { network: { type: 'new', tasks: 'public' }, domain },
  };
  for (const [name, [fields, loginKey]] of Object.entries(PROVIDERS)) {
    const { templateOf } = walk(t, { fields, federation: POOL, infra });
    const { DefaultActions } = propertiesOf(templateOf('monitoring'), 'HttpsListener');
    t.match(DefaultActions, [{ JwtValidationConfig: { Issuer: `https://${loginKey}` } }, {}], name);
  }
});
