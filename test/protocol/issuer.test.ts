import t from 'tap';
import {
  detectProviderType,
  type IdentityProviderFields,
  PROVIDER_TYPES,
  resolveIdentityProvider,
} from '../../protocol/issuer.ts';

function issuerOf(fields: IdentityProviderFields): string {
  const resolved = resolveIdentityProvider(fields);
  return 'problem' in resolved ? `problem with ${resolved.problem.field}` : resolved.issuer;
}

t.test('the suffix of a host decides the type of the provider', async (t) => {
  const cases: [string, string | undefined][] = [
    ['company.okta.com', 'okta'],
    ['company.oktapreview.com', 'okta'],
    ['company.okta-emea.com', 'okta'],
    ['COMPANY.Okta.Com', 'okta'],
    ['https://company.okta.com/', 'okta'],
    ['https://company.okta.com/oauth2/default', 'okta'],
    ['  company.okta.com  ', 'okta'],
    ['company.auth0.com', 'auth0'],
    ['company.eu.auth0.com', 'auth0'],
    ['login.microsoftonline.com/tenant/v2.0', 'azure'],
    ['sts.windows.net/tenant/', 'azure'],
    ['company.auth.us-east-1.amazoncognito.com', 'cognito'],
    ['cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab12Cd34E', 'cognito'],
    ['cognito-idp.us-gov-west-1.amazonaws.com', 'cognito'],
    ['cognito-idp.cn-north-1.amazonaws.com.cn', 'cognito'],
    ['accounts.google.com', 'google'],
    ['sso.company.example', undefined],
    ['', undefined],
  ];
  for (const [domain, type] of cases) t.equal(detectProviderType(domain), type, domain);
});

t.test('a host that only resembles a provider has no type', async (t) => {
  for (const domain of [
    'okta.com.evil.example',
    'company.okta.com.evil.example',
    'evil-okta.com',
    'evilokta.com',
    'okta.com',
    'evil.example/company.okta.com',
    'https://evil.example/.okta.com',
    'company.okta.com@evil.example',
    'company.okta.com:443@evil.example',
    'xauth0.com',
    'auth0.com.evil.example',
    'notmicrosoftonline.com',
    'login.microsoftonline.com.evil.example',
    'xwindows.net',
    'myaccounts.google.com.evil.example',
    'evil.accounts.google.com.example',
    'xaccounts.google.com',
    'cognito-idp.us-east-1.amazonaws.com.evil.example',
    'cognito-idp.evil.example.amazonaws.com',
    'x.cognito-idp.us-east-1.amazonaws.com',
    'evilamazoncognito.com',
  ]) {
    t.equal(detectProviderType(domain), undefined, domain);
  }
});

t.test('a suffix in the path of a domain does not decide its type', async (t) => {
  for (const domain of ['evil.example?.okta.com', 'evil.example#.okta.com', 'evil.example\\.okta.com'])
    t.equal(detectProviderType(domain), undefined, domain);
});

t.test('an Okta domain gives an Okta issuer', async (t) => {
  t.equal(issuerOf({ provider_domain: 'https://Company.okta.com/' }), 'https://company.okta.com');
  const okta = { provider_domain: 'company.okta.com' };
  t.equal(issuerOf({ ...okta, okta_auth_server: 'default' }), 'https://company.okta.com/oauth2/default');
  t.equal(issuerOf({ ...okta, okta_auth_server: 'a/../b' }), 'https://company.okta.com/oauth2/a%2F..%2Fb');
  t.equal(
    issuerOf({ provider_domain: 'company.okta.com/oauth2/aus1' }),
    'https://company.okta.com/oauth2/aus1',
  );
  t.equal(
    issuerOf({ provider_type: 'okta', provider_domain: 'login.company.example' }),
    'https://login.company.example',
    'with a domain of the company\u2019s own',
  );
});

t.test('Auth0\u2019s issuer ends in a slash', async (t) => {
  t.equal(issuerOf({ provider_domain: 'company.auth0.com' }), 'https://company.auth0.com/');
  t.equal(issuerOf({ provider_domain: 'company.auth0.com/' }), 'https://company.auth0.com/');
  t.equal(
    issuerOf({ provider_type: 'auth0', provider_domain: 'id.company.example' }),
    'https://id.company.example/',
  );
});

t.test('Entra ID requires the company\u2019s own tenant', async (t) => {
  const tenant = '11111111-2222-3333-4444-555555555555';
  const issuer = `https://login.microsoftonline.com/${tenant}/v2.0`;
  for (const provider_domain of [
    `login.microsoftonline.com/${tenant}/v2.0`,
    `https://login.microsoftonline.com/${tenant}/v2.0/`,
    `login.microsoftonline.com/${tenant}`,
    `sts.windows.net/${tenant}/`,
  ]) {
    t.equal(issuerOf({ provider_domain }), issuer, provider_domain);
  }
  t.equal(
    issuerOf({ provider_type: 'azure', provider_domain: 'company.onmicrosoft.com' }),
    'https://login.microsoftonline.com/company.onmicrosoft.com/v2.0',
  );
  for (const shared of ['common', 'organizations', 'consumers', 'Common']) {
    const provider_domain = `login.microsoftonline.com/${shared}/v2.0`;
    t.equal(issuerOf({ provider_domain }), 'problem with provider_domain', shared);
  }
  t.equal(issuerOf({ provider_domain: 'login.microsoftonline.com' }), 'problem with provider_domain');
  t.equal(issuerOf({ provider_type: 'azure' }), 'problem with provider_domain');
});

t.test('a Cognito user pool gives its issuer in every partition', async (t) => {
  const cases: [string, string][] = [
    ['us-east-1_Ab12Cd34E', 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab12Cd34E'],
    ['us-gov-west-1_Ab12Cd34E', 'https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_Ab12Cd34E'],
    ['cn-north-1_Ab12Cd34E', 'https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_Ab12Cd34E'],
  ];
  for (const [cognito_user_pool_id, issuer] of cases) {
    t.equal(issuerOf({ cognito_user_pool_id }), issuer, 'by the pool alone');
    t.equal(issuerOf({ provider_type: 'cognito', cognito_user_pool_id }), issuer);
    t.equal(
      issuerOf({ provider_domain: 'x.auth.us-east-1.amazoncognito.com', cognito_user_pool_id }),
      issuer,
    );
    t.equal(issuerOf({ provider_domain: issuer }), issuer, 'by its own address');
  }
  for (const pool of [
    'Ab12',
    'us-east-1',
    'us-east-1_',
    'us-east-1_Ab/../x',
    'evil.example/us-east-1_Ab',
    'US-EAST-1_Ab',
  ])
    t.equal(
      issuerOf({ provider_type: 'cognito', cognito_user_pool_id: pool }),
      'problem with cognito_user_pool_id',
      pool,
    );
  t.equal(
    issuerOf({ provider_domain: 'x.auth.us-east-1.amazoncognito.com' }),
    'problem with cognito_user_pool_id',
    'a hosted page\u2019s domain does not tell the pool',
  );
});

t.test('Google has one issuer', async (t) => {
  t.equal(issuerOf({ provider_domain: 'accounts.google.com' }), 'https://accounts.google.com');
  t.equal(issuerOf({ provider_type: 'google' }), 'https://accounts.google.com');
});

t.test('any other provider is identified by its issuer or domain', async (t) => {
  t.equal(
    issuerOf({ issuer: 'https://sso.company.example/realms/main' }),
    'https://sso.company.example/realms/main',
  );
  t.equal(
    issuerOf({ provider_type: 'generic', provider_domain: 'SSO.company.example/realms/Main/' }),
    'https://sso.company.example/realms/Main',
    'host in lower case, path as it is',
  );
  t.equal(issuerOf({ provider_type: 'generic' }), 'problem with issuer');
  t.equal(issuerOf({ provider_domain: 'sso.company.example' }), 'problem with provider_domain');
  t.equal(issuerOf({}), 'problem with provider_domain');
});

t.test('a given issuer overrides the derived one for every type', async (t) => {
  for (const provider_type of PROVIDER_TYPES) {
    const issuer = 'https://id.company.example/x';
    t.same(resolveIdentityProvider({ provider_type, provider_domain: 'company.okta.com', issuer }), {
      providerType: provider_type,
      issuer,
      loginKey: 'id.company.example/x',
    });
  }
  t.match(resolveIdentityProvider({ issuer: 'https://company.okta.com/oauth2/default' }), {
    providerType: 'okta',
  });
});

t.test('the login key is the issuer without its scheme, to the last slash', async (t) => {
  const keyOf = (fields: IdentityProviderFields) => {
    const resolved = resolveIdentityProvider(fields);
    return 'problem' in resolved ? undefined : resolved.loginKey;
  };
  t.equal(keyOf({ provider_domain: 'company.okta.com' }), 'company.okta.com');
  t.equal(keyOf({ provider_domain: 'company.auth0.com' }), 'company.auth0.com/');
  t.equal(keyOf({ issuer: 'http://127.0.0.1:9000' }), '127.0.0.1:9000');
  t.equal(
    keyOf({ cognito_user_pool_id: 'eu-west-1_Ab12Cd34E' }),
    'cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E',
  );
});
