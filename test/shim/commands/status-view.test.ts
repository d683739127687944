import t from 'tap';
import type { ProfileStatus, StatusReply } from '../../../protocol/api.ts';
import { statusView } from '../../../shim/commands/status-view.ts';

process.env.TZ = 'UTC';
const NOW = Date.parse('2026-03-04T13:45:00Z');

const profile = (fields: Partial<ProfileStatus>): ProfileStatus => ({
  profile: 'ClaudeCode',
  issuer: 'https://company.okta.com',
  state: 'signed-in',
  user: 'jane@example.com',
  storage: 'keyring',
  federation: 'cognito',
  credentialsUntil: '2026-03-04T14:32:10Z',
  nextRefresh: '2026-03-04T14:07:00Z',
  idTokenUntil: '2026-03-04T14:30:00Z',
  problem: null,
  ...fields,
});

const reply = (...profiles: ProfileStatus[]): StatusReply => ({
  daemon: { protocol: 1, build: '0.1.0', pid: 4242, startedAt: '2026-03-04T10:33:00Z' },
  clockSkewSeconds: 0,
  network: { proxy: null, certificates: [] },
  config: '/home/jane/claude-code-with-bedrock/config.json',
  configProblem: null,
  profiles,
});

const options = { now: NOW, colours: false, home: '/home/jane' };

t.test('the status shows who is signed in, until when, and the next refresh', async (t) => {
  t.equal(
    statusView(reply(profile({})), options),
    `ClaudeCode  signed in as jane@example.com
  credentials     valid until 14:32 (in 47 min)
  next refresh    14:07 (in 22 min)
  ID token        valid until 14:30 (in 45 min)
  issuer          https://company.okta.com
  federation      cognito
  storage         keyring

daemon
  version         0.1.0 (protocol 1)
  running         for 3 h 12 min, process 4242
  config          ~/claude-code-with-bedrock/config.json
`,
  );
});

t.test('a problem comes with its fix, broken between words at 80 columns', async (t) => {
  const problem = {
    code: 'ERR_PROVIDER_UNREACHABLE',
    message: 'the identity provider at https://company.okta.com did not answer within 15 s, tried 4 times',
    fix: 'check the network and the proxy settings, then run bedrock-auth login --profile ClaudeCode',
    at: '2026-03-04T13:42:00Z',
  };
  const view = statusView(reply(profile({ problem, credentialsUntil: '2026-03-04T13:40:00Z' })), options);
  t.match(view, /credentials {5}expired 13:40 \(5 min ago\)\n/);
  t.match(view, /problem {9}the identity provider at/);
  t.match(view, /\(ERR_PROVIDER_UNREACHABLE\)\n {2}when {12}13:42 \(3 min ago\)\n/);
  t.match(view, /\n {2}fix {13}check the network/);
  t.strictSame(
    view.split('\n').filter((line) => line.length > 80),
    [],
  );
});

t.test('a signed-out profile shows the command to run and no empty rows', async (t) => {
  const nothing = { user: null, credentialsUntil: null, nextRefresh: null, idTokenUntil: null };
  const view = statusView(
    reply(
      profile({ ...nothing, state: 'signed-out' }),
      profile({
        ...nothing,
        profile: 'Broken',
        state: 'misconfigured',
        issuer: null,
        storage: null,
        federation: null,
      }),
    ),
    options,
  );
  t.match(view, /^ClaudeCode {2}signed out\n {2}credentials {5}none\n {2}issuer/);
  t.match(view, /to sign in {6}bedrock-auth login --profile ClaudeCode\n/);
  t.match(view, /\nBroken {2}misconfigured\n {2}credentials {5}none\n\ndaemon/);
});

t.test('the status shows a proxy and a wrong clock only if there is one', async (t) => {
  const usual = statusView(reply(profile({})), options);
  t.notMatch(usual, /proxy|clock/);
  const unusual = {
    ...reply(profile({})),
    clockSkewSeconds: -720,
    network: { proxy: 'http://***@proxy.corp:3128', certificates: [] },
  };
  const view = statusView(unusual, options);
  t.match(view, /\n {2}proxy {11}http:\/\/\*\*\*@proxy\.corp:3128\n/);
  t.match(view, /\n {2}clock {11}12 min fast; corrected here, but set it right\n/);
});

t.test('colours are used only on request', async (t) => {
  t.notMatch(statusView(reply(profile({})), options), '\x1b');
  t.match(
    statusView(reply(profile({})), { ...options, colours: true }),
    '\x1b[32msigned in as jane@example.com\x1b[0m',
  );
});
