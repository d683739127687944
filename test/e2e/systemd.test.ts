import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { BUILD_VERSION } from '../../protocol/version.ts';
import { signInOverHttp } from '../../sandbox/browser/browserless.ts';
import { escapeForUnit } from '../../shim/service/service-files.ts';
import { becomeBuild } from '../../tools/support/builds.ts';
import { findTool, keyring, missing } from '../../tools/support/find-tool.ts';
import { askUnderLoad } from '../fixtures/load.ts';
import { noUserSystemd, startUserSystemd } from '../fixtures/user-systemd.ts';
import { startWorld, type WorldOptions } from '../fixtures/world.ts';

// Many processes one after the other, on a machine that may have other things to do.
t.setTimeout(600_000);

const skip = noUserSystemd();
const NEWER = '99.0.0';
const UNIT = 'bedrock-authd.service';
const SOCKET = 'bedrock-authd.socket';

type Tap = { teardown(action: () => Promise<void>): void };

/** A user with a systemd of their own, whose browser only notes addresses. */
async function world(t: Tap, options: WorldOptions = {}) {
  const { sandbox, home: installed } = await startWorld(t, {
    ...options,
    installation: { browser: 'notes', ...options.installation },
  });
  const home = await startUserSystemd(t, installed);
  const auth = (args: string, env: Record<string, string> = {}) =>
    home.run(home.program('bedrock-auth'), args.split(' '), { env });
  const done = async (args: string, env?: Record<string, string>): Promise<string> => {
    const { status, stdout, stderr } = await auth(args, env);
    if (status !== 0 || stderr !== '') throw new Error(`bedrock-auth ${args}: ${status}\n${stdout}${stderr}`);
    return stdout;
  };
  const service = async () => JSON.parse((await auth('service status --json')).stdout);
  const credentials = () =>
    home.run(home.program('credential-process'), ['--profile', 'ClaudeCode'], {
      env: { CCWB_SIGN_IN: 'off' },
    });
  const signIn = async (): Promise<void> => {
    const login = done('login');
    while ((await home.openedPages()).length === 0) await pause();
    const [url = ''] = await home.openedPages();
    await signInOverHttp(url);
    await login;
  };
  const property = async (name: string, unit = UNIT): Promise<string> =>
    (await home.systemctl('show', `--property=${name}`, '--value', unit)).stdout.trim();
  const kill = (signal: string, pid: number) => home.run('kill', [`-${signal}`, String(pid)]);
  return { sandbox, home, auth, done, service, credentials, signIn, property, kill };
}

type World = Awaited<ReturnType<typeof world>>;

/** Everything of the home but what runs and what is logged: each path with what it holds. */
function contents({ home }: World): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(home.home, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (path === 'run' || path === 'claude-code-with-bedrock/logs') continue;
      const full = join(home.home, path);
      if (entry.isDirectory()) visit(path);
      found[path] = entry.isFile()
        ? readFileSync(full, 'latin1')
        : entry.isSymbolicLink()
          ? readlinkSync(full)
          : '';
    }
  };
  visit('');
  return found;
}

function different(before: Record<string, string>, after: Record<string, string>): string[] {
  const paths = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...paths].filter((path) => before[path] !== after[path]);
}

const units = ({ home }: World) =>
  home
    .systemctl('list-units', '--all', '--plain', '--no-legend', 'bedrock-authd*')
    .then(({ stdout }) => stdout);

t.test('the service is installed, used and uninstalled without a trace', { skip }, async (t) => {
  const user = await world(t);
  const { home, sandbox, done, service, credentials, property, kill } = user;
  const before = contents(user);

  t.match(await done('service install'), /^Installed the service \(systemd\)\.\n/);
  const installed = contents(user);
  t.match(await service(), { installed: true, enabled: true, upToDate: true, runningBy: 'service' });
  t.match(await done('service install'), /^The service is up to date/);
  t.strictSame(different(installed, contents(user)), [], 'the same again changes nothing');

  await user.signIn();
  await home.systemctl('stop', UNIT);
  t.match(await service(), { runningBy: null, listening: true }, 'asking for the status starts nothing');
  t.equal(await property('ActiveState'), 'inactive');
  t.match(await credentials(), { status: 0, stderr: '' });
  t.equal(await property('ActiveState'), 'active', 'the first request has started it');

  const { pid } = await service();
  await kill('KILL', pid);
  t.match(await credentials(), { status: 0, stderr: '' });
  t.not((await service()).pid, pid);
  t.equal(await property('NRestarts'), '1');

  t.match(await done('service restart'), /^Restarted the daemon through systemd\.\n/);
  t.match(await credentials(), { status: 0, stderr: '' });
  t.match(await done('service stop'), /^Stopped the daemon/);
  t.match(await done('service stop'), /^No daemon was running/);
  t.match(await service(), { installed: true, enabled: true, runningBy: null, listening: false });
  t.match(await done('service start'), /^Started the daemon through systemd/);
  t.match(await done('service start'), /^The daemon runs already/);
  await done('service stop');
  t.match(await credentials(), { status: 0, stderr: '' });
  t.match(await service(), { runningBy: 'service' }, 'a program that needs it starts the service');
  t.equal(sandbox.provider.counts.codeExchanges, 1);

  t.match(await done('service uninstall'), /^Removed the service/);
  rmSync(join(home.home, 'opened-pages'));
  t.strictSame(different(before, contents(user)), []);
  t.equal(await units(user), '');
  t.notOk(existsSync(home.socket));
  t.match(await done('service uninstall'), /^The service is not installed/);
  t.match(await credentials(), { status: 0, stderr: '' }, 'the sign-in stays');
  t.match(await service(), { installed: false, runningBy: 'program' });
  t.equal(sandbox.provider.counts.codeExchanges, 1);
  await done('service stop');
});

t.test('install replaces a daemon that a program started and fails no request', { skip }, async (t) => {
  const user = await world(t);
  await user.signIn();
  const before = await user.service();
  t.match(before, { installed: false, runningBy: 'program' });
  const load = askUnderLoad(user.home, 4);
  await load.reach(40);
  await user.done('service install');
  await load.reach(80);
  const { answered, failed } = await load.end();
  t.strictSame(failed, []);
  t.comment(`${answered} requests`);
  t.match(await user.service(), { runningBy: 'service' });
  t.strictSame(await daemons(user), [(await user.service()).pid]);
  t.equal(user.sandbox.provider.counts.codeExchanges, 1);
});

t.test('an upgrade while requests flow fails none of them', { skip }, async (t) => {
  const user = await world(t);
  const { home, sandbox, done, service, auth } = user;
  await done('service install');
  await user.signIn();
  t.match(await service(), { version: BUILD_VERSION, runningBy: 'service' });
  const load = askUnderLoad(home, 4);
  await load.reach(100);
  becomeBuild(home.directory, { build: NEWER });
  t.match(await auth('status'), { status: 0, stderr: '' }, 'any newer program but the hot path does it');
  await load.reach(250);
  t.match(await service(), { version: NEWER, runningBy: 'service' });
  becomeBuild(home.directory, { build: '99.0.1' });
  await done('service install');
  await load.reach(400);
  const { answered, failed } = await load.end();
  t.strictSame(failed, []);
  t.comment(`${answered} requests`);
  t.match(await service(), { version: '99.0.1', runningBy: 'service' });
  t.strictSame(await daemons(user), [(await service()).pid], 'no second daemon');
  t.equal(await user.property('NRestarts'), '0', 'no failure among them');
  t.equal(sandbox.provider.counts.codeExchanges, 1, 'one sign-in');
  t.equal((await home.openedPages()).length, 1);
});

t.test('doctor checks the service, and uninstall removes it', { skip }, async (t) => {
  const user = await world(t);
  const { home, auth, done } = user;
  const service = async (): Promise<unknown> => {
    const { checks } = JSON.parse((await auth('doctor --json')).stdout) as { checks: { check: string }[] };
    return checks.filter(({ check }) => check === 'service');
  };
  t.match(await service(), [{ outcome: 'warning', fix: 'bedrock-auth service install' }]);
  await done('service install');
  await user.signIn();
  t.match(await service(), [
    { outcome: 'ok', text: 'systemd, running' },
    { outcome: 'ok', text: /last logout/ },
  ]);
  rmSync(join(home.home, '.config/systemd/user/default.target.wants', UNIT));
  t.match(await service(), [{ outcome: 'warning', text: /does not start when you log in/ }, {}]);
  const removed = await auth('uninstall --yes');
  t.match(removed, { status: 0, stderr: '', stdout: /\n {2}the service \(systemd\)\n(.*\n)*Removed\.\n$/ });
  t.equal(await units(user), '');
  t.strictSame(readdirSync(home.home).sort(), ['browser', 'opened-pages', 'run']);
});

t.test('a failure of the service manager leaves nothing half-installed', { skip }, async (t) => {
  const user = await world(t);
  const { home, auth, done, service } = user;
  const before = contents(user);
  const elsewhere = await auth('service install', { XDG_CONFIG_HOME: join(home.home, 'elsewhere') });
  t.equal(elsewhere.status, 1);
  t.match(
    elsewhere.stderr,
    /systemd does not look into .*elsewhere.* \(ERR_SERVICE_FAILED\)\n {2}fix: .+\n$/,
  );
  t.strictSame(different(before, contents(user)), []);

  const none = await auth('service install', { XDG_RUNTIME_DIR: join(home.home, 'none') });
  t.equal(none.status, 1);
  t.match(none.stderr, /\(ERR_SERVICE_UNAVAILABLE\)\n {2}fix: nothing is lost/);
  t.strictSame(different(before, contents(user)), []);

  const daemon = join(home.directory, 'daemon/index.js');
  const good = readFileSync(daemon);
  writeFileSync(daemon, 'process.exit(1);\n');
  const broken = await auth('service install');
  t.equal(broken.status, 1);
  t.match(
    broken.stderr,
    /nothing answers on .* \(ERR_SERVICE_FAILED\)\n {2}fix: run systemctl --user status/,
  );
  writeFileSync(daemon, good);
  t.strictSame(different(before, contents(user)), []);
  t.equal(await units(user), '');

  await done('service install', { XDG_RUNTIME_DIR: '' });
  t.match(await service(), { runningBy: 'service' }, 'cron and sudo have no XDG_RUNTIME_DIR');
});

t.test('an incomplete service is repaired or removed', { skip }, async (t) => {
  const user = await world(t);
  const { home, done, service } = user;
  const before = contents(user);
  const folder = join(home.home, '.config/systemd/user');
  await done('service install');
  for (const damage of [UNIT, SOCKET, `default.target.wants/${UNIT}`, `sockets.target.wants/${SOCKET}`]) {
    rmSync(join(folder, damage));
    t.match(await done('service install'), /^Updated the service/, `without ${damage}`);
    t.match(
      await service(),
      { installed: true, enabled: true, upToDate: true, runningBy: 'service' },
      damage,
    );
  }
  for (const damage of [[UNIT], [SOCKET], [UNIT, SOCKET], [`default.target.wants/${UNIT}`]]) {
    await done('service install');
    for (const path of damage) rmSync(join(folder, path));
    await done('service uninstall');
    t.strictSame(different(before, contents(user)), [], `without ${damage}`);
    t.equal(await units(user), '');
  }
  writeFileSync(join(home.home, 'note'), '');
  await done('service install');
  writeFileSync(join(folder, 'mine.service'), '[Service]\nExecStart=/bin/true\n');
  await done('service uninstall');
  t.strictSame(readdirSync(folder), ['mine.service'], 'what others have there stays');
});

t.test('the settings of the shell are kept for the service', { skip }, async (t) => {
  const user = await world(t);
  const { home, done, service, auth } = user;
  const file = join(home.directory, 'network.json');
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  const env = {
    https_proxy: 'http://ada:pass-word@127.0.0.1:9',
    NO_PROXY: 'localhost,127.0.0.1',
    NODE_EXTRA_CA_CERTS: certificates,
  };
  const told = await done('service install', env);
  t.match(told, 'HTTPS_PROXY http://***@127.0.0.1:9\n');
  t.notMatch(told, 'pass-word');
  const settings = {
    HTTPS_PROXY: env.https_proxy,
    NO_PROXY: env.NO_PROXY,
    NODE_EXTRA_CA_CERTS: certificates,
  };
  t.match(JSON.parse(readFileSync(file, 'utf8')), settings);
  t.match(await done('service install'), /^The service is up to date/, 'a shell without any takes none away');
  t.match(JSON.parse(readFileSync(file, 'utf8')), settings);
  t.match(await service(), { network: { ...settings, HTTPS_PROXY: 'http://***@127.0.0.1:9' } });
  t.notMatch((await auth('service status')).stdout, 'pass-word');
  const { pid } = await service();
  await done('service install', { ...env, NO_PROXY: '*' });
  t.not((await service()).pid, pid, 'other settings are another daemon');
  const wrong = await auth('service install', { https_proxy: 'socks5://ada:pass-word@127.0.0.1:9' });
  t.match(wrong, { status: 2, stderr: /HTTPS_PROXY is "socks5:\/\/\*\*\*@127/ });
  await done('service uninstall');
  t.notOk(existsSync(file));
});

const userBus = findTool('/usr/lib/systemd/user/dbus.socket');

t.test(
  'the hardened service works with a keyring, from any folder',
  { skip: skip || missing({ 'gnome-keyring': keyring, 'dbus-user-session': userBus }) },
  async (t) => {
    const user = await world(t, { profile: { credential_storage: 'keyring' } });
    const { home, sandbox, service, property } = user;
    const unlock = 'printf test | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1';
    const bus = { DBUS_SESSION_BUS_ADDRESS: `unix:path=${home.env.XDG_RUNTIME_DIR}/bus` };
    t.equal((await home.run('sh', ['-c', unlock], { env: bus })).status, 0);
    const folder = join(home.home, ODD_NAME);
    t.equal((await home.run('cp', ['-R', home.directory, folder])).status, 0);
    const installed = await home.run(join(folder, 'bedrock-auth'), ['service', 'install']);
    t.match(installed, { status: 0, stderr: '' });
    t.match(await property('ExecStart'), 'bedrock-authd');
    const { pid } = await service();
    const process = await home.run('cat', [
      `/proc/${pid}/cmdline`,
      `/proc/${pid}/status`,
      `/proc/${pid}/limits`,
    ]);
    t.match(process.stdout, `\0${folder}/versions/${BUILD_VERSION}-test/daemon/index.js\0`);
    t.match(process.stdout, /^NoNewPrivs:\t1$/m);
    t.match(process.stdout, /^Seccomp:\t2$/m);
    t.match(process.stdout, /^Max core file size +0 +0 /m);

    await user.signIn();
    const [profile] = (await home.status()).profiles;
    t.match(profile, { state: 'signed-in', storage: /keyring/, problem: null });
    await home.run(join(folder, 'bedrock-auth'), ['service', 'restart']);
    t.match(await user.credentials(), { status: 0, stderr: '' });
    t.equal(sandbox.provider.counts.codeExchanges, 1, 'the keyring has kept the sign-in');
    const verify = await home.run('systemd-analyze', ['--user', 'verify', UNIT, SOCKET]);
    t.match(verify, { status: 0, stdout: '', stderr: '' });
    t.match(await home.run(join(folder, 'bedrock-auth'), ['service', 'uninstall']), {
      status: 0,
      stderr: '',
    });
  },
);

t.test('a sign-in in progress is finished before the service takes over', { skip }, async (t) => {
  const user = await world(t);
  const { home, done, service } = user;
  const login = done('login');
  while ((await home.openedPages()).length === 0) await pause();
  const installing = home.start(home.program('bedrock-auth'), ['service', 'install']);
  let said = '';
  installing.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise((resolve) => installing.once('close', resolve));
  while (!said.includes('A sign-in is under way')) await pause();
  const [url = ''] = await home.openedPages();
  t.equal((await signInOverHttp(url)).status, 200);
  t.match(await login, 'Signed in for ClaudeCode');
  t.equal(await ended, 0);
  t.match(await service(), { runningBy: 'service' });
  t.match(await user.credentials(), { status: 0, stderr: '' });
});

/** Characters that mean something to systemd or sh; Node.js runs nothing from a path with a backslash. */
const ODD_NAME = `odd 100% $HOME $\${X} %h "q" 'a' ; # é 漢 -`;

t.test('any path can be escaped for systemd', { skip }, async (t) => {
  const { home } = await world(t);
  const folder = join(home.home, '.config/systemd/user');
  const names = [
    ODD_NAME,
    ...[...'\\"\'%$;#{}[]*?~&|<>()=,: \t\n\r\x01\x7fü€𝄞'],
    '\\n',
    '\\',
    '%%',
    '$$',
    `$${'{A}'}`,
    '$A',
  ];
  const script = `mkdir -p "$1" && printf '#!/bin/sh\\nprintf %%s "$0" >"$HOME/ran"\\n' >"$1/probe"`;
  await home.run('mkdir', ['-p', folder]);
  for (const name of names) {
    const directory = join(home.home, `odd${name}`);
    await home.run('sh', ['-c', script, 'sh', directory]);
    const command = `/bin/sh "${escapeForUnit(directory)}/probe"`;
    writeFileSync(join(folder, 'probe.service'), `[Service]\nType=oneshot\nExecStart=${command}\n`);
    await home.systemctl('daemon-reload');
    const { status } = await home.systemctl('start', 'probe.service');
    const ran = status === 0 && readFileSync(join(home.home, 'ran'), 'utf8');
    t.equal(ran, `${directory}/probe`, JSON.stringify(name));
  }
});

/** Process ids of all daemons of this user. */
async function daemons({ home }: World): Promise<number[]> {
  const { stdout } = await home.run('sh', ['-c', "grep -al 'daemon/[i]ndex[.]js' /proc/[0-9]*/cmdline"]);
  return [...stdout.matchAll(/^\/proc\/(\d+)\//gm)].map(([, pid]) => Number(pid));
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
