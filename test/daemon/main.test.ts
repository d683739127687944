import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { createDaemonClient } from '../../protocol/client.ts';
import { BUILD_VERSION } from '../../protocol/version.ts';
import { shortDirectory } from './fixtures/sockets.ts';

const MAIN = fileURLToPath(new URL('../../daemon/main.js', import.meta.url));

type Ended = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string };
type Running = { child: ChildProcess; ended: Promise<Ended>; stdout(): string; stderr(): string };

function run(directory: string, flags: string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [MAIN, ...flags], {
    env: { PATH: process.env.PATH, HOME: directory, XDG_RUNTIME_DIR: join(directory, 'run'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended, stdout: () => stdout, stderr: () => stderr };
}

/** A daemon that serves; ended at the latest with the test. */
async function serve(
  t: { teardown(action: () => unknown): void },
  flags: string[] = [],
  env: Record<string, string> = {},
) {
  const directory = shortDirectory(t);
  const socket = join(directory, 'run', 'claude-code-with-bedrock', 'daemon.sock');
  const running = run(directory, flags, env);
  t.teardown(async () => {
    running.child.kill('SIGKILL');
    await running.ended;
  });
  const client = createDaemonClient(socket);
  await client.ask({ route: 'version', startingMs: 30_000 });
  return { ...running, directory, socket, client };
}

t.test('help and version need no configuration', async (t) => {
  const directory = shortDirectory(t);
  for (const flag of ['--help', '-h']) {
    const { code, stdout, stderr } = await run(directory, [flag]).ended;
    t.equal(code, 0);
    t.match(stdout, /^bedrock-authd: [\s\S]*--tick-seconds N/);
    t.equal(stderr, '');
  }
  for (const flag of ['--version', '-v'])
    t.match(await run(directory, [flag]).ended, { code: 0, stdout: `${BUILD_VERSION}\n`, stderr: '' });
  t.notOk(existsSync(join(directory, 'run')), 'nothing was made');
});

t.test('wrong usage exits with 2 and says what to do', async (t) => {
  const directory = shortDirectory(t);
  const wrong = [
    ['--nonsense'],
    ['extra'],
    ['--socket'],
    ...['0', '31', '1.5', 'x', '-1', ''].map((seconds) => [`--tick-seconds=${seconds}`]),
  ];
  const ends = await Promise.all(wrong.map((flags) => run(directory, flags).ended));
  for (const [index, { code, stdout, stderr }] of ends.entries()) {
    t.equal(code, 2, wrong[index]?.join(' ') ?? '');
    t.match(stderr, /^bedrock-authd: .* \(ERR_USAGE\)\n {2}fix: run bedrock-authd --help\n$/);
    t.equal(stdout, '');
  }
});

t.test('an unusable socket path exits with 1 and says what to do', async (t) => {
  const directory = shortDirectory(t);
  writeFileSync(join(directory, 'file'), '');
  const cases: [string[], Record<string, string>, RegExp][] = [
    [['--socket', `/tmp/${'x'.repeat(120)}`], {}, /ERR_SOCKET_PATH/],
    [['--socket', 'relative.sock'], {}, /ERR_SOCKET_PATH/],
    [['--socket', join(directory, 'file', 'd.sock')], {}, /ERR_SOCKET_UNSAFE/],
  ];
  for (const [flags, env, message] of cases) {
    const { code, stderr } = await run(directory, flags, env).ended;
    t.equal(code, 1, flags.join(' '));
    t.match(stderr, message);
    t.match(stderr, /\n {2}fix: /);
  }
});

t.test('the daemon serves the default socket and logs it', async (t) => {
  const { client, stdout, child, ended, socket } = await serve(t);
  t.match(await client.ask({ route: 'version' }), { build: BUILD_VERSION, pid: child.pid });
  t.equal(statSync(socket).mode & 0o777, 0o600);
  const started = stdout()
    .split('\n')
    .find((line) => line.includes('daemon started'));
  t.match(JSON.parse(started ?? '{}'), { level: 'info', pid: child.pid, socket });
  child.kill('SIGTERM');
  t.match(await ended, { code: 0, signal: null, stderr: '' });
  t.notOk(existsSync(socket));
});

t.test('flags choose socket, configuration and log', async (t) => {
  const directory = shortDirectory(t);
  const [socket, config, log] = ['own/d.sock', 'own.json', 'logs/d.log'].map((name) => join(directory, name));
  if (!socket || !config || !log) throw new Error('no paths');
  writeFileSync(config, '{"profiles":{"A":{}}}');
  const running = run(directory, [
    '--socket',
    socket,
    '--config',
    config,
    '--log-file',
    log,
    '--tick-seconds',
    '1',
  ]);
  t.teardown(async () => {
    running.child.kill('SIGKILL');
    await running.ended;
  });
  const client = createDaemonClient(socket);
  const status = await client.ask({ route: 'status', startingMs: 30_000 });
  t.match(status, { config, profiles: [{ profile: 'A', state: 'misconfigured' }] });
  running.child.kill('SIGTERM');
  t.match(await running.ended, { code: 0, stdout: '', stderr: '' }, 'nothing on the standard streams');
  t.equal(statSync(log).mode & 0o777, 0o600);
  t.match(readFileSync(log, 'utf8'), /daemon started[\s\S]*daemon stopped/);
});

t.test('SIGINT stops the daemon, SIGHUP and SIGUSR1 do nothing', async (t) => {
  const { client, child, ended, stderr } = await serve(t);
  child.kill('SIGHUP');
  child.kill('SIGUSR1');
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.ok(await client.ask({ route: 'version' }));
  t.notMatch(stderr(), /Debugger/, 'no debugger on a port');
  child.kill('SIGINT');
  t.match(await ended, { code: 0, signal: null });
});

t.test('a second daemon exits with 0', async (t) => {
  const { directory, client, child } = await serve(t);
  const { code, stderr } = await run(directory, []).ended;
  t.equal(code, 0);
  t.equal(stderr, '');
  t.match(await client.ask({ route: 'version' }), { pid: child.pid });
});

t.test('a daemon starts after another one was killed', async (t) => {
  const { directory, child, ended, client, socket } = await serve(t);
  child.kill('SIGKILL');
  await ended;
  t.ok(existsSync(socket), 'it left its socket');
  const next = run(directory, []);
  t.teardown(async () => {
    next.child.kill('SIGKILL');
    await next.ended;
  });
  t.match(await client.ask({ route: 'version', startingMs: 30_000 }), { pid: next.child.pid });
});

t.test('sockets that the service manager passed wrongly are refused', async (t) => {
  const directory = shortDirectory(t);
  // The shell tells the process its own pid, as a service manager would.
  const child = spawn('sh', ['-c', 'LISTEN_PID=$$ LISTEN_FDS=2 exec "$@"', '_', process.execPath, MAIN], {
    env: { PATH: process.env.PATH, HOME: directory, XDG_RUNTIME_DIR: join(directory, 'run') },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  t.equal(code, 1);
  t.match(stderr, /ERR_SOCKET_UNSAFE.*\n {2}fix: ./);
});

t.test('the daemon starts without a configuration', async (t) => {
  const { client } = await serve(t);
  t.match(await client.ask({ route: 'status' }).catch((error: unknown) => error), {
    code: 'ERR_CONFIG_MISSING',
    fix: /install\.sh/,
  });
});
