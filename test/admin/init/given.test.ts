import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ANSWER_NAMES } from '../../../admin/init/names.ts';
import type { Result } from '../fixtures/admin-edges.ts';
import { LEAST, type Wizard, wizard } from './fixtures/wizard.ts';

const YAML = `# The deployment of the research department.
profile: Research
provider-domain: company.okta.com
okta-auth-server: default
client-id: 0oa1example
aws-region: eu-central-1
geographies: [eu]
models: all
groups: [claude-code-users, "CN=claude, OU=groups"]
audit: yes
monitoring: true
collector-domain: otel.company.example
hosted-zone-id: Z0123456789ABC
alarm-daily-cost: 250.5
attributes:
  department: research
  team.id: 17
users: 4000
`;

/** Runs the wizard with a file of answers. */
async function withFile(t: Test, text: string, name = 'answers.yaml', more = ''): Promise<Result & Wizard> {
  const made = wizard(t);
  const path = join(made.home, name);
  writeFileSync(path, text);
  return { ...made, ...(await made.init(['--yes', '--answers', path, ...more.split(' ').filter(Boolean)])) };
}

t.test('a file of answers makes a profile, in YAML and in JSON', async (t) => {
  const yaml = await withFile(t, YAML);
  t.equal(yaml.status, 0, yaml.error);
  const profile = yaml.profile('Research');
  t.match(profile, {
    config: { provider_domain: 'company.okta.com', okta_auth_server: 'default', aws_region: 'eu-central-1' },
    infra: {
      bedrock: {
        geographies: ['eu'],
      },
      accessGroups: { claim: 'groups', groups: ['claude-code-users', 'CN=claude, OU=groups'] },
      audit: { retentionDays: 90 },
      monitoring: {
        network: { type: 'new', tasks: 'private' },
        domain: { name: 'otel.company.example', hostedZoneId: 'Z0123456789ABC' },
        alarms: { dailyCostUsd: 250.5, tokensPerHour: 50_000_000 },
      },
    },
    claude: { attributes: { department: 'research', 'team.id': '17' } },
    users: 4_000,
  });
  t.notOk(profile.infra.bedrock?.models, 'all models');
  const json = await withFile(
    t,
    JSON.stringify({
      profile: 'Research',
      'provider-domain': 'company.okta.com',
      'client-id': '0oa1example',
      groups: 'claude-code-users',
      users: '4000',
    }),
    'answers.json',
  );
  t.equal(json.status, 0, json.error);
  t.match(json.profile('Research'), {
    infra: { accessGroups: { groups: ['claude-code-users'] } },
    users: 4_000,
  });
});

t.test('flags override the file of answers', async (t) => {
  const { status, profile } = await withFile(
    t,
    YAML,
    'a.yaml',
    '--profile Other --aws-region eu-west-1 --audit no',
  );
  t.equal(status, 0);
  t.equal(profile('Other').config.aws_region, 'eu-west-1');
  t.notOk(profile('Other').infra.audit);
});

t.test('an unknown name in a file of answers is refused with the list of known names', async (t) => {
  const { status, error } = await withFile(t, 'client_id: 0oa1example\n');
  t.equal(status, 1);
  t.match(
    error.replace(/\s+/g, ' '),
    '"client_id" is no question; there are profile, issuer, provider-domain',
  );
  for (const name of ANSWER_NAMES) t.match(error, name);
});

t.test('a file that cannot be read is reported with the reason and without its text', async (t) => {
  const { init } = wizard(t);
  const missing = await init(['--yes', '--answers', '/nonexistent/answers.yaml']);
  t.equal(missing.status, 1);
  t.match(missing.error, 'ccwb: /nonexistent/answers.yaml cannot be read (ENOENT) (ERR_CONFIG_MISSING)');
  for (const text of ['a: [s3cret', 'a: 1\na: s3cret', 'a: &x s3cret\nb: *x', '\t- s3cret']) {
    const { status, error } = await withFile(t, text);
    t.equal(status, 1);
    t.match(error, /answers\.yaml is not valid YAML or JSON.*\(ERR_CONFIG_INVALID\)/s, text);
    t.notMatch(error, 's3cret');
  }
  const list = await withFile(t, '- client-id');
  t.match(list.error.replace(/\s+/g, ' '), 'is ["client-id"]; allowed: names of flags with their values');
  const number = await withFile(t, 'profile: 7');
  t.match(number.error, 'profile is 7; allowed: a text');
  const empty = await withFile(t, '# nothing yet\n', 'empty.yaml', LEAST.join(' '));
  t.equal(empty.status, 0, empty.error);
});

t.test('values of a kind that a question does not take are refused', async (t) => {
  for (const [text, allowed] of [
    ['client-id: [a]', 'a text'],
    ['users: many', 'a number'],
    ['users: .inf', 'a number'],
    ['audit: 1', 'yes or no'],
    ['groups: [1]', 'a list of texts'],
    ['groups: 1', 'a list of texts'],
    ['federation: true', 'one of cognito, direct'],
    ['attributes: [a]', 'NAME=VALUE, with commas between'],
    ['client-secret-file: 7', 'the path of a file'],
  ] as const) {
    const { status, error } = await withFile(t, `${text}\n`);
    t.equal(status, 1, text);
    t.match(error.replace(/\s+/g, ' '), `allowed: ${allowed} (ERR_CONFIG_INVALID)`);
  }
});

t.test('an answer to a question that does not apply is refused', async (t) => {
  const { init, text } = wizard(t);
  for (const more of [
    '--tenant a',
    '--cognito-user-pool-id us-east-1_a',
    '--audit no --audit-retention-days 90',
    '--federation cognito --max-session-duration 3600',
    '--access everyone --groups a',
    '--monitoring no --analytics yes',
    '--monitoring-network new-public --vpc-id vpc-0123456789abcdef0',
    '--issuer https://company.okta.com',
    '--aws-region us-gov-west-1 --global-inference no',
  ]) {
    const { status, error } = await init(['--yes', ...LEAST, ...more.split(' ')]);
    t.equal(status, 2, more);
    t.match(error, /ccwb: --[a-z-]+ does not apply to what was answered before it \(ERR_USAGE\)/, more);
  }
  t.equal(text(), undefined);
  const { status, error } = await withFile(t, 'tenant: a\n', 'a.yaml', LEAST.join(' '));
  t.equal(status, 1);
  t.match(error, /a\.yaml: tenant does not apply/);
});

t.test('a flag implies the answers of the questions before it', async (t) => {
  const made = async (more: string) => {
    const { init, profile } = wizard(t);
    const { status, error } = await init(['--yes', ...LEAST, ...more.split(' ')]);
    t.equal(status, 0, `${more}: ${error}`);
    return profile();
  };
  t.match(await made('--groups a,b'), { infra: { accessGroups: { claim: 'groups', groups: ['a', 'b'] } } });
  t.match(await made('--audit-retention-days 365'), { infra: { audit: { retentionDays: 365 } } });
  t.match(await made('--max-session-duration 3600'), { config: { federation_type: 'direct' } });
  t.match(await made('--alarm-email ops@company.example'), {
    infra: { monitoring: { alarms: { dailyCostUsd: 500 } } },
  });
  t.match(await made('--analytics-results-days 1'), {
    infra: { monitoring: { analytics: { glacierAfterDays: 90, resultsDays: 1 } } },
  });
  t.match(
    await made(
      '--vpc-id vpc-0123456789abcdef0 --task-subnets subnet-0123456789abcdef0 --load-balancer-subnets subnet-0123456789abcdef0,subnet-0123456789abcdef1',
    ),
    { infra: { monitoring: { network: { type: 'existing', vpcId: 'vpc-0123456789abcdef0' } } } },
  );
});

t.test('a secret is read from a file and is shown nowhere', async (t) => {
  const { init, home, profile } = wizard(t);
  const path = join(home, 'secret');
  writeFileSync(path, 'GOCSPX-s3cret\n');
  const args = ['--provider-domain', 'accounts.google.com', '--client-id', '1.apps.googleusercontent.com'];
  const { status, out, error } = await init(['--yes', '--json', ...args, '--client-secret-file', path]);
  t.equal(status, 0, error);
  t.equal(profile().config.client_secret, 'GOCSPX-s3cret');
  t.notMatch(out + error, 's3cret');
  writeFileSync(path, 'two words');
  const refused = await init(['--yes', ...args, '--client-secret-file', path]);
  t.match(refused.error, /allowed: a text without spaces/);
  t.notMatch(refused.error, 'two words');
});

t.test('all questions without a default are named at once', async (t) => {
  const { init } = wizard(t);
  const nothing = await init(['--yes']);
  t.equal(nothing.status, 2);
  t.match(nothing.error, 'ccwb: these have no default: --provider-domain, --client-id (ERR_USAGE)');
  const google = await init(['--yes', '--provider-domain', 'accounts.google.com']);
  t.match(google.error, 'these have no default: --client-id, --client-secret-file (ERR_USAGE)');
  const existing = await init(['--yes', ...LEAST, '--monitoring-network', 'existing']);
  t.match(
    existing.error,
    'these have no default: --vpc-id, --task-subnets, --load-balancer-subnets (ERR_USAGE)',
  );
});

t.test('without a terminal and without --yes no default is taken', async (t) => {
  const { init, text } = wizard(t);
  const { status, error } = await init(LEAST);
  t.equal(status, 2);
  t.match(error, 'ccwb: there is no terminal to ask at, and not all is answered (ERR_USAGE)');
  t.match(error, 'add --yes to take the defaults of --okta-auth-server, --federation, --aws-region');
  const nothing = await init([]);
  t.equal(nothing.status, 2);
  t.match(nothing.error, 'no terminal to ask at, and these have no default: --provider-domain, --client-id');
  t.match(nothing.error, '--answers FILE; add --yes to take the defaults of --federation');
  t.equal(text(), undefined);
});
