import t from 'tap';
import { jwksUriOf } from '../../../infra/profile/jwks.ts';
import { JWKS_URI } from '../fixtures/configurations.ts';
import { COGNITO, profileOf } from '../fixtures/profiles.ts';

t.test('the address of the keys of each type is the documented one', async (t) => {
  const expected = {
    okta: 'https://company.okta.com/oauth2/default/v1/keys',
    auth0: 'https://company.eu.auth0.com/.well-known/jwks.json',
    azure: 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/discovery/v2.0/keys',
    cognito: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12Cd34E/.well-known/jwks.json',
    google: 'https://www.googleapis.com/oauth2/v3/certs',
  } as const;
  for (const [type, uri] of Object.entries(expected)) {
    const { identityProvider } = profileOf(type as keyof typeof expected, COGNITO);
    t.equal(jwksUriOf(identityProvider), uri, type);
    t.equal(jwksUriOf({ ...identityProvider, jwksUri: JWKS_URI }), JWKS_URI, `${type}, told otherwise`);
  }
});

t.test('Okta\u2019s own authorization server has a longer path', async (t) => {
  const { identityProvider } = profileOf('okta', COGNITO);
  const own = { ...identityProvider, issuer: 'https://company.okta.com', loginKey: 'company.okta.com' };
  t.equal(jwksUriOf(own), 'https://company.okta.com/oauth2/v1/keys');
});

t.test('a generic provider has no known address of keys', async (t) => {
  t.equal(jwksUriOf(profileOf('generic', COGNITO).identityProvider), undefined);
});
