import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { STOPPED } from '../../../admin/init/prompts/prompter.ts';
import { STEPS } from '../../../admin/init/steps/steps.ts';
import { startAdminCloud } from '../fixtures/admin-cloud.ts';
import { addressOf, fetchOf, PROVIDERS } from './fixtures/documents.ts';
import { type Script, scriptedPrompter } from './fixtures/scripted-prompter.ts';
import { LEAST, wizard } from './fixtures/wizard.ts';

/** What has no default, as somebody types it. */
const TYPED: Script = [
  [/^Domain of/, 'company.okta.com'],
  [/^Client id/, '0oa1example'],
];

t.test('a person who presses Enter at every default gets a complete profile', async (t) => {
  const { init, profile, home } = wizard(t);
  const prompter = scriptedPrompter(TYPED);
  const { status } = await init([], { prompter });
  t.equal(status, 0);
  t.strictSame(profile(), {
    schema: 1,
    name: 'ClaudeCode',
    config: {
      provider_type: 'okta',
      provider_domain: 'company.okta.com',
      client_id: '0oa1example',
      federation_type: 'cognito',
      aws_region: 'us-east-1',
      credential_storage: 'keyring',
    },
    infra: {
      bedrock: {
        geographies: ['us'],
        globalInference: false,
        models: ['anthropic.claude-*'],
      },
    },
    claude: {},
    outputs: {},
    users: 100,
  });
  t.equal(statSync(join(home, 'profiles', 'ClaudeCode.json')).mode & 0o777, 0o600);
  const titles = [...prompter.shown().matchAll(/^# (.+) (\d+) of (\d+)$/gm)].map(
    ([, title, at]) => `${at} ${title}`,
  );
  t.strictSame(titles, ['1 Profile', ...STEPS.map(({ title }, index) => `${index + 2} ${title}`)]);
  t.match(prompter.shown(), /Next:\n {2}ccwb deploy --dry-run\n {2}ccwb deploy\n {2}ccwb package\n/);
  t.match(
    prompter.shown(),
    /Audit trail {5}ccwb init --audit yes\n {2}Monitoring {6}ccwb init --monitoring yes/,
  );
});

t.test('flags answer questions and the other questions are asked', async (t) => {
  const { init, profile } = wizard(t);
  const prompter = scriptedPrompter(TYPED);
  const { status } = await init(
    ['--profile', 'Research', '--provider-domain', 'company.okta.com', '--audit', 'yes'],
    { prompter },
  );
  t.equal(status, 0);
  t.notOk(prompter.asked.some((question) => /Name of|Domain|Keep an audit/.test(question)));
  t.ok(prompter.asked.some((question) => /For how long/.test(question)));
  t.match(prompter.shown(), '= Keep an audit trail?: yes');
  t.equal(profile('Research').config.client_id, '0oa1example');
});

t.test('today\u2019s values are the defaults, and other fields stay as they are', async (t) => {
  const { init, profile } = wizard(t);
  const all =
    '--groups a --alarms yes --environment test --redirect-port 9999 --haiku-model us.anthropic.claude-haiku-4-5';
  t.equal((await init(['--yes', ...LEAST, ...all.split(' ')])).status, 0);
  const before = profile();
  const prompter = scriptedPrompter([
    [/^Region/, 'eu-central-1'],
    [/^Where may models run/, 'European Union (eu.)'],
    [/^Model for/, ''],
  ]);
  const { status } = await init(['--haiku-model', ''], { prompter });
  t.equal(status, 0);
  t.strictSame(profile(), {
    ...before,
    config: { ...before.config, aws_region: 'eu-central-1' },
    infra: {
      ...before.infra,
      bedrock: {
        ...before.infra.bedrock,
        geographies: ['eu'],
      },
    },
    claude: {},
  });
  t.match(prompter.shown(), /AWS +eu-central-1\n +was us-east-1\n/);
});

t.test('a change of provider removes the fields of the previous one', async (t) => {
  const { init, profile } = wizard(t);
  const { document, issuer } = PROVIDERS.generic;
  const fetch = fetchOf({ [addressOf(issuer)]: document });
  const zone = '--collector-domain otel.company.example --hosted-zone-id Z0123';
  const generic = ['--yes', '--no-check-aws', '--issuer', issuer, '--client-id', 'a', ...zone.split(' ')];
  t.equal((await init([...generic, '--provider-registered', 'yes'], { checks: true, fetch })).status, 0);
  t.match(profile(), { config: { provider_type: 'generic', issuer }, infra: { jwksUri: document.jwks_uri } });
  t.equal((await init(['--yes', ...LEAST, '--okta-auth-server', 'default'])).status, 0);
  const { config, infra } = profile();
  t.match(config, {
    provider_type: 'okta',
    provider_domain: 'company.okta.com',
    okta_auth_server: 'default',
  });
  t.same([config.issuer, infra.jwksUri, infra.providerRegistered], [undefined, undefined, undefined]);
});

t.test('each type of provider is set up by its flags and checked by discovery', async (t) => {
  for (const [type, { args, issuer, document }] of Object.entries(PROVIDERS)) {
    const { init, profile, home } = wizard(t);
    const secret = join(home, 'secret');
    writeFileSync(secret, 's3cret');
    const more = type === 'google' ? ['--client-secret-file', secret] : [];
    const { status, out, error } = await init(
      ['--yes', '--json', '--no-check-aws', ...args, '--client-id', 'client', ...more],
      { checks: true, fetch: fetchOf({ [addressOf(issuer)]: document }) },
    );
    t.equal(status, 0, `${type}: ${error}`);
    t.match(JSON.parse(out), { provider: { type, issuer }, unchecked: [/AWS account/], account: null });
    t.equal(profile().config.provider_type, type);
    t.match(error, `It answers as ${issuer}\n`);
  }
});

t.test(
  'a check that fails without a terminal ends the wizard and names the flag that leaves it out',
  async (t) => {
    const { init, text } = wizard(t);
    const { status, error } = await init(['--yes', ...LEAST], { checks: true, fetch: fetchOf({}) });
    t.equal(status, 1);
    t.match(error, 'ccwb: company.okta.com did not answer (ENOTFOUND) (ERR_PROVIDER_UNREACHABLE)');
    t.match(error, '--no-check-provider leaves the check out');
    t.equal(text(), undefined);
  },
);

t.test(
  'after a failed check the person corrects the answers, tries again or goes on without it',
  async (t) => {
    const { init, profile } = wizard(t);
    const { issuer, document } = PROVIDERS.auth0;
    let asked = 0;
    const answers = fetchOf({ [addressOf(issuer)]: document });
    const fetch: typeof globalThis.fetch = (input, options) => {
      asked += 1;
      return answers(input, options);
    };
    const prompter = scriptedPrompter([
      [/^Domain of/, 'company.okta.com', 'company.eu.auth0.com'],
      [/^Client id/, 'a', 'b'],
      [/^What now/, 'Try again', 'Correct the answers', 'Go on without this check'],
    ]);
    const { status } = await init(['--no-check-aws'], { prompter, checks: true, fetch });
    t.equal(status, 0);
    t.equal(asked, 3);
    t.strictSame(profile().config.provider_domain, 'company.eu.auth0.com');
    t.strictSame(profile().config.client_id, 'b');
    t.match(prompter.shown(), '! company.okta.com did not answer (ENOTFOUND)');
    t.notMatch(prompter.shown(), /Authorization server.*Authorization server/s);
  },
);

t.test('AWS tells the account, and credentials of users are refused', async (t) => {
  const cloud = await startAdminCloud(t);
  const { init } = wizard(t);
  const args = ['--yes', '--json', '--no-check-provider', ...LEAST];
  const admin = await init(args, { checks: true, aws: cloud.settings() });
  t.equal(admin.status, 0, admin.error);
  t.equal(JSON.parse(admin.out).account, '123456789012');
  t.match(admin.error, 'AWS account 123456789012\nas arn:aws:sts::123456789012:assumed-role/Administrator/');
  const role = 'arn:aws:iam::123456789012:role/ccwb-ClaudeCode-auth-AuthenticatedRole-ABC';
  const user = await init(args, { checks: true, aws: cloud.settings(role) });
  t.equal(user.status, 1);
  t.match(user.error, 'these credentials are those of a user of Claude Code with Bedrock');
});

t.test('an AWS profile that asks this product for credentials is refused before it is used', async (t) => {
  const { init, home } = wizard(t);
  const file = join(home, 'aws');
  writeFileSync(
    file,
    '[profile ClaudeCode]\ncredential_process = /opt/tools/credential-process --profile ClaudeCode\n',
  );
  const env = { AWS_CONFIG_FILE: file, AWS_SHARED_CREDENTIALS_FILE: '/dev/null', AWS_PROFILE: 'ClaudeCode' };
  const { status, error } = await init(['--yes', '--no-check-provider', ...LEAST], { checks: true, env });
  t.equal(status, 1);
  t.match(error.replace(/\s+/g, ' '), 'the AWS profile ClaudeCode gets its credentials from this product');
});

t.test('an AWS account other than that of the deployment gives a warning', async (t) => {
  const cloud = await startAdminCloud(t);
  const { init, profile, home } = wizard(t);
  await init(['--yes', ...LEAST]);
  const deployed = { auth: { RoleArn: 'arn:aws:iam::999999999999:role/x' } };
  writeFileSync(join(home, 'profiles/ClaudeCode.json'), JSON.stringify({ ...profile(), outputs: deployed }));
  const { error } = await init(['--yes', '--no-check-provider'], { checks: true, aws: cloud.settings() });
  t.match(error, 'note: ClaudeCode is deployed in account 999999999999');
});

t.test('answers can be changed before the profile is saved', async (t) => {
  const { init, profile } = wizard(t);
  const prompter = scriptedPrompter([
    ...TYPED,
    [/^Save it/, 'Change something first', 'Change something first', 'Save'],
    [/^What\?/, 'Who may use it', 'Federation'],
    [/^Who may/, 'Everyone who can sign in to the application', 'Members of groups'],
    [/^Groups/, 'claude'],
    [/^Through which/, 'Cognito identity pool', 'IAM alone, through STS'],
    [/^Claim/, 'groups', 'https://aws.amazon.com/tags/principal_tags/Team'],
  ]);
  const { status } = await init([], { prompter });
  t.equal(status, 0);
  t.match(profile(), {
    config: { federation_type: 'direct', max_session_duration: 43_200 },
    infra: { accessGroups: { claim: 'https://aws.amazon.com/tags/principal_tags/Team', groups: ['claude'] } },
  });
  // The claim was good for a pool, and is asked again for what it is no good for.
  t.equal(prompter.asked.filter((question) => /^Claim/.test(question)).length, 2);
  t.equal(prompter.asked.filter((question) => /^Domain of/.test(question)).length, 1);
});

t.test('a change after which questions do not apply removes their answers', async (t) => {
  const { init, profile } = wizard(t);
  const prompter = scriptedPrompter([
    ...TYPED,
    [/^Monitor usage/, true, false],
    [/^Name for the collector/, 'otel.company.example'],
    [/^Route 53/, 'Z0123'],
    [/^Save it/, 'Change something first', 'Save'],
    [/^What\?/, 'Monitoring'],
  ]);
  const { status } = await init([], { prompter });
  t.equal(status, 0);
  t.notOk(profile().infra.monitoring);
});

t.test('leaving keeps the answers and the next start continues with them', async (t) => {
  const { init, text, draft, home } = wizard(t);
  const leaving = scriptedPrompter([...TYPED, [/^Region/, 'eu-west-1'], [/^Save it/, 'Leave']]);
  const left = await init([], { prompter: leaving });
  t.equal(left.status, 1);
  t.equal(
    left.error,
    'ccwb: nothing was saved, the answers are kept (ERR_DECLINED)\n  fix: run ccwb init --profile ClaudeCode to go on from there\n',
  );
  t.equal(text(), undefined);
  t.equal(statSync(join(home, 'drafts', 'ClaudeCode.json')).mode & 0o777, 0o600);
  t.equal(statSync(join(home, 'drafts')).mode & 0o777, 0o700);
  const resumed = scriptedPrompter();
  t.equal((await init([], { prompter: resumed })).status, 0);
  t.strictSame(resumed.asked, ['Name of the deployment', resumed.asked[1], 'Save it?']);
  t.match(resumed.asked[1], /^\d+ answers of 2026-01-02 03:04 UTC kept\. Go on from there\?$/);
  t.match(text(), '"aws_region": "eu-west-1"');
  t.equal(draft(), undefined);
});

t.test('kept answers can be refused, and an unattended start ignores them', async (t) => {
  const { init, draft, profile } = wizard(t);
  await init([], { prompter: scriptedPrompter([...TYPED, [/^Region/, 'eu-west-1'], [/^Save it/, STOPPED]]) });
  t.ok(draft());
  t.equal((await init(['--yes', '--profile', 'Other', ...LEAST])).status, 0);
  t.equal(profile('Other').config.aws_region, 'us-east-1');
  const prompter = scriptedPrompter([...TYPED, [/Go on from there/, false]]);
  t.equal((await init(['--profile', 'ClaudeCode'], { prompter })).status, 0);
  t.equal(profile().config.aws_region, 'us-east-1');
});

t.test('kept answers that are no longer allowed are asked again', async (t) => {
  const { init, home, profile } = wizard(t);
  mkdirSync(join(home, 'drafts'));
  const answers = { 'provider-domain': 'company.okta.com', 'client-id': 'a b', users: 'many', nonsense: 1 };
  writeFileSync(join(home, 'drafts/ClaudeCode.json'), JSON.stringify({ answers, keptAt: 1e12 }));
  const prompter = scriptedPrompter(TYPED);
  t.equal((await init([], { prompter })).status, 0);
  t.equal(profile().config.client_id, '0oa1example');
  writeFileSync(join(home, 'drafts/ClaudeCode.json'), '{');
  t.equal((await init([], { prompter: scriptedPrompter() })).status, 0);
});

t.test('Ctrl-C before the first answer keeps nothing', async (t) => {
  const { init, draft } = wizard(t);
  const { status, error } = await init([], { prompter: scriptedPrompter([[/^Name of/, STOPPED]]) });
  t.equal(status, 1);
  t.match(error, 'interrupted before the first answer; nothing was saved (ERR_INTERRUPTED)');
  t.equal(draft(), undefined);
});

t.test('a name that stacks cannot have is asked again at the prompt and refused as a flag', async (t) => {
  const { init } = wizard(t);
  const prompter = scriptedPrompter([[/^Name of/, 'my profile', 'Mine'], ...TYPED]);
  t.equal((await init([], { prompter })).status, 0);
  t.match(prompter.shown(), '! Allowed: at most 64 letters, digits and hyphens');
  const { status, error } = await init(['--yes', '--profile', 'a.b', ...LEAST]);
  t.equal(status, 2);
  t.match(error, '"a.b" is no name for a profile');
});

t.test('a home folder without write access is reported at the first answer', async (t) => {
  const { init, home } = wizard(t);
  const blocked = join(home, 'file');
  writeFileSync(blocked, '');
  chmodSync(blocked, 0o600);
  const prompter = scriptedPrompter(TYPED);
  const { status, error } = await init([], { prompter, env: { CCWB_HOME: blocked } });
  t.equal(status, 1);
  t.match(error, /drafts\/ClaudeCode\.json cannot be written \(ENOTDIR\)/);
  t.equal(prompter.asked.filter((question) => !/^Name of/.test(question)).length, 1);
});

t.test('a broken profile is not replaced by a new one', async (t) => {
  const { init } = wizard(t, { ClaudeCode: { schema: 1, name: 'ClaudeCode', config: 7 } });
  const { status, error } = await init(['--yes', ...LEAST]);
  t.equal(status, 1);
  t.match(error.replace(/\s+/g, ' '), 'config is 7; allowed: an object');
});

t.test(
  'parts that contradict each other are reported at the end with the flags that change them',
  async (t) => {
    const { init, profile } = wizard(t);
    await init(['--yes', ...LEAST, '--groups', 'claude']);
    const { status, error } = await init(['--yes', '--federation', 'direct']);
    t.equal(status, 2);
    t.match(
      error.replace(/\s+/g, ' '),
      /groups-claim would be "groups"; allowed: for direct federation only/,
    );
    t.match(error, 'give --groups-claim');
    t.equal(profile().config.federation_type, 'cognito');
  },
);
