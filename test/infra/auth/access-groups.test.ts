import t from 'tap';
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
const ROLES = 'AWS::Cognito::IdentityPoolRoleAttachment';
const ROLE_ARN = { 'Fn::GetAtt': ['AuthenticatedRole', 'Arn'] };
const OIDC_PROVIDER_ARN = { 'Fn::GetAtt': ['OidcProvider', 'Arn'] };
const GROUPS = { claim: 'groups', groups: ['Claude Users', 'research'] };

t.test('with groups, only members get the role and other users get nothing', async (t) => {
  const template = authTemplate(t, profileOf('okta', COGNITO, { accessGroups: GROUPS }));
  t.strictSame(Object.keys(template.findResources(ROLE)).sort(), ['AuthenticatedRole', 'NoAccessRole']);
  t.strictSame(only(template, ROLES), {
    IdentityPoolId: { Ref: 'IdentityPool' },
    Roles: { authenticated: { 'Fn::GetAtt': ['NoAccessRole', 'Arn'] } },
    RoleMappings: {
      provider: {
        IdentityProvider: OIDC_PROVIDER_ARN,
        Type: 'Rules',
        AmbiguousRoleResolution: 'Deny',
        RulesConfiguration: {
          Rules: GROUPS.groups.map((Value) => ({
            Claim: 'groups',
            MatchType: 'Contains',
            Value,
            RoleARN: ROLE_ARN,
          })),
        },
      },
    },
  });
  const { NoAccessRole } = template.toJSON().Resources as Record<string, { Properties: object }>;
  t.strictSame(Object.keys(NoAccessRole?.Properties ?? {}).sort(), [
    'AssumeRolePolicyDocument',
    'Description',
  ]);
});

t.test('a claim with one value is compared as a whole', async (t) => {
  const accessGroups = { claim: 'hd', groups: ['company.example'], match: 'equals' } as const;
  const { RoleMappings } = only(authTemplate(t, profileOf('google', COGNITO, { accessGroups })), ROLES);
  t.match(RoleMappings, { provider: { RulesConfiguration: { Rules: [{ MatchType: 'Equals' }] } } });
});

t.test('the rules are for the provider under the name the pool knows it by', async (t) => {
  const names: Partial<Record<string, unknown>> = {
    cognito: `cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12Cd34E:${CLIENT_ID}`,
    google: 'accounts.google.com',
  };
  for (const type of PROVIDER_TYPES) {
    const { RoleMappings } = only(authTemplate(t, profileOf(type, COGNITO, { accessGroups: GROUPS })), ROLES);
    const [mapping, ...more] = Object.values(RoleMappings as Record<string, Record<string, unknown>>);
    t.strictSame(mapping?.IdentityProvider, names[type] ?? OIDC_PROVIDER_ARN, type);
    t.equal(more.length, 0);
  }
});

t.test('with groups, direct federation asks for the session tag that the provider signs', async (t) => {
  for (const type of PROVIDER_TYPES.filter((type) => type !== 'google')) {
    const accessGroups = {
      claim: 'https://aws.amazon.com/tags/principal_tags/Team',
      groups: ['claude', 'research'],
    };
    const profile = profileOf(type, DIRECT, { accessGroups });
    const template = authTemplate(t, profile);
    template.resourceCountIs(ROLE, 1);
    const trust = only(template, ROLE).AssumeRolePolicyDocument as { Statement: object[] };
    t.equal(trust.Statement.length, 1);
    t.match(trust.Statement[0], {
      Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'],
      Condition: {
        StringEquals: {
          [`${profile.identityProvider.loginKey}:aud`]: CLIENT_ID,
          'aws:RequestTag/Team': ['claude', 'research'],
        },
      },
    });
  }
});
