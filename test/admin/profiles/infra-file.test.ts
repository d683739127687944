import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type InfraSettings, readInfraFile } from '../../../admin/profiles/infra-file.ts';
import { withSettings } from '../../../admin/profiles/infra-profile.ts';
import { COGNITO, profileOf } from '../../infra/fixtures/profiles.ts';
import { ccwb, type Result } from '../fixtures/admin-edges.ts';

process.env.CDK_VALIDATION = 'false';

const CONFIG = {
  ClaudeCode: { provider_domain: 'company.okta.com', client_id: '0oa1b2c3', identity_pool_id: 'us-east-1:0' },
};
const FULL: InfraSettings = {
  bedrock: { regions: ['us-east-1', 'us-west-2'], globalInference: false, models: ['anthropic.claude-*'] },
  jwksUri: 'https://company.okta.com/keys',
  providerRegistered: true,
  accessGroups: { claim: 'groups', groups: ['claude'], match: 'equals' },
  audit: { retentionDays: 365 },
  monitoring: {
    network: { type: 'new', tasks: 'private' },
    internal: true,
    domain: { name: 'otel.company.example', hostedZoneId: 'Z0123456789ABC' },
    environment: 'test',
    retentionDays: 30,
    alarms: { email: 'ops@company.example', tokensPerHour: 1, dailyCostUsd: 1, bedrockErrorsPerHour: 1 },
    analytics: { glacierAfterDays: 90, resultsDays: 7 },
  },
};

async function deploy(t: Test, args: string, settings: unknown): Promise<Result> {
  const directory = t.testdir({
    'config.json': JSON.stringify(CONFIG),
    'infra.json': typeof settings === 'string' ? settings : JSON.stringify(settings),
  });
  const files = ['--config', join(directory, 'config.json'), '--infra', join(directory, 'infra.json')];
  const { error, ...rest } = await ccwb(['deploy', ...args.split(' '), '--show-template', ...files]);
  return { ...rest, error: error.replaceAll(directory, '') };
}

t.test('every field arrives in the profile', async (t) => {
  const path = join(t.testdir({ 'infra.json': JSON.stringify(FULL) }), 'infra.json');
  const settings = readInfraFile(path);
  t.strictSame(settings, FULL);
  const { bedrock, providerRegistered, jwksUri, ...rest } = FULL;
  const profile = withSettings(profileOf('okta', COGNITO), settings);
  t.match(profile, rest);
  t.strictSame(profile.bedrock.models, bedrock?.models);
  t.match(profile.identityProvider, { registered: providerRegistered, jwksUri });
});

t.test('fields that are left out have their defaults', async (t) => {
  const settings: InfraSettings = { audit: {}, monitoring: { network: { type: 'new', tasks: 'public' } } };
  const { audit, monitoring } = withSettings(profileOf('okta', COGNITO), settings);
  t.strictSame(audit, { retentionDays: 90 });
  t.match(monitoring, { internal: false, environment: 'production', retentionDays: 90 });
  t.strictSame(withSettings(profileOf('okta', COGNITO), {}), profileOf('okta', COGNITO));
});

t.test('the template of every stack can be printed', async (t) => {
  for (const stack of ['auth', 'networking', 'monitoring']) {
    const { status, out, error } = await deploy(t, stack, FULL);
    t.strictSame({ status, error }, { status: 0, error: '' });
    t.match(JSON.parse(out), { Description: / for ClaudeCode$/ });
  }
});

t.test('the regions of the file count unless a flag names others; global inference needs both', async (t) => {
  const regions = (out: string): string =>
    /"aws:RequestedRegion": \[[^\]]*\]/.exec(out)?.[0].replace(/\s/g, '') ?? '';
  const file = await deploy(t, 'auth', FULL);
  t.equal(regions(file.out), '"aws:RequestedRegion":["us-east-1","us-west-2"]');
  t.notMatch(file.out, 'InvokeThroughGlobalProfiles');
  const flag = await deploy(t, 'auth --bedrock-regions us-east-2', { bedrock: { regions: ['us-west-2'] } });
  t.equal(regions(flag.out), '"aws:RequestedRegion":["us-east-2"]');
  t.match(flag.out, 'InvokeThroughGlobalProfiles');
});

t.test('a stack that the profile does not ask for is refused', async (t) => {
  const { status, error } = await deploy(t, 'monitoring', {});
  t.equal(status, 2);
  t.match(error, /asks for no monitoring stack, only for auth \(ERR_USAGE\)\n {2}fix: .*--infra/);
});

t.test('a wrong file is reported with the field, the value and what is allowed', async (t) => {
  const network = { type: 'new', tasks: 'private' };
  const cases: [settings: unknown, message: RegExp][] = [
    ['{', /infra\.json is not valid JSON \(ERR_CONFIG_INVALID\)/],
    [[], /infra\.json is \[\]; allowed: an object/],
    [{ montoring: {} }, /infra\.json: montoring is \{\}; allowed: nothing of that name; there are bedrock, /],
    [{ bedrock: { models: 'x' } }, /bedrock\.models is "x"; allowed: a list of texts/],
    [{ accessGroups: { claim: 'groups' } }, /accessGroups\.groups is missing; allowed: a list of texts/],
    [
      { accessGroups: { claim: 'g', groups: ['a'], match: 'x' } },
      /match is "x"; allowed: contains or equals/,
    ],
    [{ monitoring: {} }, /monitoring\.network is missing; allowed: an object/],
    [{ monitoring: { network: { type: 'old' } } }, /network\.type is "old"; allowed: new or existing/],
    [
      { monitoring: { network: { type: 'toString' } } },
      /network\.type is "toString"; allowed: new or existing/,
    ],
    [{ monitoring: { network: { type: 'new' } } }, /network\.tasks is missing; allowed: private or public/],
    [{ monitoring: { network, internal: 'yes' } }, /monitoring\.internal is "yes"; allowed: true or false/],
    [
      { monitoring: { network, retentionDays: 100 } },
      /monitoring\.retentionDays is 100; allowed: a number of days/,
    ],
    [{ audit: { retentionDays: 2 } }, /audit\.retentionDays is 2; allowed: a number of days/],
    [{ bedrock: { regions: ['cn-north-1'] } }, /bedrock\.regions is \["cn-north-1"\]; allowed: .* us-east-1/],
    [{ bedrock: { models: ['us.anthropic.x'] } }, /bedrock\.models is .*; allowed: .* without a geography/],
  ];
  for (const [settings, message] of cases) {
    const { status, out, error } = await deploy(t, 'auth', settings);
    t.equal(status, 1, String(message));
    t.equal(out, '');
    t.match(error, message);
    t.match(error, /^ccwb: [^\n]+\n {2}fix: correct [^\n]+\n$/);
  }
});

t.test('a missing file is reported', async (t) => {
  t.throws(() => readInfraFile(join(t.testdir(), 'infra.json')), { code: 'ERR_CONFIG_MISSING' });
});
