import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ANSWER_NAMES, ANSWERS, type AnswerName, type AnswerSpec } from '../../../admin/init/names.ts';
import { QUESTIONS } from '../../../admin/init/steps/steps.ts';
import { emptyProfile } from '../../../admin/profiles/admin-profile.ts';
import { scriptedPrompter } from './fixtures/scripted-prompter.ts';
import { wizard } from './fixtures/wizard.ts';

/** A wrong answer to a question, what is said to be allowed, and the answers it is wrong beside. */
type Wrong = readonly [name: AnswerName, value: string, allowed: RegExp, beside?: string];

const EXISTING = '--monitoring-network existing --vpc-id vpc-0123456789abcdef0';
const SUBNETS = `${EXISTING} --task-subnets subnet-0123456789abcdef0`;
const ZONE = '--collector-domain otel.company.example --hosted-zone-id Z0123456789ABC';
const GENERIC = '--issuer https://sso.company.example';
const DIRECT = '--federation direct';

const WRONG: readonly Wrong[] = [
  ['issuer', 'http://sso.company.example', /an https URL without query or fragment/],
  ['issuer', 'https://sso.company.example?a=b', /an https URL without query or fragment/],
  [
    'issuer',
    'https://sso.company.example:8443',
    /an https URL without port, query or fragment: AWS must reach/,
  ],
  ['issuer', '', /an answer, since there is no default/],
  ['provider-domain', 'company okta', /a host name with or without a path/],
  ['provider-domain', 'http://sso.company.example', /an https URL without query or fragment/],
  [
    'provider-domain',
    'company-admin.okta.com',
    /people sign in at, company\.okta\.com; this is the admin console/,
  ],
  ['provider-domain', '', /an answer, since there is no default/],
  ['provider-type', 'saml', /one of okta, auth0, azure, cognito, google, generic/],
  [
    'okta-auth-server',
    'a/b',
    /its id, such as default or aus1a2b3c; or empty/,
    '--provider-domain company.okta.com',
  ],
  ['tenant', 'common', /the id of your tenant/, '--provider-domain login.microsoftonline.com'],
  ['tenant', 'a/b', /the id of your tenant/, '--provider-domain login.microsoftonline.com'],
  [
    'cognito-user-pool-id',
    'pool',
    /a user pool id such as us-east-1_/,
    '--provider-domain company.auth.eu-west-1.amazoncognito.com',
  ],
  ['client-id', 'a b', /1 to 255 characters without spaces/],
  [
    'client-id',
    'a-b',
    /1 to 128 letters, digits and underscores/,
    '--provider-domain cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a',
  ],
  ['client-id', '', /an answer, since there is no default/],
  ['client-secret-file', '/nonexistent/secret', /the path of a file that holds it and that you may read/],
  ['redirect-port', '0', /a whole number from 1 to 65535/],
  ['redirect-port', 'http', /a number/],
  ['federation', 'saml', /one of cognito, direct/],
  ['max-session-duration', '899', /a whole number of seconds from 900 to 43200/, DIRECT],
  ['aws-region', 'europe', /a region of the commercial, GovCloud \(US\) or China partition/],
  ['provider-registered', 'maybe', /yes or no/],
  ['bedrock-regions', 'us', /regions in the partition of us-east-1; --geographies takes us, eu/],
  ['bedrock-regions', 'us-gov-west-1', /regions in the partition of us-east-1/],
  ['bedrock-regions', '', /an answer, since there is no default/],
  ['geographies', 'us,eu', /what can be called from us-east-1: us/],
  ['geographies', 'mars', /what can be called from us-east-1: us/],
  ['global-inference', 'maybe', /yes or no/],
  ['models', 'us.anthropic.claude-*', /1 to 10 model ids without a geography/],
  ['model', 'a b', /without spaces/],
  ['model', 'eu.anthropic.claude-sonnet-4-6', /a model of the geographies chosen: us/],
  ['model', 'global.anthropic.claude-sonnet-4-6', /a model that is not global: global inference is off/],
  ['model', 'us.amazon.nova-pro-v1:0', /a model that may be used: anthropic\.claude-\*/],
  ['haiku-model', 'us.amazon.nova-pro-v1:0', /a model that may be used/],
  ['guardrail', 'Not One', /the id or the ARN of a guardrail/],
  ['guardrail-version', 'latest', /as version DRAFT or a number/, '--guardrail gr1example'],
  ['mantle', 'maybe', /yes or no/],
  ['credential-storage', 'disk', /one of keyring, session/],
  ['access', 'all', /one of everyone, groups/],
  ['groups-claim', 'two words', /1 to 64 characters without spaces/, '--groups claude'],
  [
    'groups-claim',
    'groups',
    /only https:\/\/aws\.amazon\.com\/tags\/principal_tags\/NAME/,
    `${DIRECT} --groups claude`,
  ],
  ['groups', 'claude*', /1 to 25 groups of 1 to 128 characters without \* and \?/, '--access groups'],
  ['groups', '', /an answer, since there is no default/, '--access groups'],
  ['groups-match', 'like', /one of contains, equals/],
  ['audit', 'maybe', /yes or no/],
  ['audit-retention-days', '91', /a number of days that CloudWatch Logs knows/, '--audit yes'],
  ['monitoring', 'maybe', /yes or no/],
  ['monitoring-network', 'vpc', /one of new-private, new-public, existing/],
  ['vpc-id', 'vpc', /the id of a VPC/, '--monitoring-network existing'],
  ['task-subnets', 'subnet', /at least one subnet id/, EXISTING],
  ['load-balancer-subnets', 'subnet-0123456789abcdef0', /at least two subnet ids/, SUBNETS],
  ['collector-domain', 'Otel', /a host name in lower case/, '--monitoring yes'],
  ['hosted-zone-id', 'zone', /the id of a Route 53 hosted zone/, '--collector-domain otel.company.example'],
  [
    'certificate-arn',
    'arn:aws:acm:eu-west-1:123456789012:certificate/1',
    /a certificate of ACM in us-east-1/,
    '--collector-domain otel.company.example',
  ],
  ['jwks-uri', 'http://sso.company.example/keys', /the jwks_uri of the provider/, `${GENERIC} ${ZONE}`],
  ['internal', 'maybe', /yes or no/],
  [
    'internal',
    'yes',
    /the load balancer could not fetch signing keys/,
    `${ZONE} --monitoring-network new-public`,
  ],
  ['environment', 'a b', /1 to 64 letters, digits, dots, hyphens and underscores/],
  ['log-retention-days', '2', /a number of days that CloudWatch Logs knows/],
  ['alarms', 'maybe', /yes or no/],
  ['alarm-email', 'nobody', /an e-mail address/, '--alarms yes'],
  ['alarm-daily-cost', '0', /a number of dollars above 0/, '--alarms yes'],
  ['alarm-hourly-tokens', '1.5', /a whole number above 0/],
  ['alarm-hourly-errors', '0', /a whole number above 0/],
  ['analytics', 'maybe', /yes or no/],
  ['analytics-archive-days', '0', /a whole number of days from 1 to 3650/],
  ['analytics-results-days', '4000', /a whole number of days from 1 to 3650/],
  ['attributes', 'department', /NAME=VALUE, with commas between/, '--monitoring yes'],
  ['attributes', 'team=a b', /no spaces, quotes or ; in either/, '--monitoring yes'],
  ['users', '0', /a whole number of people, 1 or more/],
];

/** The rest of a command line in which only the one answer is wrong. */
function around([name, , , beside = '']: Wrong): string[] {
  const flags = beside.split(' ').filter(Boolean);
  const given = [...flags, `--${name}`];
  const provider = ['--provider-domain', '--issuer'].some((flag) => given.includes(flag));
  return [
    ...flags,
    ...(provider ? [] : ['--provider-domain', 'company.okta.com']),
    ...(given.includes('--client-id') ? [] : ['--client-id', '0oa1example']),
  ];
}

t.test('this test has a wrong answer for every question', async (t) => {
  const tried = new Set(WRONG.map(([name]) => name));
  t.same(
    ANSWER_NAMES.filter((name) => !tried.has(name)),
    [],
  );
});

t.test('a wrong flag is refused with its value and what is allowed; nothing is saved', async (t) => {
  const { init, text } = wizard(t);
  for (const wrong of WRONG) {
    const [name, value, allowed] = wrong;
    const { status, error } = await init(['--yes', ...around(wrong), `--${name}`, value]);
    t.equal(status, 2, `--${name} ${value}`);
    const told = error.replace(/\s+/g, ' ');
    t.match(told, `ccwb: --${name} is ${JSON.stringify(value)}; allowed: `);
    t.match(told, allowed);
    t.equal(text(), undefined);
  }
});

t.test('a wrong field of a file of answers is refused with the name of the file', async (t) => {
  const { init, home, text } = wizard(t);
  const path = join(home, 'answers.json');
  for (const wrong of WRONG) {
    const [name, value, allowed] = wrong;
    writeFileSync(path, JSON.stringify({ [name]: value }));
    const { status, error } = await init(['--yes', ...around(wrong), '--answers', path]);
    t.equal(status, 1, `${name}: ${value}`);
    const told = error.replace(/\s+/g, ' ');
    t.match(told, `${path}: ${name} is ${JSON.stringify(value)}; allowed: `);
    t.match(told, allowed);
    t.equal(text(), undefined);
  }
});

t.test('a wrong answer at the prompt is asked again with what is allowed', async (t) => {
  const { init } = wizard(t);
  let typed = 0;
  for (const wrong of WRONG) {
    const [name, value, allowed] = wrong;
    const q = QUESTIONS.find((each) => each.name === name);
    const { kind }: AnswerSpec = ANSWERS[name];
    // Choices and yes or no cannot be typed wrong; an empty line takes a default.
    if (!q?.message || typeof kind !== 'string' || kind === 'yes or no' || kind === 'secret' || value === '')
      continue;
    typed += 1;
    let judged = false;
    const prompter = scriptedPrompter([[/Go on from there/, false]]);
    const question = (message: string): boolean => message.startsWith(beginning(q));
    const { error } = await init(around(wrong), {
      prompter: {
        ...prompter,
        choose: async (prompt) => {
          const other = prompt.choices.findIndex(({ label }) => label === 'Something else');
          return question(prompt.message) && other >= 0 ? other : prompter.choose(prompt);
        },
        text: async (prompt) => {
          if (!question(prompt.message)) return prompter.text(prompt);
          judged = true;
          t.match(prompt.validate(value)?.replace(/\s+/g, ' '), allowed, `${name}: ${value}`);
          throw new Error('that was it');
        },
      },
    });
    t.ok(judged, `${name} is asked: ${error}`);
  }
  t.ok(typed > 20, `${typed} wrong answers were typed`);
});

/** How the message of a question begins, whatever else it says in view of other answers. */
function beginning(q: (typeof QUESTIONS)[number]): string {
  const profile = emptyProfile('ClaudeCode');
  return (q.message?.({ before: undefined, profile, answers: {}, findings: {}, env: {} }) ?? '').slice(0, 20);
}
