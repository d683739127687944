import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Config, chooseProfile, loadConfig, parseConfig, profileNamed } from '../../protocol/config.ts';
import { CcwbError } from '../../protocol/errors.ts';

const PATH = '/home/ada/claude-code-with-bedrock/config.json';
const POOL = 'us-east-1:11111111-2222-3333-4444-555555555555';
const ROLE = 'arn:aws:iam::123456789012:role/BedrockUsers';
const GOOD = { provider_domain: 'company.okta.com', client_id: 'client', identity_pool_id: POOL };

type Fields = Record<string, unknown>;

function parse(fields: Fields | unknown, name = 'ClaudeCode'): Config {
  return parseConfig(JSON.stringify({ profiles: { [name]: fields } }), PATH);
}

function profile(fields: Fields) {
  return profileNamed(parse(fields), 'ClaudeCode');
}

/** The error of a profile whose fields are wrong. */
function problem(fields: Fields | unknown, name = 'ClaudeCode'): CcwbError {
  const error = parse(fields, name).invalid.get(name);
  if (!error) throw new Error(`accepted: ${JSON.stringify(fields)}`);
  return error;
}

function thrown(action: () => unknown): CcwbError {
  try {
    action();
  } catch (error) {
    if (error instanceof CcwbError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

t.test('a profile with only the required fields gets every default', async (t) => {
  t.same(profile(GOOD), {
    name: 'ClaudeCode',
    identityProvider: {
      providerType: 'okta',
      issuer: 'https://company.okta.com',
      loginKey: 'company.okta.com',
    },
    clientId: 'client',
    clientSecret: undefined,
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    awsRegion: 'us-east-1',
    federation: { type: 'cognito', identityPoolId: POOL, endpoint: undefined },
    credentialStorage: 'session',
    redirectPort: 8400,
    allowedPrograms: undefined,
    telemetry: { sendsIdToken: false, claims: {} },
    containerCredentialsPort: undefined,
  });
});

t.test('every field is read', async (t) => {
  t.same(
    profile({
      provider_type: 'generic',
      provider_domain: 'sso.company.example',
      issuer: 'https://sso.company.example/realms/main',
      client_id: 'client',
      client_secret: 'no-secret',
      scopes: 'openid email groups',
      aws_region: 'eu-central-1',
      federation_type: 'direct',
      federated_role_arn: ROLE,
      max_session_duration: 3600,
      identity_pool_id: POOL,
      cognito_identity_endpoint: 'http://127.0.0.1:9000',
      sts_endpoint: 'http://localhost:9001/',
      credential_storage: 'keyring',
      redirect_port: 8401,
      allowed_programs: ['/usr/local/bin/claude', '~/.local/share/claude/versions/', '/opt/a b/é (x)'],
      otel_collector_endpoint: 'https://otel.company.example',
      otel_collector_validates_token: true,
      otel_claims: { 'x-department': 'abteilung' },
      container_credentials_port: 8401,
    }),
    {
      name: 'ClaudeCode',
      identityProvider: {
        providerType: 'generic',
        issuer: 'https://sso.company.example/realms/main',
        loginKey: 'sso.company.example/realms/main',
      },
      clientId: 'client',
      clientSecret: 'no-secret',
      scopes: ['openid', 'email', 'groups'],
      awsRegion: 'eu-central-1',
      federation: {
        type: 'direct',
        roleArn: ROLE,
        durationSeconds: 3600,
        endpoint: 'http://localhost:9001/',
      },
      credentialStorage: 'keyring',
      redirectPort: 8401,
      allowedPrograms: ['/usr/local/bin/claude', '~/.local/share/claude/versions/', '/opt/a b/é (x)'],
      telemetry: { sendsIdToken: true, claims: { 'x-department': ['abteilung'] } },
      containerCredentialsPort: 8401,
    },
  );
});

t.test('each provider type has its issuer and its scopes', async (t) => {
  const all = ['openid', 'profile', 'email', 'offline_access'];
  const cases: [Fields, string, string, string[]][] = [
    [{ provider_domain: 'company.okta.com' }, 'okta', 'https://company.okta.com', all],
    [
      { provider_domain: 'company.okta.com', okta_auth_server: 'default' },
      'okta',
      'https://company.okta.com/oauth2/default',
      all,
    ],
    [{ provider_domain: 'company.auth0.com' }, 'auth0', 'https://company.auth0.com/', all],
    [
      { provider_domain: 'login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0' },
      'azure',
      'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0',
      all,
    ],
    [
      {
        provider_domain: 'company.auth.eu-west-1.amazoncognito.com',
        cognito_user_pool_id: 'eu-west-1_Ab12Cd34E',
      },
      'cognito',
      'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12Cd34E',
      ['openid', 'email'],
    ],
    [
      { provider_domain: 'accounts.google.com' },
      'google',
      'https://accounts.google.com',
      ['openid', 'profile', 'email'],
    ],
    [
      { provider_type: 'generic', provider_domain: 'sso.company.example/realms/main' },
      'generic',
      'https://sso.company.example/realms/main',
      all,
    ],
    [
      { provider_type: 'auto', issuer: 'https://sso.company.example' },
      'generic',
      'https://sso.company.example',
      all,
    ],
  ];
  for (const [fields, providerType, issuer, scopes] of cases) {
    const { identityProvider, scopes: given } = profile({
      client_id: 'c',
      identity_pool_id: POOL,
      ...fields,
    });
    t.same(
      identityProvider,
      { providerType, issuer, loginKey: issuer.replace('https://', '') },
      JSON.stringify(fields),
    );
    t.same(given, scopes);
  }
});

t.test('field names of the legacy tool are accepted', async (t) => {
  const old = { okta_domain: 'company.okta.com', okta_client_id: 'client', identity_pool_name: POOL };
  t.same(profile(old), profile(GOOD));
  t.same(parse(old).unknownFields, []);
  const both = parse({ ...GOOD, okta_client_id: 'old' });
  t.equal(profileNamed(both, 'ClaudeCode').clientId, 'client', 'the current name wins');
  t.same(both.unknownFields, []);
  const nullBesideOld = parse({ ...old, client_id: null }).profiles.get('ClaudeCode');
  t.equal(nullBesideOld?.clientId, 'client', 'unless it is null');
  t.match(problem({ ...old, okta_client_id: 7 }).message, /ClaudeCode\.okta_client_id is 7/, 'as written');
  const server = profile({ ...GOOD, okta_auth_server_id: 'default' }).identityProvider;
  t.equal(server.issuer, 'https://company.okta.com/oauth2/default');
  const issuer = 'https://sso.company.example/realms/main';
  const generic = profile({
    client_id: 'c',
    identity_pool_id: POOL,
    provider_type: 'generic',
    oidc_issuer_url: issuer,
  });
  t.equal(generic.identityProvider.issuer, issuer);
});

t.test('a packaged profile of the legacy tool loads', async (t) => {
  const { identity_pool_id: _, ...bare } = GOOD;
  const packaged = parse({
    ...bare,
    provider_type: 'okta',
    aws_region: 'us-east-1',
    credential_storage: 'session',
    federation_type: 'direct',
    federated_role_arn: ROLE,
    identity_pool_name: 'claude-code-auth',
    max_session_duration: 28_800,
    cross_region_profile: 'us',
    selected_model: 'us.anthropic.claude-sonnet-4',
    otel_collector_endpoint: 'http://collector-1.elb.amazonaws.com',
    quota_api_endpoint: '',
    sso_enabled: true,
  });
  t.match(profileNamed(packaged, 'ClaudeCode'), { federation: { type: 'direct', roleArn: ROLE } });
  t.same(
    packaged.unknownFields.map((field) => field.replace('profiles.ClaudeCode.', '')),
    ['cross_region_profile', 'selected_model', 'quota_api_endpoint', 'sso_enabled'],
  );
});

t.test('container credentials are off without a port, and with 0', async (t) => {
  t.equal(profile({ ...GOOD, container_credentials_port: 0 }).containerCredentialsPort, undefined);
  t.equal(profile({ ...GOOD, container_credentials_port: 9000 }).containerCredentialsPort, 9000);
  for (const port of [-1, 65_536, 1.5, '9000', true])
    t.match(problem({ ...GOOD, container_credentials_port: port }).message, /container_credentials_port/);
});

t.test('a bare map of profiles is accepted', async (t) => {
  const config = parseConfig(JSON.stringify({ A: GOOD, B: GOOD }), PATH);
  t.same([...config.profiles.keys()], ['A', 'B']);
});

t.test('a byte order mark is accepted', async (t) => {
  const config = parseConfig(`\uFEFF${JSON.stringify({ profiles: { A: GOOD } })}`, PATH);
  t.equal(config.profiles.size, 1);
});

t.test('null and an empty text count as absent', async (t) => {
  const fields = {
    ...GOOD,
    issuer: null,
    scopes: null,
    redirect_port: null,
    allowed_programs: null,
    aws_region: '',
    provider_type: '',
  };
  t.same(profile(fields), profile(GOOD));
});

t.test('a file without a set of profiles is one error', async (t) => {
  const cases: [string, RegExp][] = [
    ['', /not valid JSON/],
    ['{"profiles":', /not valid JSON/],
    ['// comment\n{}', /not valid JSON/],
    ['null', /must be an object of profiles, received null/],
    ['[]', /must be an object of profiles, received \[\]/],
    ['"x"', /must be an object of profiles, received "x"/],
    ['7', /received 7/],
    ['{}', /has no profile; at least one is needed/],
    ['{"profiles":{}}', /has no profile/],
    ['{"profiles":[]}', /profiles: must be an object, received \[\]/],
    ['{"profiles":null}', /profiles: must be an object, received null/],
    ['{"profiles":"x"}', /profiles: must be an object, received "x"/],
  ];
  for (const [text, message] of cases) {
    const error = thrown(() => parseConfig(text, PATH));
    t.equal(error.code, 'ERR_CONFIG_INVALID', text);
    t.match(error.message, message);
    t.ok(error.message.startsWith(`${PATH}: `), 'the file is named');
    t.match(error.fix, /config\.json.*administrator/);
  }
});

t.test('the error of a wrong field has file, field, value and allowed values', async (t) => {
  const cases: [string, unknown, RegExp][] = [
    ['provider_type', 'oktta', /one of auto, okta, auth0, azure, cognito, google, generic/],
    ['provider_type', 7, /one of auto, okta/],
    ['provider_domain', 7, /a non-empty text/],
    ['provider_domain', ['a'], /a non-empty text/],
    ['issuer', 'http://sso.company.example', /an https URL .*http only on/],
    ['issuer', 'sso.company.example', /an https URL/],
    ['issuer', 'https://sso.company.example/?a=b', /without query or fragment/],
    ['issuer', 'https://sso.company.example/#a', /without query or fragment/],
    ['issuer', 'https://user@sso.company.example/', /an https URL/],
    ['issuer', 'ftp://sso.company.example', /an https URL/],
    ['issuer', 'http://127.0.0.1.evil.example', /an https URL/],
    ['issuer', 'http://localhost.evil.example', /an https URL/],
    ['issuer', {}, /a non-empty text/],
    ['client_id', 7, /the client id of the OIDC application/],
    ['client_id', false, /the client id of the OIDC application/],
    ['client_secret', 7, /a non-empty text/],
    ['scopes', 'email profile', /openid among them/],
    ['scopes', ['email'], /openid among them/],
    ['scopes', ['openid', 7], /scopes separated by spaces/],
    ['scopes', ['openid', 'two words'], /scopes separated by spaces/],
    ['scopes', {}, /scopes separated by spaces/],
    ['scopes', 7, /scopes separated by spaces/],
    ['aws_region', 'Frankfurt', /an AWS region such as us-east-1/],
    ['aws_region', 'us-east-1.evil.example', /an AWS region/],
    ['aws_region', 1, /an AWS region/],
    ['federation_type', 'sts', /one of cognito, direct/],
    ['identity_pool_id', 'pool', /an identity pool id such as/],
    ['identity_pool_id', 7, /an identity pool id such as/],
    ['federated_role_arn', 'role', /the ARN of an IAM role/],
    ['federated_role_arn', 'arn:aws:iam::12:role/x', /the ARN of an IAM role/],
    ['max_session_duration', 899, /a whole number from 900 to 43200/],
    ['max_session_duration', 43_201, /a whole number from 900 to 43200/],
    ['max_session_duration', 1000.5, /a whole number/],
    ['max_session_duration', '3600', /a whole number/],
    ['cognito_identity_endpoint', 'http://cognito.example', /an https URL/],
    ['sts_endpoint', 'x', /an https URL/],
    ['credential_storage', 'file', /one of keyring, session/],
    ['redirect_port', 0, /a whole number from 1 to 65535/],
    ['redirect_port', 65_536, /a whole number from 1 to 65535/],
    ['redirect_port', '8400', /a whole number/],
    ['redirect_port', true, /a whole number/],
    ...[
      ...[[], '/usr/bin/node', {}, 7, true, [7], [null], [''], ['claude'], ['bin/claude'], ['~claude/bin']],
      ...[['/'], ['~/'], ['//'], ['~'], ['/usr/bin/../x'], ['/usr/./x'], ['/usr/..'], ['/a\0b'], ['/a', 'b']],
    ].map((value): [string, unknown, RegExp] => [
      'allowed_programs',
      value,
      /a list of absolute paths of programs, or of folders with a slash at the end/,
    ]),
  ];
  for (const [field, value, allowed] of cases) {
    const error = problem({ ...GOOD, [field]: value });
    const start = `${PATH}: profiles.ClaudeCode.${field} is ${JSON.stringify(value)}; allowed: `;
    t.equal(error.code, 'ERR_CONFIG_INVALID');
    t.ok(error.message.startsWith(start), error.message);
    t.match(error.message.slice(start.length), allowed);
    t.match(error.fix, /correct it in .*config\.json/);
  }
});

t.test('the error of a missing field has the allowed values', async (t) => {
  const cases: [Fields, RegExp][] = [
    [{ ...GOOD, client_id: undefined }, /ClaudeCode\.client_id is missing; allowed: the client id/],
    [{ ...GOOD, client_id: '' }, /client_id is missing/],
    [{ ...GOOD, provider_domain: undefined }, /provider_domain is missing; allowed: a domain whose provider/],
    [
      { ...GOOD, provider_type: 'okta', provider_domain: '' },
      /provider_domain is missing; .*company\.okta\.com/,
    ],
    [{ ...GOOD, provider_type: 'auth0', provider_domain: null }, /such as company\.auth0\.com/],
    [
      { ...GOOD, provider_type: 'generic', provider_domain: null },
      /ClaudeCode\.issuer is missing; allowed: an https URL/,
    ],
    [{ ...GOOD, provider_type: 'cognito' }, /cognito_user_pool_id is missing; .*us-east-1_Ab12Cd34E/],
    [{ ...GOOD, identity_pool_id: undefined }, /identity_pool_id is missing; allowed: an identity pool id/],
    [{ ...GOOD, federation_type: 'direct' }, /federated_role_arn is missing; allowed: the ARN/],
  ];
  for (const [fields, message] of cases) t.match(problem(fields).message, message);
  t.match(
    problem({ ...GOOD, provider_domain: 'sso.company.example' }).message,
    /provider_domain is "sso\.company\.example"; .*set provider_type to one of okta,/,
  );
});

t.test('a domain that is not a host is an error', async (t) => {
  for (const provider_domain of [
    'a b.okta.com',
    'evil.example?.okta.com',
    'evil.example#.okta.com',
    'evil.example\\.okta.com',
    'user:pw@evil.example#.okta.com',
    '[.okta.com',
  ]) {
    const { invalid } = parse({ ...GOOD, provider_domain });
    t.match(invalid.get('ClaudeCode')?.message ?? '', /provider_domain/, provider_domain);
  }
});

t.test('an issuer is used unchanged or refused', async (t) => {
  const issuerOf = (issuer: string) =>
    parse({ ...GOOD, issuer }).profiles.get('ClaudeCode')?.identityProvider.issuer;
  for (const issuer of [
    'https://sso.company.example',
    'https://sso.company.example/',
    'https://sso.company.example:8443/a/b',
    'http://localhost:8080/realms/main',
    'http://127.0.0.1',
    'http://[::1]:9000/x',
  ]) {
    t.equal(issuerOf(issuer), issuer);
  }
  for (const issuer of [
    'https://sso.company.example/?',
    'https://sso.company.example/#',
    'https://:password@sso.company.example',
    ' https://sso.company.example ',
    'https:sso.company.example',
    'https://sso.company\t.example',
  ]) {
    t.equal(issuerOf(issuer), undefined, JSON.stringify(issuer));
  }
});

t.test('a long value is cut short in its error', async (t) => {
  const { message } = problem({ ...GOOD, redirect_port: 'x'.repeat(5_000) });
  t.ok(message.length < 400);
  t.match(message, /…/);
});

t.test('a profile that is not an object is an error', async (t) => {
  for (const value of [null, [], 'x', 7, true]) {
    t.match(
      problem(value).message,
      `profiles.ClaudeCode is ${JSON.stringify(value)}; allowed: an object of fields`,
    );
  }
});

t.test('a name that does not fit a URL or a shell word is an error', async (t) => {
  for (const name of ['a b', '-x', '.x', 'a/b', 'ü', 'x'.repeat(65), 'a;b', '../x', 'a\nb', ''])
    t.match(problem(GOOD, name).message, /a profile name of at most 64 letters/, JSON.stringify(name));
  for (const name of ['A', '1', 'a.b-c_d', 'x'.repeat(64)]) t.ok(parse(GOOD, name).profiles.get(name));
});

t.test('a deeply nested value is an error like any other', async (t) => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const error = parseConfig(`{"ClaudeCode":${deep}}`, PATH).invalid.get('ClaudeCode');
  t.match(error?.message, /profiles\.ClaudeCode is something nested too deep to show; allowed: /);
  t.equal(thrown(() => parseConfig(deep, PATH)).code, 'ERR_CONFIG_INVALID');
});

t.test('half of a surrogate pair is a wrong value', async (t) => {
  for (const field of ['okta_auth_server', 'client_id'])
    t.match(
      problem({ ...GOOD, [field]: 'a\ud800' }).message,
      `profiles.ClaudeCode.${field} is "a\\ud800"; allowed: `,
    );
});

t.test('an error is one line for all names and values', async (t) => {
  const odd = 'a\n\u001b[2J\u009b1m\u202e';
  const config = parseConfig(JSON.stringify({ [odd]: {}, B: { ...GOOD, redirect_port: odd } }), PATH);
  const errors = [
    ...config.invalid.values(),
    thrown(() => profileNamed(config, 'C')),
    thrown(() => chooseProfile(config, undefined, undefined)),
    thrown(() => parseConfig('{"profiles":\u001b', PATH)),
  ];
  t.equal(errors.length, 5);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  for (const { message, fix } of errors) t.notMatch(`${message}${fix}`, /[\x00-\x1f\x7f-\x9f\u202e]/);
  t.ok(problem({}, 'x'.repeat(5_000)).message.length < 400);
});

t.test('a broken profile does not affect a good one', async (t) => {
  const config = parseConfig(JSON.stringify({ Good: GOOD, Bad: { ...GOOD, redirect_port: 0 } }), PATH);
  t.equal(profileNamed(config, 'Good').clientId, 'client');
  t.match(
    thrown(() => profileNamed(config, 'Bad')),
    { code: 'ERR_CONFIG_INVALID', message: /profiles\.Bad\.redirect_port is 0/ },
  );
  t.same([...config.names].sort(), ['Bad', 'Good']);
});

t.test('unknown fields are reported and not refused', async (t) => {
  const config = parse({ ...GOOD, colour: 'red', constructor: 1, toString: 2, quota_api: null });
  t.same([...config.unknownFields].sort(), [
    'profiles.ClaudeCode.colour',
    'profiles.ClaudeCode.constructor',
    'profiles.ClaudeCode.toString',
  ]);
  t.ok(config.profiles.get('ClaudeCode'));
  const direct = parse({ ...GOOD, federated_role_arn: ROLE, max_session_duration: 3600, sts_endpoint: null });
  t.same(direct.unknownFields, [], 'a field of the other federation type is known');
});

t.test('the federation type is derived from the fields', async (t) => {
  const { identity_pool_id: _, ...bare } = GOOD;
  t.match(profile(GOOD).federation, { type: 'cognito' });
  t.match(profile({ ...bare, federated_role_arn: ROLE }).federation, {
    type: 'direct',
    roleArn: ROLE,
    durationSeconds: 43_200,
  });
  t.match(profile({ ...GOOD, federated_role_arn: ROLE }).federation, { type: 'cognito' });
  t.match(profile({ ...GOOD, federated_role_arn: ROLE, federation_type: 'direct' }).federation, {
    type: 'direct',
  });
  for (const arn of ['arn:aws-us-gov:iam::123456789012:role/x', 'arn:aws-cn:iam::123456789012:role/path/x'])
    t.match(profile({ ...bare, federated_role_arn: arn }).federation, { roleArn: arn });
});

t.test('scopes may be a text or a list', async (t) => {
  t.same(profile({ ...GOOD, scopes: '  openid   email ' }).scopes, ['openid', 'email']);
  t.same(profile({ ...GOOD, scopes: ['openid', 'api://app/.default'] }).scopes, [
    'openid',
    'api://app/.default',
  ]);
});

t.test('regions of every partition are regions', async (t) => {
  for (const aws_region of ['us-east-1', 'us-gov-west-1', 'cn-north-1', 'ap-southeast-4', 'mx-central-1'])
    t.equal(profile({ ...GOOD, aws_region }).awsRegion, aws_region);
});

t.test('the error of an unknown profile lists the known ones', async (t) => {
  const config = parseConfig(JSON.stringify({ A: GOOD, B: GOOD }), PATH);
  const error = thrown(() => profileNamed(config, 'C'));
  t.match(error, { code: 'ERR_PROFILE_UNKNOWN', message: /no profile "C" in .*config\.json; it has A, B/ });
  t.match(error.fix, /--profile A/);
  for (const name of ['constructor', '__proto__', 'toString'])
    t.equal(thrown(() => profileNamed(config, name)).code, 'ERR_PROFILE_UNKNOWN');
});

t.test('a command uses the profile of the flag, the environment, ClaudeCode, or the only one', async (t) => {
  const config = (...names: string[]): Config =>
    parseConfig(JSON.stringify(Object.fromEntries(names.map((name) => [name, GOOD]))), PATH);
  t.equal(chooseProfile(config('A', 'ClaudeCode'), 'A', 'B'), 'A');
  t.equal(chooseProfile(config('A'), 'Unknown', undefined), 'Unknown', 'the name is judged later');
  t.equal(chooseProfile(config('A', 'ClaudeCode'), undefined, 'B'), 'B');
  t.equal(chooseProfile(config('A', 'ClaudeCode'), undefined, ''), 'ClaudeCode');
  t.equal(chooseProfile(config('A', 'ClaudeCode'), undefined, undefined), 'ClaudeCode');
  t.equal(chooseProfile(config('A'), undefined, undefined), 'A');
  const error = thrown(() => chooseProfile(config('A', 'B'), undefined, undefined));
  t.match(error, { code: 'ERR_PROFILE_UNKNOWN', message: /several profiles .* A, B/, fix: /--profile A/ });
  const broken = parseConfig(JSON.stringify({ ClaudeCode: {}, A: GOOD }), PATH);
  t.equal(chooseProfile(broken, undefined, undefined), 'ClaudeCode', 'a broken one is meant all the same');
});

t.test('a file is read, and a missing one is an error', async (t) => {
  const directory = t.testdir({ 'config.json': JSON.stringify({ profiles: { A: GOOD } }) });
  const path = join(directory, 'config.json');
  const config = loadConfig(path);
  t.equal(config.path, path);
  t.equal(config.profiles.size, 1);
  for (const missing of [
    join(directory, 'none.json'),
    join(path, 'below'),
    join(directory, 'no', 'x.json'),
  ]) {
    const error = thrown(() => loadConfig(missing));
    t.match(error, { code: 'ERR_CONFIG_MISSING', fix: /install\.sh.*CCWB_CONFIG/ });
    t.ok(error.message.includes(missing));
  }
});

t.test('a file that cannot be read has another error than a missing one', async (t) => {
  const directory = t.testdir({});
  mkdirSync(join(directory, 'folder'));
  t.match(
    thrown(() => loadConfig(join(directory, 'folder'))),
    { code: 'ERR_CONFIG_INVALID', message: /cannot be read \(EISDIR\)/, fix: /readable/ },
  );
  const path = join(directory, 'secret.json');
  writeFileSync(path, '{}');
  chmodSync(path, 0);
  // Root reads everything, so it steps down for this one.
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65_534);
  const error = thrown(() => loadConfig(path));
  if (root) process.seteuid?.(0);
  t.match(error, { code: 'ERR_CONFIG_INVALID', message: /cannot be read \(EACCES\)/ });
});

t.test('a client secret is not repeated by an error', async (t) => {
  const text = '{"A":{"client_secret":pl4nted}}';
  const { message } = thrown(() => parseConfig(text, PATH));
  t.notMatch(message, /pl4nted/, 'of the JSON parser');
});
