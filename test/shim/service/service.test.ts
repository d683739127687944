import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { SYSTEMD_SOCKET, SYSTEMD_UNIT } from '../../../shim/service/systemd.ts';
import { type Installation, installation, REPOSITORY } from '../fixtures/installation.ts';

// test/e2e/systemd.test.ts runs a real service manager. Here no service manager answers.
// The test starts many processes one after the other, on a machine that may be busy.
t.setTimeout(120_000);

const TWO_LINES = /^bedrock-auth: [^\n]+ \(ERR_[A-Z_]+\)\n {2}fix: [^\n]+\n$/;
const linuxOnly = process.platform !== 'linux' && 'systemd';

type Tap = { teardown(action: () => unknown): void };

function home(t: Tap): Installation & { service(...args: string[]): ReturnType<Installation['run']> } {
  const made = installation();
  symlinkSync(join(REPOSITORY, 'service-files'), join(made.directory, 'service-files'));
  mkdirSync(dirname(made.socket), { recursive: true, mode: 0o700 });
  const service = (...args: string[]) => made.run('bedrock-auth', ['service', ...args]);
  t.teardown(async () => {
    await service('stop');
    made.remove();
  });
  return { ...made, service };
}

t.test(
  'without a user manager nothing is installed, and the error has a fix',
  { skip: linuxOnly },
  async (t) => {
    const made = home(t);
    const before = readdirSync(made.home, { recursive: true });
    const { status, stdout, stderr } = await made.service('install');
    t.equal(status, 1);
    t.equal(stdout, '');
    t.match(stderr, TWO_LINES);
    t.match(stderr, /ERR_SERVICE_UNAVAILABLE\)\n {2}fix: nothing is lost/);
    t.strictSame(readdirSync(made.home, { recursive: true }), before);
  },
);

t.test('service status shows the state and starts nothing', { skip: linuxOnly }, async (t) => {
  const made = home(t);
  const view = await made.service('status');
  t.equal(view.status, 1);
  t.equal(view.stderr, '');
  t.match(view.stdout, /^ {2}manager {9}systemd, cannot be asked from here\n {2}installed {7}no\n/);
  const { status, stdout } = await made.service('status', '--json');
  t.equal(status, 1);
  t.match(JSON.parse(stdout), {
    manager: 'systemd',
    available: false,
    installed: false,
    enabled: false,
    upToDate: false,
    files: [/bedrock-authd\.service$/, /bedrock-authd\.socket$/],
    runningBy: null,
    listening: false,
    version: null,
    pid: null,
    network: {},
  });
  t.notOk(existsSync(`${made.socket}.starts`));

  writeFileSync(join(made.directory, 'network.json'), '{"HTTPS_PROXY":"socks5://ada:pass-word@h"}');
  const broken = await made.service('status');
  t.match(broken.stderr, TWO_LINES);
  t.match(broken.stderr, 'ERR_CONFIG_INVALID');
  t.notMatch(broken.stderr, 'pass-word');
  t.match(broken.stdout, /installed/);
});

t.test('start, stop and restart work without an installed service', async (t) => {
  const made = home(t);
  t.match(await made.service('stop'), { status: 0, stdout: 'No daemon was running.\n', stderr: '' });
  t.match(await made.service('start'), { status: 0, stdout: /^Started the daemon as a process of its own/ });
  t.match(await made.service('start'), { status: 0, stdout: /^The daemon runs already, version 0\.1\.0/ });
  const status = JSON.parse((await made.service('status', '--json')).stdout);
  t.match(status, { runningBy: 'program', version: '0.1.0' });
  t.match(await made.service('restart'), {
    status: 0,
    stdout: /^Restarted the daemon as a process/,
    stderr: '',
  });
  t.match(await made.service('stop'), { status: 0, stdout: /^Stopped the daemon/, stderr: '' });
  t.match(await made.service('stop'), { status: 0, stdout: 'No daemon was running.\n' });
});

t.test('the files of a service are removed without a service manager', { skip: linuxOnly }, async (t) => {
  const made = home(t);
  t.match(await made.service('uninstall'), { status: 0, stdout: /not installed/, stderr: '' });
  const folder = join(made.home, '.config/systemd/user');
  const wants = { [SYSTEMD_UNIT]: 'default.target.wants', [SYSTEMD_SOCKET]: 'sockets.target.wants' };
  for (const [unit, target] of Object.entries(wants)) {
    mkdirSync(join(folder, target), { recursive: true });
    writeFileSync(join(folder, unit), '');
    symlinkSync(join(folder, unit), join(folder, target, unit));
  }
  t.match(await made.service('uninstall'), { status: 0, stdout: /^Removed the service/, stderr: '' });
  t.notOk(existsSync(join(made.home, '.config')));
});

t.test('the service commands refuse other paths and other users', async (t) => {
  const made = home(t);
  for (const env of [
    { CCWB_SOCKET: '/tmp/other.sock' },
    { CCWB_CONFIG: '/tmp/config.json' },
    { SUDO_UID: String((process.getuid?.() ?? 0) + 1) },
  ]) {
    for (const command of ['install', 'uninstall', 'start', 'stop', 'restart', 'status']) {
      const { status, stderr } = await made.run('bedrock-auth', ['service', command], { env });
      t.equal(status, 2, command);
      t.match(stderr, TWO_LINES);
    }
  }
});
