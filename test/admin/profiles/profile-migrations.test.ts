import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { PROFILE_SCHEMA } from '../../../admin/profiles/admin-profile.ts';
import { userProfileOf } from '../../../admin/profiles/profile-check.ts';
import { migrate } from '../../../admin/profiles/profile-migrations.ts';
import {
  listProfiles,
  parseAdminProfile,
  profilesFolder,
  readProfile,
  removeProfile,
  updateProfile,
} from '../../../admin/profiles/profile-store.ts';
import { ccwb } from '../fixtures/admin-edges.ts';

/** The fields that the legacy tool writes for a profile of no particular wishes, with its names. */
const EARLIER = {
  name: 'Work',
  provider_domain: 'company.okta.com',
  client_id: '0oa1b2c3',
  credential_storage: 'keyring',
  aws_region: 'eu-west-1',
  identity_pool_name: 'claude-code-auth',
  schema_version: '2.0',
  stack_names: { auth: 'claude-code-auth-stack' },
  monitoring_enabled: false,
  monitoring_mode: 'sidecar',
  monitoring_config: {},
  analytics_enabled: false,
  data_retention_days: 90,
  allowed_bedrock_regions: ['eu-west-1', 'eu-central-1'],
  cross_region_profile: 'europe',
  selected_model: 'eu.anthropic.claude-sonnet-4-20250514-v1:0',
  provider_type: 'okta',
  cognito_user_pool_id: null,
  okta_auth_server: '',
  federation_type: 'cognito',
  federated_role_arn: null,
  max_session_duration: 28_800,
  sso_enabled: true,
  auth_type: 'oidc',
  client_secret: null,
  redirect_port: null,
  tags: { owner: 'ada' },
  cowork_service_token: 'static-token',
};

const read = (fields: object) => parseAdminProfile(JSON.stringify(fields), '/x/Work.json', 'Work');

const homeWith = (t: Test, fields: object) => {
  const env = { CCWB_HOME: t.testdir({ profiles: { 'Work.json': JSON.stringify(fields) } }) };
  return { env, path: join(profilesFolder(env), 'Work.json') };
};

t.test('a profile of the legacy tool is read as one of today, and nothing of it is lost', async (t) => {
  const profile = read(EARLIER);
  t.strictSame(profile, {
    schema: PROFILE_SCHEMA,
    name: 'Work',
    config: {
      provider_type: 'okta',
      provider_domain: 'company.okta.com',
      client_id: '0oa1b2c3',
      aws_region: 'eu-west-1',
      federation_type: 'cognito',
      max_session_duration: 28_800,
      credential_storage: 'keyring',
    },
    infra: { bedrock: { regions: ['eu-west-1', 'eu-central-1'], globalInference: false } },
    claude: { model: 'eu.anthropic.claude-sonnet-4-20250514-v1:0' },
    outputs: {},
    legacyTool: {
      identity_pool_name: 'claude-code-auth',
      stack_names: { auth: 'claude-code-auth-stack' },
      monitoring_enabled: false,
      monitoring_mode: 'sidecar',
      monitoring_config: {},
      analytics_enabled: false,
      data_retention_days: 90,
      federated_role_arn: null,
      sso_enabled: true,
      auth_type: 'oidc',
      tags: { owner: 'ada' },
      cowork_service_token: 'static-token',
    },
  });
  t.match(userProfileOf(profile), { awsRegion: 'eu-west-1', credentialStorage: 'keyring' });
});

t.test('older names of the legacy tool are read, and newer ones override them', async (t) => {
  const { provider_domain, client_id, schema_version, name, ...rest } = EARLIER;
  const old = read({ ...rest, okta_domain: provider_domain, okta_client_id: client_id });
  t.match(old, { name: 'Work', config: { provider_domain, client_id } });
  const both = read({ ...EARLIER, okta_domain: 'old.okta.com' });
  t.equal(both.config.provider_domain, provider_domain);
});

t.test('direct federation, a custom issuer and a secret are migrated', async (t) => {
  const { config, infra } = read({
    ...EARLIER,
    provider_type: 'generic',
    provider_domain: 'sso.company.example',
    oidc_issuer_url: 'https://sso.company.example/realms/a',
    oidc_jwks_uri: 'https://sso.company.example/keys',
    federation_type: 'direct',
    federated_role_arn: 'arn:aws:iam::123456789012:role/earlier',
    client_secret: 's3cret',
    redirect_port: 8401,
  });
  t.match(config, {
    issuer: 'https://sso.company.example/realms/a',
    federation_type: 'direct',
    client_secret: 's3cret',
    redirect_port: 8401,
  });
  t.notOk('federated_role_arn' in config, 'that is what a stack of the other tool gave');
  t.equal(infra.jwksUri, 'https://sso.company.example/keys');
});

t.test('a central collector becomes monitoring', async (t) => {
  const central = {
    ...EARLIER,
    monitoring_enabled: true,
    monitoring_mode: undefined,
    analytics_enabled: true,
  };
  t.strictSame(read({ ...central, monitoring_config: { create_vpc: true } }).infra.monitoring, {
    network: { type: 'new', tasks: 'public' },
    analytics: { glacierAfterDays: 90, resultsDays: 7 },
  });
  const own = {
    create_vpc: false,
    vpc_id: 'vpc-1',
    subnet_ids: ['subnet-a', 'subnet-b'],
    custom_domain: 'https://otel.company.example/',
    hosted_zone_id: 'Z1',
    alb_scheme: 'internal',
  };
  const { monitoring } = read({ ...central, monitoring_config: own, analytics_enabled: false }).infra;
  t.strictSame(monitoring, {
    network: {
      type: 'existing',
      vpcId: 'vpc-1',
      taskSubnetIds: ['subnet-a', 'subnet-b'],
      loadBalancerSubnetIds: ['subnet-a', 'subnet-b'],
    },
    internal: true,
    domain: { name: 'otel.company.example', hostedZoneId: 'Z1' },
  });
});

t.test('global inference is allowed only where the legacy tool allowed it', async (t) => {
  const bedrock = (fields: object) => read({ ...EARLIER, ...fields }).infra.bedrock;
  t.strictSame(
    bedrock({ allowed_bedrock_regions: ['all-commercial'], selected_source_region: 'eu-west-3' }),
    {
      regions: ['eu-west-3'],
      globalInference: true,
    },
  );
  t.match(bedrock({ selected_model: 'global.anthropic.claude-x' }), { globalInference: true });
  t.strictSame(bedrock({ allowed_bedrock_regions: [], selected_model: null }), { globalInference: false });
});

t.test('a profile with another way of signing in is refused with what to do', async (t) => {
  for (const [fields, message] of [
    [{ auth_type: 'idc' }, 'auth_type is "idc"; allowed: "oidc"'],
    [{ sso_enabled: false }, 'sso_enabled is false; allowed: true'],
  ] as const) {
    t.throws(() => read({ ...EARLIER, ...fields }), {
      code: 'ERR_CONFIG_INVALID',
      message: `/x/Work.json: ${message}`,
    });
  }
});

t.test('reading changes nothing; writing keeps the file of the legacy tool beside it', async (t) => {
  const { env, path } = homeWith(t, EARLIER);
  const before = readFileSync(path, 'utf8');
  readProfile('Work', env);
  t.equal(readFileSync(path, 'utf8'), before);
  updateProfile('Work', env, (profile) => ({ ...profile, users: 5 }));
  t.match(readProfile('Work', env), { schema: 1, users: 5, legacyTool: { tags: { owner: 'ada' } } });
  t.equal(readFileSync(`${path}.bak`, 'utf8'), before);
  t.equal(statSync(`${path}.bak`).mode & 0o777, 0o600);
  updateProfile('Work', env, (profile) => ({ ...profile, users: 6 }));
  t.equal(readFileSync(`${path}.bak`, 'utf8'), before, 'the second time nothing is of the older form');
});

t.test('profiles and the current one are found in the config.json of the legacy tool', async (t) => {
  const { name: _, ...unnamed } = EARLIER;
  const root = { default_profile: 'Work', profiles: { Work: unnamed, Play: { ...EARLIER, name: 'Play' } } };
  const CCWB_HOME = t.testdir({ 'config.json': JSON.stringify(root) });
  const env = { CCWB_HOME };
  t.strictSame(listProfiles(env), ['Play', 'Work']);
  t.match(readProfile('Work', env), { name: 'Work', config: { client_id: '0oa1b2c3' } });
  t.match(
    (await ccwb(['profiles', 'list'], { env })).out,
    /^ {3}Play .*\n\* {2}Work {2}eu-west-1 .* not deployed\n$/,
  );
  t.throws(() => removeProfile('Work', env), { code: 'ERR_CONFIG_INVALID', fix: 'remove it there yourself' });
  updateProfile('Work', env, (profile) => ({ ...profile, users: 5 }));
  t.equal(readProfile('Work', env).users, 5);
  t.strictSame(
    JSON.parse(readFileSync(join(CCWB_HOME, 'config.json'), 'utf8')),
    root,
    'which stays as it is',
  );
  for (const text of ['{', '[]', '{"profiles":[],"active_profile":1}']) {
    writeFileSync(join(CCWB_HOME, 'config.json'), text);
    t.strictSame(listProfiles(env), ['Work'], 'it is not ours, and may be anything');
  }
});

t.test('other fields of the legacy tool are neither shown nor exported', async (t) => {
  const { env } = homeWith(t, EARLIER);
  for (const args of ['show', 'show --json', 'export']) {
    const { status, out, error } = await ccwb(`profiles ${args}`.split(' '), { env });
    t.equal(status, 0, error);
    t.notMatch(out + error, EARLIER.cowork_service_token);
    t.match(out + error, 'legacyTool');
  }
});

t.test('a profile is migrated from its version on, and one of today is left alone', async (t) => {
  t.strictSame(migrate({ ...EARLIER, schema: 0 }, 'x', 'Work'), migrate(EARLIER, 'x', 'Work'));
  const today = { schema: PROFILE_SCHEMA };
  t.equal(migrate(today, 'x', 'Work'), today, 'today\u2019s form is left alone');
});
