import t from 'tap';
import {
  findProfileProblem,
  type InfraProfile,
  type ProfileField,
  partitionOf,
} from '../../infra/profile.ts';
import { COGNITO, DIRECT, PROVIDER_TYPES, profileOf } from './fixtures/profiles.ts';

const okta = profileOf('okta', COGNITO);

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
  bedrock: { regions, globalInference: false },
});
const maxSession = (maxSessionSeconds: number): InfraProfile =>
  profileOf('okta', { type: 'direct', maxSessionSeconds });

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

t.test('a user pool behind an issuer of its own may federate directly', async (t) => {
  t.equal(findProfileProblem(withIssuer('https://sso.example', profileOf('cognito', DIRECT))), undefined);
});

t.test('a region tells its partition', async (t) => {
  t.equal(partitionOf('us-east-1'), 'aws');
  t.equal(partitionOf('ap-southeast-2'), 'aws');
  t.equal(partitionOf('us-gov-east-1'), 'aws-us-gov');
  t.equal(partitionOf('cn-northwest-1'), 'aws-cn');
  for (const region of ['us-isob-east-1', 'eusc-de-east-1', 'us-east', '', 'us-east-1\n']) {
    t.equal(partitionOf(region), undefined, JSON.stringify(region));
  }
});
