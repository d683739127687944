import t, { type Test } from 'tap';
import type { InfraProfile } from '../../../infra/profile/profile.ts';
import { authTemplate, CLIENT_ID, COGNITO, DIRECT, only, profileOf } from '../fixtures/profiles.ts';
import { ACCOUNT, type Asked, resolved, resourceAdmits } from '../fixtures/simulate.ts';

process.env.CDK_VALIDATION = 'false';

const POOL = 'eu-central-1:11111111-2222-3333-4444-555555555555';
const OKTA = `arn:aws:iam::${ACCOUNT}:oidc-provider/company.okta.com/oauth2/default`;
const IDENTITY_POOLS = 'cognito-identity.amazonaws.com';
/** Stands for the provider's login key: the simulator has condition keys of the providers in AWS's list alone. */
const LOGIN = 'accounts.google.com';
const LOGIN_KEY = 'company.okta.com/oauth2/default:';

type Keys = NonNullable<Asked['context']>;

/** Returns true if the role's trust policy admits a token with these condition keys. */
async function admits(t: Test, profile: InfraProfile, principal: string, context: Keys): Promise<boolean> {
  const roles = authTemplate(t, profile).findResources('AWS::IAM::Role');
  const trust = roles.AuthenticatedRole?.Properties.AssumeRolePolicyDocument;
  const attributes = { IdentityPool: POOL, OidcProvider: OKTA, 'OidcProvider.Arn': OKTA };
  const text = JSON.stringify(resolved(trust, profile.region, attributes));
  const resource = `arn:aws:iam::${ACCOUNT}:role/Users`;
  const action = 'sts:AssumeRoleWithWebIdentity';
  const policy: unknown = JSON.parse(text.replaceAll(LOGIN_KEY, `${LOGIN}:`));
  return resourceAdmits(policy, principal, { action, resource, context });
}

const SIGNED_IN = { [`${IDENTITY_POOLS}:aud`]: POOL, [`${IDENTITY_POOLS}:amr`]: ['authenticated', LOGIN] };

t.test('an identity pool\u2019s role admits signed-in users of that pool only', async (t) => {
  const profile = profileOf('okta', COGNITO);
  t.equal(await admits(t, profile, IDENTITY_POOLS, SIGNED_IN), true);
  const other = { ...SIGNED_IN, [`${IDENTITY_POOLS}:aud`]: POOL.replace('1111', '9999') };
  t.equal(await admits(t, profile, IDENTITY_POOLS, other), false, 'another pool');
  const guest = { ...SIGNED_IN, [`${IDENTITY_POOLS}:amr`]: ['unauthenticated'] };
  t.equal(await admits(t, profile, IDENTITY_POOLS, guest), false, 'a guest');
  t.equal(await admits(t, profile, IDENTITY_POOLS, {}), false, 'no keys');
  t.equal(await admits(t, profile, OKTA, SIGNED_IN), false, 'the provider itself');
});

t.test('a shared registration admits tokens of this deployment\u2019s client only', async (t) => {
  const plain = profileOf('okta', COGNITO);
  const shared = { ...plain, identityProvider: { ...plain.identityProvider, requiresClientId: true } };
  const tags = { 'aws:RequestTag/UserId': '00u1a2b3c4' };
  const own = { ...SIGNED_IN, ...tags, 'aws:RequestTag/ClientId': CLIENT_ID };
  t.equal(await admits(t, shared, IDENTITY_POOLS, own), true);
  const other = { ...own, 'aws:RequestTag/ClientId': 'other' };
  t.equal(await admits(t, shared, IDENTITY_POOLS, other), false, 'another client of the registration');
  t.equal(await admits(t, shared, IDENTITY_POOLS, { ...SIGNED_IN, ...tags }), false, 'no tag');
  t.equal(await admits(t, plain, IDENTITY_POOLS, other), true, 'not asked for');
  const mapped = only(authTemplate(t, shared), 'AWS::Cognito::IdentityPoolPrincipalTag');
  t.strictSame(mapped.PrincipalTags, { UserId: 'sub', ClientId: 'aud' });
});

t.test('the role of direct federation admits tokens for the client id only', async (t) => {
  const profile = profileOf('okta', DIRECT);
  t.equal(await admits(t, profile, OKTA, { [`${LOGIN}:aud`]: CLIENT_ID }), true);
  t.equal(await admits(t, profile, OKTA, { [`${LOGIN}:aud`]: 'other' }), false, 'another client');
  t.equal(await admits(t, profile, OKTA, {}), false, 'no audience');
  t.equal(await admits(t, profile, IDENTITY_POOLS, SIGNED_IN), false, 'an identity pool');
});

t.test('with groups, direct federation admits members only', async (t) => {
  const claim = 'https://aws.amazon.com/tags/principal_tags/Team';
  const profile = profileOf('okta', DIRECT, { accessGroups: { claim, groups: ['claude', 'research'] } });
  const client = { [`${LOGIN}:aud`]: CLIENT_ID };
  t.equal(await admits(t, profile, OKTA, { ...client, 'aws:RequestTag/Team': 'research' }), true);
  t.equal(await admits(t, profile, OKTA, { ...client, 'aws:RequestTag/Team': 'not-claude' }), false);
  t.equal(await admits(t, profile, OKTA, client), false, 'a token without the tag');
});
