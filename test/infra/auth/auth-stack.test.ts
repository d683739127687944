import { Template } from 'aws-cdk-lib/assertions';
import { App } from 'aws-cdk-lib/core';
import t from 'tap';
import { AuthStack } from '../../../infra/auth/auth-stack.ts';
import { AUTH_OUTPUTS } from '../../../infra/outputs.ts';
import type { InfraProfile } from '../../../infra/profile/profile.ts';
import {
  authTemplate,
  CLIENT_ID,
  COGNITO,
  DIRECT,
  only,
  PROVIDER_TYPES,
  profileOf,
} from '../fixtures/profiles.ts';

process.env.CDK_VALIDATION = 'false';

const ROLE = 'AWS::IAM::Role';
const POOL = 'AWS::Cognito::IdentityPool';
const OIDC_PROVIDER = 'AWS::IAM::OIDCProvider';
const TAGS = 'AWS::Cognito::IdentityPoolPrincipalTag';
const ACTIONS = ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'];
const OIDC_PROVIDER_ARN = { 'Fn::GetAtt': ['OidcProvider', 'Arn'] };
const ROLE_ARN = { 'Fn::GetAtt': ['AuthenticatedRole', 'Arn'] };
const EXTERNAL = ['okta', 'auth0', 'azure', 'generic'] as const;

/** Logical id → type of everything in a template. */
function resources(template: Template): Record<string, string> {
  const all = template.toJSON().Resources as Record<string, { Type: string }>;
  return Object.fromEntries(Object.entries(all).map(([id, { Type }]) => [id, Type]));
}

const POOL_RESOURCES = {
  IdentityPool: POOL,
  AuthenticatedRole: ROLE,
  IdentityPoolRoles: 'AWS::Cognito::IdentityPoolRoleAttachment',
  PrincipalTags: TAGS,
};

t.test('an external provider with an identity pool has exactly five resources', async (t) => {
  for (const type of EXTERNAL) {
    const template = authTemplate(t, profileOf(type, COGNITO, { sessionTags: ['UserId'] }));
    t.strictSame(resources(template), { OidcProvider: OIDC_PROVIDER, ...POOL_RESOURCES }, type);
    t.strictSame(only(template, POOL).OpenIdConnectProviderARNs, [OIDC_PROVIDER_ARN], type);
    t.equal(only(template, POOL).CognitoIdentityProviders, undefined, type);
  }
});

t.test('a user pool is attached to the identity pool with the server-side token check', async (t) => {
  const template = authTemplate(t, profileOf('cognito', COGNITO));
  t.strictSame(resources(template), POOL_RESOURCES);
  t.strictSame(only(template, POOL).CognitoIdentityProviders, [
    {
      ProviderName: 'cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12Cd34E',
      ClientId: CLIENT_ID,
      ServerSideTokenCheck: true,
    },
  ]);
});

t.test('Google is never registered in IAM', async (t) => {
  const pooled = authTemplate(t, profileOf('google', COGNITO));
  t.strictSame(resources(pooled), POOL_RESOURCES);
  t.strictSame(only(pooled, POOL).SupportedLoginProviders, { 'accounts.google.com': CLIENT_ID });
  const direct = authTemplate(t, profileOf('google', DIRECT));
  t.strictSame(resources(direct), { AuthenticatedRole: ROLE });
});

t.test('direct federation has the registration and the role, and no identity pool', async (t) => {
  for (const type of [...EXTERNAL, 'cognito'] as const) {
    const template = authTemplate(t, profileOf(type, DIRECT));
    t.strictSame(resources(template), { OidcProvider: OIDC_PROVIDER, AuthenticatedRole: ROLE }, type);
  }
});

t.test('the registered issuer and audience are those of the profile', async (t) => {
  const expected: Record<(typeof EXTERNAL)[number], string> = {
    okta: 'https://company.okta.com/oauth2/default',
    auth0: 'https://company.eu.auth0.com/',
    azure: 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0',
    generic: 'https://sso.company.example/realms/staff',
  };
  for (const type of EXTERNAL) {
    const template = authTemplate(t, profileOf(type, COGNITO));
    t.strictSame(only(template, OIDC_PROVIDER), { Url: expected[type], ClientIdList: [CLIENT_ID] });
  }
});

t.test('the role behind an identity pool trusts only signed-in identities of that pool', async (t) => {
  for (const type of PROVIDER_TYPES) {
    t.strictSame(
      only(authTemplate(t, profileOf(type, COGNITO)), ROLE).AssumeRolePolicyDocument,
      {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Federated: 'cognito-identity.amazonaws.com' },
            Action: ACTIONS,
            Condition: {
              StringEquals: { 'cognito-identity.amazonaws.com:aud': { Ref: 'IdentityPool' } },
              'ForAnyValue:StringLike': { 'cognito-identity.amazonaws.com:amr': 'authenticated' },
            },
          },
        ],
      },
      type,
    );
  }
});

t.test('the role for direct federation trusts only tokens for our client id', async (t) => {
  for (const type of PROVIDER_TYPES) {
    const profile = profileOf(type, DIRECT);
    const role = only(authTemplate(t, profile), ROLE);
    const statement = {
      Effect: 'Allow',
      Principal: { Federated: type === 'google' ? 'accounts.google.com' : OIDC_PROVIDER_ARN },
      Action: ACTIONS,
      Condition: { StringEquals: { [`${profile.identityProvider.loginKey}:aud`]: CLIENT_ID } },
    };
    t.strictSame(role.AssumeRolePolicyDocument, { Version: '2012-10-17', Statement: [statement] }, type);
    t.equal(role.MaxSessionDuration, 43_200, type);
  }
});

t.test('the condition key keeps the slash that ends an Auth0 issuer', async (t) => {
  const role = only(authTemplate(t, profileOf('auth0', DIRECT)), ROLE);
  t.match(JSON.stringify(role), '"company.eu.auth0.com/:aud"');
});

t.test('outside the commercial partition the pool is trusted under its own name there', async (t) => {
  const names = {
    'us-gov-west-1': 'cognito-identity-us-gov.amazonaws.com',
    'us-gov-east-1': 'cognito-identity.us-gov-east-1.amazonaws.com',
    'cn-north-1': 'cognito-identity.cn-north-1.amazonaws.com.cn',
  };
  for (const [region, name] of Object.entries(names)) {
    const profile = profileOf('okta', COGNITO, {
      region,
      bedrock: { regions: [region], geographies: [], globalInference: true },
    });
    const trust = JSON.stringify(only(authTemplate(t, profile), ROLE).AssumeRolePolicyDocument);
    t.match(trust, `"Federated":"${name}"`);
    t.match(trust, `"${name}:aud":{"Ref":"IdentityPool"}`);
    t.match(trust, `"${name}:amr":"authenticated"`);
    t.notMatch(trust, '"cognito-identity.amazonaws.com');
  }
});

t.test('no combination admits unauthenticated users', async (t) => {
  for (const type of PROVIDER_TYPES) {
    for (const federation of [COGNITO, DIRECT]) {
      const template = authTemplate(t, profileOf(type, federation));
      template.resourceCountIs(ROLE, 1);
      const text = JSON.stringify(template.toJSON());
      t.notMatch(text, /"unauthenticated"/);
      t.notMatch(text, /"Principal":("\*"|\{"[A-Za-z]+":"\*"\})/);
      t.notMatch(text, /arn:aws/, 'the partition comes from the stack');
      if (federation === DIRECT) continue;
      t.match(only(template, POOL), { AllowUnauthenticatedIdentities: false, AllowClassicFlow: false });
      t.strictSame(only(template, 'AWS::Cognito::IdentityPoolRoleAttachment'), {
        IdentityPoolId: { Ref: 'IdentityPool' },
        Roles: { authenticated: ROLE_ARN },
      });
    }
  }
});

t.test('claims become principal tags under the name the pool knows the provider by', async (t) => {
  const providerNames: Partial<Record<string, unknown>> = {
    cognito: 'cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12Cd34E',
    google: 'accounts.google.com',
  };
  for (const type of PROVIDER_TYPES) {
    t.strictSame(
      only(authTemplate(t, profileOf(type, COGNITO, { sessionTags: ['UserEmail', 'UserId'] })), TAGS),
      {
        IdentityPoolId: { Ref: 'IdentityPool' },
        IdentityProviderName: providerNames[type] ?? OIDC_PROVIDER_ARN,
        UseDefaults: false,
        PrincipalTags: { UserEmail: 'email', UserId: 'sub' },
      },
      type,
    );
  }
});

t.test('an issuer already registered in IAM is used by its ARN', async (t) => {
  const arn = {
    'Fn::Join': [
      '',
      [
        'arn:',
        { Ref: 'AWS::Partition' },
        ':iam::',
        { Ref: 'AWS::AccountId' },
        ':oidc-provider/company.okta.com/oauth2/default',
      ],
    ],
  };
  for (const federation of [COGNITO, DIRECT]) {
    const okta = profileOf('okta', federation);
    const template = authTemplate(t, {
      ...okta,
      identityProvider: { ...okta.identityProvider, registered: true },
    });
    template.resourceCountIs(OIDC_PROVIDER, 0);
    if (federation === COGNITO) {
      t.strictSame(only(template, POOL).OpenIdConnectProviderARNs, [arn]);
      t.strictSame(only(template, TAGS).IdentityProviderName, arn);
    } else {
      t.match(only(template, ROLE).AssumeRolePolicyDocument, {
        Statement: [{ Principal: { Federated: arn } }],
      });
    }
  }
});

t.test('the outputs are those of infra/outputs', async (t) => {
  const outputs = (profile: InfraProfile): unknown => authTemplate(t, profile).toJSON().Outputs;
  t.match(outputs(profileOf('okta', COGNITO)), {
    [AUTH_OUTPUTS.roleArn]: { Value: ROLE_ARN },
    [AUTH_OUTPUTS.identityPoolId]: { Value: { Ref: 'IdentityPool' } },
  });
  const direct = outputs(profileOf('okta', DIRECT)) as object;
  t.strictSame(Object.keys(direct), [AUTH_OUTPUTS.roleArn]);
});

t.test('two profiles in one region share no name', async (t) => {
  const names = ['ClaudeCode', 'Research'].map((name) => {
    const app = new App({ outdir: t.testdir(), builtinCloudFormationValidation: false });
    const stack = new AuthStack(app, profileOf('okta', COGNITO, { name }));
    return [stack.stackName, only(Template.fromStack(stack), POOL).IdentityPoolName];
  });
  t.strictSame(names, [
    ['ccwb-ClaudeCode-auth', 'ccwb-ClaudeCode'],
    ['ccwb-Research-auth', 'ccwb-Research'],
  ]);
});
