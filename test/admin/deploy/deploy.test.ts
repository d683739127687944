import { join } from 'node:path';
import t, { type Test } from 'tap';
import { run } from '../../../admin/program.ts';
import { adminEdges, type Result, ccwb as runCcwb } from '../fixtures/admin-edges.ts';

process.env.CDK_VALIDATION = 'false';

const OKTA = { provider_domain: 'company.okta.com', client_id: '0oa1b2c3', identity_pool_id: 'us-east-1:0' };
const PROFILES = {
  ClaudeCode: OKTA,
  Direct: {
    provider_domain: 'company.auth0.com',
    client_id: 'abc',
    federated_role_arn: 'arn:aws:iam::123456789012:role/x',
    max_session_duration: 900,
  },
  My_Team: OKTA,
  Ported: { ...OKTA, issuer: 'https://sso.example:8443/realm' },
  Isolated: { ...OKTA, aws_region: 'us-iso-east-1' },
  Broken: { ...OKTA, client_id: 7 },
};

async function ccwb(t: Test, args: string, env: Record<string, string> = {}): Promise<Result> {
  const home = t.testdir({ 'config.json': JSON.stringify({ profiles: PROFILES }) });
  const words = args.split(' ').map((word) => (word === 'CONFIG' ? join(home, 'config.json') : word));
  return runCcwb(words, { env });
}

async function template(t: Test, args: string, env?: Record<string, string>): Promise<unknown> {
  const { status, out, error } = await ccwb(
    t,
    `deploy auth --show-template --config CONFIG ${args}`.trim(),
    env,
  );
  t.strictSame({ status, error }, { status: 0, error: '' });
  return JSON.parse(out);
}

const describes = (name: string): object => ({ Description: new RegExp(` ${name}$`) });

t.test('the template is that of the chosen profile', async (t) => {
  t.match(await template(t, ''), describes('ClaudeCode'));
  t.match(await template(t, '--profile Direct'), describes('Direct'));
  t.match(await template(t, '', { CCWB_PROFILE: 'Direct' }), describes('Direct'));
  t.match(await template(t, '--profile ClaudeCode', { CCWB_PROFILE: 'Direct' }), describes('ClaudeCode'));
});

t.test('issuer, audience and trust come from the profile', async (t) => {
  t.match(await template(t, '--profile Direct'), {
    Resources: {
      OidcProvider: { Properties: { Url: 'https://company.auth0.com/', ClientIdList: ['abc'] } },
      AuthenticatedRole: {
        Properties: {
          // IAM allows no shorter bound; the daemon still asks for the 900 s configured.
          MaxSessionDuration: 3_600,
          AssumeRolePolicyDocument: {
            Statement: [{ Condition: { StringEquals: { 'company.auth0.com/:aud': 'abc' } } }],
          },
        },
      },
    },
  });
});

t.test('models run in the profile region and globally unless told otherwise', async (t) => {
  const usual = JSON.stringify(await template(t, ''));
  t.match(usual, '"aws:RequestedRegion":["us-east-1"]');
  t.match(usual, '"StringEquals":{"aws:RequestedRegion":"unspecified"}');
  const limited = JSON.stringify(
    await template(t, '--bedrock-regions us-east-1,us-west-2 --no-global-inference'),
  );
  t.match(limited, '"aws:RequestedRegion":["us-east-1","us-west-2"]');
  t.notMatch(limited, 'InvokeThroughGlobalProfiles');
});

t.test('wrong input is reported with one line of error and one line of fix', async (t) => {
  const show = 'deploy auth --show-template --config CONFIG';
  const cases: readonly [args: string, status: number, message: RegExp][] = [
    ['frobnicate', 2, /unknown command 'frobnicate' \(ERR_USAGE\)\n {2}fix: run ccwb --help\n/],
    ['deploy auth --nope', 2, /unknown option '--nope' \(ERR_USAGE\)\n {2}fix: run ccwb deploy --help\n/],
    [
      'profiles show --nope',
      2,
      /unknown option '--nope' \(ERR_USAGE\)\n {2}fix: run ccwb profiles show --help\n/,
    ],
    [
      'profiles frobnicate',
      2,
      /unknown command 'frobnicate' \(ERR_USAGE\)\n {2}fix: run ccwb profiles --help\n/,
    ],
    ['deploy auth --config', 2, /option '--config <file>' argument missing \(ERR_USAGE\)/],
    [
      'deploy network --show-template',
      2,
      /no stack "network"; allowed: auth, networking, monitoring, dashboard, analytics \(ERR_USAGE\)/,
    ],
    [`${show} --bedrock-regions ,`, 2, /--bedrock-regions is \[\]; allowed: at least one region/],
    [`${show} --bedrock-regions cn-north-1`, 2, /is \["cn-north-1"\]; allowed: .* partition of us-east-1/],
    [`${show} --profile Nobody`, 1, /no profile "Nobody" .*\(ERR_PROFILE_UNKNOWN\)/],
    [`${show} --profile Broken`, 1, /profiles\.Broken\.client_id is 7; .*\(ERR_CONFIG_INVALID\)/],
    [`${show} --profile My_Team`, 1, /its name is "My_Team"; allowed: .*\(ERR_CONFIG_INVALID\)/],
    [`${show} --profile Ported`, 1, /"https:\/\/sso\.example:8443\/realm"; allowed: .* without port/],
    [`${show} --profile Isolated`, 1, /aws_region is "us-iso-east-1"; allowed: .*\(ERR_CONFIG_INVALID\)/],
    [
      'deploy auth --show-template --config /nonexistent/config.json',
      1,
      /\(ERR_CONFIG_MISSING\)\n {2}fix: name one with --config/,
    ],
    [
      'package --config /nonexistent/config.json',
      1,
      /\(ERR_CONFIG_MISSING\)\n {2}fix: name one with --config/,
    ],
  ];
  for (const [args, status, message] of cases) {
    const result = await ccwb(t, args);
    t.equal(result.status, status, args);
    t.equal(result.out, '', args);
    t.match(result.error, message, args);
    t.match(result.error, /^ccwb: [^\n]+\n {2}fix: [^\n]+\n$/, args);
  }
});

t.test('--debug adds the stack trace and its causes', async (t) => {
  const { error } = await ccwb(t, '--debug deploy auth --show-template --config /nonexistent/config.json');
  t.match(error, /\n {2}fix: [^\n]+\nCcwbError: [^\n]+\n +at /);
  t.match(error, /\ncaused by Error: ENOENT/);
});

t.test('a defect is reported as one, its details only with --debug', async (t) => {
  const config = join(t.testdir({ 'config.json': JSON.stringify({ ClaudeCode: OKTA }) }), 'config.json');
  const failing = async (...flags: string[]): Promise<{ status: number; error: string }> => {
    let error = '';
    const status = await run([...flags, 'deploy', 'auth', '--show-template', '--config', config], {
      ...adminEdges(),
      writeOut: () => {
        throw new TypeError('planted defect');
      },
      writeError: (text) => {
        error += text;
      },
    });
    return { status, error };
  };
  t.strictSame(await failing(), {
    status: 1,
    error:
      'ccwb: unexpected TypeError (ERR_INTERNAL)\n' +
      '  fix: run it again with ccwb --debug and report what it prints\n',
  });
  t.match((await failing('--debug')).error, /\nTypeError: planted defect\n +at /);
});
