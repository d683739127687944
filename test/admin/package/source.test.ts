import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readPackageSource } from '../../../admin/package/source.ts';
import type { AdminProfile } from '../../../admin/profiles/admin-profile.ts';

const POOL = 'eu-west-1:11111111-2222-4333-8444-555555555555';
const ROLE = 'arn:aws:iam::123456789012:role/ccwb-Acme-user';

const ACME: AdminProfile = {
  schema: 1,
  name: 'Acme',
  config: { provider_domain: 'acme.okta.com', client_id: '0oa1b2c3', aws_region: 'eu-west-1' },
  infra: {},
  claude: { model: 'eu.anthropic.claude-opus' },
  outputs: { auth: { IdentityPoolId: POOL, RoleArn: ROLE } },
};

/** The environment of an administrator with that profile. */
function administrator(t: Test, profile: unknown = ACME): { CCWB_HOME: string } {
  const home = t.testdir({});
  mkdirSync(join(home, 'profiles'));
  writeFileSync(join(home, 'profiles', 'Acme.json'), JSON.stringify(profile));
  return { CCWB_HOME: home };
}

t.test('config.json has the fields of the profile and the outputs of the stacks', async (t) => {
  const { name, config, settings, notes } = readPackageSource({}, administrator(t));
  t.equal(name, 'Acme');
  t.strictSame(JSON.parse(config), { profiles: { Acme: { ...ACME.config, identity_pool_id: POOL } } });
  t.match(settings.env, {
    AWS_PROFILE: 'Acme',
    AWS_REGION: 'eu-west-1',
    ANTHROPIC_MODEL: 'eu.anthropic.claude-opus',
  });
  t.strictSame(notes, []);
});

t.test('direct federation adds the role of the auth stack to config.json', async (t) => {
  const config = { ...ACME.config, federation_type: 'direct' };
  const { config: text } = readPackageSource({}, administrator(t, { ...ACME, config }));
  t.strictSame(JSON.parse(text).profiles.Acme, { ...config, federated_role_arn: ROLE });
});

t.test('a profile with a role alone means direct federation', async (t) => {
  const config = { ...ACME.config, federated_role_arn: ROLE };
  const { config: text } = readPackageSource({}, administrator(t, { ...ACME, config }));
  t.strictSame(JSON.parse(text).profiles.Acme, config);
});

t.test('a profile that is not deployed is refused', async (t) => {
  t.throws(() => readPackageSource({}, administrator(t, { ...ACME, outputs: {} })), {
    code: 'ERR_NOT_DEPLOYED',
    message: 'the auth stack of profile Acme is not deployed: users would have no identity_pool_id',
    fix: /^run ccwb deploy --profile Acme/,
  });
});

t.test('Claude Code calls Bedrock in a region that the role allows', async (t) => {
  const region = (regions: string[]) =>
    readPackageSource({}, administrator(t, { ...ACME, infra: { bedrock: { regions } } })).settings.env
      .AWS_REGION;
  t.equal(region(['us-east-1', 'eu-west-1']), 'eu-west-1');
  t.equal(region(['us-east-1', 'us-west-2']), 'us-east-1');
});

t.test('telemetry needs a deployed collector; one that is not deployed is noted', async (t) => {
  const monitored = {
    ...ACME,
    infra: {
      monitoring: { network: { type: 'new', tasks: 'private' }, domain: { name: 'otel.acme.example' } },
    },
  };
  const collector = 'https://otel.acme.example';
  const outputs = { ...ACME.outputs, monitoring: { CollectorEndpoint: collector } };
  const { config, settings, notes } = readPackageSource({}, administrator(t, { ...monitored, outputs }));
  t.match(JSON.parse(config).profiles.Acme, {
    otel_collector_endpoint: collector,
    otel_collector_validates_token: true,
  });
  t.match(settings, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector }, otelHeadersHelper: String });
  t.strictSame(notes, []);

  const before = readPackageSource({}, administrator(t, monitored));
  t.notOk('otelHeadersHelper' in before.settings);
  t.match(before.notes, [/wants monitoring, whose stack is not deployed/]);
});

t.test('an unknown field is reported in a note', async (t) => {
  const config = { ...ACME.config, future: true };
  const { notes } = readPackageSource({}, administrator(t, { ...ACME, config }));
  t.strictSame(notes, ['no program knows profiles.Acme.future; it stands in config.json all the same']);
});

t.test('a given config.json is shipped unchanged', async (t) => {
  const folder = t.testdir({});
  const path = join(folder, 'config.json');
  const fields = {
    provider_domain: 'a.okta.com',
    client_id: 'a',
    identity_pool_id: POOL,
    aws_region: 'eu-west-1',
  };
  const profiles = { Acme: fields, Other: { ...fields, otel_collector_endpoint: 'http://10.0.0.1:4318' } };
  writeFileSync(path, `\uFEFF{"profiles":   ${JSON.stringify(profiles)}}`);
  const acme = readPackageSource({ config: path, profile: 'Acme' }, {});
  t.equal(acme.config, readFileSync(path, 'utf8'));
  t.match(acme.settings.env, { AWS_PROFILE: 'Acme', AWS_REGION: 'eu-west-1' });
  t.notOk('otelHeadersHelper' in acme.settings);
  const other = readPackageSource({ config: path, profile: 'Other' }, {});
  t.equal(other.settings.env.OTEL_EXPORTER_OTLP_ENDPOINT, 'http://10.0.0.1:4318');
  t.throws(() => readPackageSource({ config: path }, {}), { code: 'ERR_PROFILE_UNKNOWN' });

  writeFileSync(path, JSON.stringify({ Acme: fields, Broken: {} }));
  t.throws(() => readPackageSource({ config: path, profile: 'Acme' }, {}), {
    code: 'ERR_CONFIG_INVALID',
    message: /Broken/,
  });
  t.throws(() => readPackageSource({ config: join(folder, 'none.json') }, {}), {
    code: 'ERR_CONFIG_MISSING',
  });
});
