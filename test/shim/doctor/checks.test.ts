import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import type { StatusReply } from '../../../protocol/api.ts';
import { parseConfig } from '../../../protocol/config.ts';
import { CcwbError } from '../../../protocol/errors.ts';
import type { Probe } from '../../../protocol/probe.ts';
import type { DoctorContext } from '../../../shim/doctor/check.ts';
import { clock, readDiscovery, unreachable } from '../../../shim/doctor/network-checks.ts';
import { serviceWith } from '../../../shim/doctor/service-checks.ts';
import { browser, redirectPort } from '../../../shim/doctor/sign-in-checks.ts';
import type { ShimEdges } from '../../../shim/program/edges.ts';
import type { ServiceManager } from '../../../shim/service/service-manager.ts';
import { freePort } from '../../../tools/support/free-port.ts';
import { PROFILE } from '../fixtures/installation.ts';
import { fakeProgram } from '../fixtures/program.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const ISSUER = 'https://company.okta.com';

/** What checks look at, with a network that is a function of the test. */
function contextWith(
  t: Test,
  answer: (url: string) => Omit<Probe, 'url'>,
  change: Partial<ShimEdges> = {},
): DoctorContext {
  const { program } = fakeProgram(t, async () => ({}), { now: () => NOW, ...change });
  const config = parseConfig(JSON.stringify({ profiles: { ClaudeCode: PROFILE } }), 'config.json');
  const probe = async (url: string) => ({ url, ...answer(url) }) as Probe;
  return {
    edges: program,
    config,
    configProblem: undefined,
    profiles: [...config.profiles.values()],
    status: async () => new CcwbError('ERR_DAEMON_UNREACHABLE', 'none', 'start it'),
    probe,
    discovery: ({ identityProvider }) => readDiscovery(identityProvider.issuer, probe),
    claudeSettings: () => undefined,
  };
}

const document = (more: object = {}): string =>
  JSON.stringify({ issuer: ISSUER, jwks_uri: `${ISSUER}/keys`, ...more });
const dated = (offMs: number) => () => ({ status: 200, date: NOW + offMs, body: document() });

t.test('a wrong clock is a warning, or a problem if AWS refuses its signatures', async (t) => {
  const check = async (offMs: number, change: Partial<ShimEdges> = {}) =>
    (await clock(contextWith(t, dated(offMs), change)))[0];
  t.match(await check(3_000), { outcome: 'ok' });
  t.match(await check(-60_000), { outcome: 'warning', text: /^1 min fast/ });
  t.match(await check(600_000, { platform: 'linux' }), {
    outcome: 'problem',
    text: /^10 min slow: AWS refuses/,
    fix: 'sudo timedatectl set-ntp true',
  });
  t.match(await check(600_000, { platform: 'darwin' }), { fix: /^sudo sntp / });
  const silent = contextWith(t, () => ({ code: 'ENOTFOUND', message: null }));
  t.match(await clock(silent), [{ outcome: 'skipped' }]);
});

t.test('a machine without a browser uses a code if the provider offers one', async (t) => {
  const headless = { platform: 'linux' as const, env: { SSH_TTY: '/dev/pts/1' } };
  const offering = (more: object) =>
    contextWith(t, () => ({ status: 200, date: null, body: document(more) }), headless);
  const codes = { device_authorization_endpoint: `${ISSUER}/device` };
  t.match(await browser(offering(codes)), [{ outcome: 'ok', text: /by a code for another device/ }]);
  t.match(await browser(offering({})), [
    { outcome: 'warning', text: /no codes/, fix: /^ssh -L 8400:localhost:8400 / },
  ]);
  const told = contextWith(t, dated(0), { env: { CCWB_BROWSER: 'none' } });
  t.match(await browser(told), [{ outcome: 'ok', text: /is printed/ }]);
});

t.test('a redirect port that the daemon releases during the check is free', async (t) => {
  const port = await freePort();
  const listening = createServer().listen(port, '127.0.0.1');
  await new Promise<void>((resolve) => listening.once('listening', resolve));
  const context = contextWith(t, () => ({ code: 'ECONNREFUSED', message: null }));
  const [profile] = context.profiles;
  const check = (release: () => Promise<void>) =>
    redirectPort({
      ...context,
      profiles: profile ? [{ ...profile, redirectPort: port }] : [],
      probe: async (url) => {
        await release();
        return context.probe(url);
      },
    });
  t.match(await check(async () => {}), [{ outcome: 'problem', text: /taken by another program/ }]);
  const close = () => new Promise<void>((resolve) => listening.close(() => resolve()));
  t.match(await check(close), [{ outcome: 'ok', text: `port ${port} is free` }]);
});

t.test('an address that cannot be reached has a reason and a fix', async (t) => {
  const cases: [code: string, text: RegExp, fix: RegExp][] = [
    ['ENOTFOUND', /no such name/, /^curl -sSI https:\/\/idp\.example$/],
    ['ECONNREFUSED', /nobody listens/, /^curl /],
    ['ETIMEDOUT', /proxy or the VPN/, /^curl /],
    ['UND_ERR_CONNECT_TIMEOUT', /no answer in time/, /^curl /],
    ['UND_ERR_ABORTED', /the proxy refuses/, /HTTPS_PROXY/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /not trusted/, /NODE_EXTRA_CA_CERTS=.*service install$/],
    ['EPIPE', /cannot be reached \(EPIPE\)/, /^curl /],
  ];
  for (const [code, text, fix] of cases) {
    const url = 'https://idp.example/tenant';
    t.match(unreachable({ url, code, message: null }, url), { outcome: 'problem', text, fix }, code);
  }
});

const MANAGER: ServiceManager = {
  name: 'systemd',
  diagnoseCommand: 'systemctl --user status',
  files: () => [],
  isInstalled: () => true,
  checkAvailable: async () => {},
  readState: async () => ({ enabled: true, pid: 4242, listening: true }),
  enable: async () => {},
  start: async () => {},
  requestStart: async () => {},
  stop: async () => {},
  remove: async () => {},
  isLingering: () => undefined,
};

t.test('each fault of the service is found', async (t) => {
  const { program } = fakeProgram(t, async () => ({}), { platform: 'linux' });
  const running = (pid: number) => async () => ({ daemon: { pid } }) as StatusReply;
  const check = (change: Partial<ServiceManager>, pid = 4242, env: ShimEdges['env'] = {}) =>
    serviceWith({ ...MANAGER, ...change }, { status: running(pid), edges: { ...program, env } });
  const INSTALL = 'bedrock-auth service install';
  const refuse = async (): Promise<void> => {
    throw new CcwbError('ERR_SERVICE_UNAVAILABLE', 'there is no systemctl', 'nothing is lost');
  };
  t.match(await check({}), [{ outcome: 'ok', text: 'systemd, running' }]);
  t.match(await check({ isInstalled: () => false }), [{ outcome: 'warning', fix: INSTALL }]);
  t.match(await check({ isInstalled: () => false, checkAvailable: refuse }), [{ outcome: 'ok' }]);
  t.match(await check({ checkAvailable: refuse }), [{ outcome: 'warning', text: /no systemctl/ }]);
  t.match(await check({ files: () => [{ path: '/nowhere', text: 'x' }] }), [
    { outcome: 'warning', text: /another version/, fix: INSTALL },
  ]);
  t.match(await check({ readState: async () => ({ enabled: false, pid: 4242, listening: true }) }), [
    { outcome: 'warning', text: /does not start when you log in/, fix: INSTALL },
  ]);
  t.match(await check({}, 1), [{ outcome: 'warning', fix: 'bedrock-auth service restart' }]);
  const lingering = { isLingering: () => false };
  t.match(await check(lingering), [{ outcome: 'ok' }, { outcome: 'ok', text: /ends with your last logout/ }]);
  t.match(await check(lingering, 4242, { SSH_TTY: '/dev/pts/1' }), [
    { outcome: 'ok' },
    { outcome: 'warning', fix: 'loginctl enable-linger' },
  ]);
});
