import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { DAEMON_NODE_OPTIONS, daemonEnvironment } from '../../../shim/daemon/start-daemon.ts';
import { CREDENTIALS_LINE } from '../fixtures/fake-daemon.ts';
import { type Installation, installation } from '../fixtures/installation.ts';

// Many processes one after the other, on a machine that may have other things to do.
t.setTimeout(120_000);

type Tap = { teardown(fn: () => unknown): void };

/** An installation whose daemon, when one was started, ends with the test. */
function home(t: Tap): Installation & { starts(): number[] } {
  const made = installation();
  const starts = (): number[] => {
    const note = `${made.socket}.starts`;
    return existsSync(note) ? readFileSync(note, 'utf8').trim().split('\n').map(Number) : [];
  };
  mkdirSync(dirname(made.socket), { recursive: true, mode: 0o700 });
  t.teardown(() => {
    for (const pid of starts()) {
      try {
        process.kill(pid);
      } catch {
        // It has ended already.
      }
    }
    made.remove();
  });
  return { ...made, starts };
}

t.test('a caller without a daemon starts one and gets an answer', async (t) => {
  const made = home(t);
  const outcome = await made.run('credential-process', ['-p', 'ClaudeCode'], {
    env: { AWS_PROFILE: 'x', NODE_OPTIONS: '--no-warnings', SHELL_SECRET: 'x', https_proxy: 'http://p:1' },
    cwd: made.home,
  });
  t.strictSame(outcome, { status: 0, stdout: CREDENTIALS_LINE, stderr: '' });
  t.equal(made.starts().length, 1);

  const context = JSON.parse(readFileSync(`${made.socket}.context`, 'utf8'));
  t.equal(context.cwd, '/');
  t.equal(context.umask, 0o077);
  const log = join(made.directory, 'logs', 'daemon.log');
  t.strictSame(context.values, {
    socket: made.socket,
    config: join(made.directory, 'config.json'),
    'log-file': log,
  });
  t.match(context.env, { HOME: made.home, https_proxy: 'http://p:1' });
  t.strictSame(
    ['AWS_PROFILE', 'NODE_OPTIONS', 'SHELL_SECRET'].filter((name) => name in context.env),
    [],
  );
  t.equal(statSync(log).mode & 0o777, 0o600);
  t.equal(statSync(dirname(log)).mode & 0o777, 0o700);
  t.notOk(existsSync(join(dirname(log), 'daemon.starting')));

  const again = await made.run('credential-process');
  t.equal(again.stdout, CREDENTIALS_LINE);
  t.equal(made.starts().length, 1, 'the next caller finds it');
});

t.test('one daemon answers thirteen callers at once', async (t) => {
  const made = home(t);
  const outcomes = await Promise.all(
    Array.from({ length: 13 }, () => made.run('credential-process', ['-p', 'ClaudeCode'])),
  );
  t.strictSame(
    outcomes.filter(
      ({ status, stdout, stderr }) => status !== 0 || stdout !== CREDENTIALS_LINE || stderr !== '',
    ),
    [],
  );
  t.equal(made.starts().length, 1, 'one of them started it, the others waited');
});

t.test('a daemon that is slow to start is started only once', async (t) => {
  const made = home(t);
  const outcomes = await Promise.all(
    Array.from({ length: 5 }, () =>
      made.run('credential-process', ['-p', 'ClaudeCode'], { env: { CCWB_TEST_DAEMON: 'slow' } }),
    ),
  );
  t.strictSame(new Set(outcomes.map(({ stdout, stderr }) => stdout + stderr)), new Set([CREDENTIALS_LINE]));
  t.equal(made.starts().length, 1, 'the others wait for as long as the one that started it is there');
});

t.test('a stale lock does not prevent the start of the daemon', async (t) => {
  const ended = spawnSync('/bin/true').pid;
  for (const [name, text, writtenAt] of [
    ['of a process that has ended', `${ended}\n`, Date.now()],
    ['without its process', '', Date.now()],
    ['that is older than any start', `${process.pid}\n`, 0],
  ] as const) {
    const made = home(t);
    const mark = join(made.directory, 'logs', 'daemon.starting');
    mkdirSync(dirname(mark), { mode: 0o700 });
    writeFileSync(mark, text);
    utimesSync(mark, new Date(writtenAt), new Date(writtenAt));
    const outcome = await made.run('credential-process', ['-p', 'ClaudeCode']);
    t.equal(outcome.stdout, CREDENTIALS_LINE, name);
    t.notOk(existsSync(mark), 'it is taken over, and given back');
  }
});

t.test('a daemon that cannot start is reported with its last error', async (t) => {
  const made = home(t);
  const { status, stdout, stderr } = await made.run('credential-process', ['-p', 'ClaudeCode'], {
    env: { CCWB_TEST_DAEMON: 'broken' },
  });
  t.equal(status, 1);
  t.equal(stdout, '');
  t.match(
    stderr,
    /^credential-process: .*the daemon is broken on purpose.* \(ERR_DAEMON_START\)\n {2}fix: .+\n$/,
  );
});

t.test('a daemon that was killed without a log line is reported as killed', async (t) => {
  const made = home(t);
  const { status, stderr } = await made.run('credential-process', ['-p', 'ClaudeCode'], {
    env: { CCWB_TEST_DAEMON: 'killed' },
  });
  t.equal(status, 1);
  t.match(stderr, /the daemon could not be started: it was ended by SIGKILL \(ERR_DAEMON_START\)\n/);
});

t.test('an installation without its daemon is reported as incomplete', async (t) => {
  const made = home(t);
  rmSync(join(made.directory, 'daemon'), { recursive: true });
  const { status, stderr } = await made.run('credential-process', ['-p', 'ClaudeCode']);
  t.equal(status, 1);
  t.match(stderr, /daemon\/index\.js is missing \(ERR_DAEMON_START\)\n {2}fix: .+\n$/);
});

t.test('a log that cannot be written does not prevent the start of the daemon', async (t) => {
  const made = home(t);
  writeFileSync(join(made.directory, 'logs'), 'a file where the folder should be');
  const outcome = await made.run('credential-process', ['-p', 'ClaudeCode']);
  t.equal(outcome.stdout, CREDENTIALS_LINE);
  const context = JSON.parse(readFileSync(`${made.socket}.context`, 'utf8'));
  t.notOk('log-file' in context.values);
});

t.test('a stale socket does not make the caller hang', async (t) => {
  const made = home(t);
  const leave = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', leave, made.socket]);
  t.ok(existsSync(made.socket));
  // The stand-in does not clear it away as the real daemon does: its failure must not hang the caller.
  const { status, stderr } = await made.run('credential-process', ['-p', 'ClaudeCode']);
  t.equal(status, 1);
  t.match(stderr, 'ERR_DAEMON_START');
});

t.test(
  'a caller starts the daemon itself when the service manager does not answer',
  { skip: process.platform !== 'linux' && 'systemd' },
  async (t) => {
    const made = home(t);
    const units = join(made.home, '.config', 'systemd', 'user');
    mkdirSync(units, { recursive: true });
    writeFileSync(join(units, 'bedrock-authd.service'), '[Service]\nExecStart=/bin/false\n');
    const outcome = await made.run('credential-process', ['-p', 'ClaudeCode']);
    t.equal(outcome.stdout, CREDENTIALS_LINE);
  },
);

t.test('the environment of a daemon is an allow-list', async (t) => {
  const env = daemonEnvironment({
    HOME: '/home/jane',
    PATH: '/evil',
    LD_PRELOAD: 'x',
    NODE_OPTIONS: 'x',
    DISPLAY: ':0',
    AWS_PROFILE: 'x',
    AWS_ENDPOINT_URL: 'x',
    CCWB_CONFIG: '/c',
    NODE_EXTRA_CA_CERTS: '/ca.pem',
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/bus',
    XDG_RUNTIME_DIR: undefined,
  });
  t.strictSame(env, {
    HOME: '/home/jane',
    CCWB_CONFIG: '/c',
    NODE_EXTRA_CA_CERTS: '/ca.pem',
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/bus',
    PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
  });
});

t.test('every way to start the daemon uses the same options of Node.js', async (t) => {
  const launcher = readFileSync(
    fileURLToPath(new URL('../../../../app/bedrock-authd', import.meta.url)),
    'utf8',
  );
  t.match(launcher, `\nlaunch ${DAEMON_NODE_OPTIONS.join(' ')} daemon/index.js "$@"\n`);
  const { status, stderr } = spawnSync(process.execPath, [...DAEMON_NODE_OPTIONS, '--version']);
  t.equal(status, 0, String(stderr));
});
