import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { createDaemonClient } from '../../protocol/client.ts';
import { findTool, missing } from '../../tools/support/find-tool.ts';
import type { Installation } from '../../tools/support/installation.ts';
import type { Output } from '../../tools/support/output.ts';
import { noNodeOfOtherUser, noOtherUser, OTHER_USER } from '../fixtures/other-user.ts';
import { startWorld } from '../fixtures/world.ts';

// Programs that start one after the other, on a machine that may have other things to do.
t.setTimeout(120_000);

const curl = findTool('/usr/bin/curl');
const SKIP = noOtherUser || missing({ curl });
const CREDENTIALS = 'http://localhost/v1/profiles/ClaudeCode/credentials';

type User = { uid?: number; gid?: number };

/** curl's exit status and what it printed, as the user given; no user: as whoever runs the tests. */
async function ask(socket: string, user: User = {}, url = CREDENTIALS) {
  const args = ['-q', '-s', '-i', '--max-time', '20', '--unix-socket', socket, url];
  const child = spawn(curl ?? '', args, { ...user, cwd: '/', env: {}, stdio: ['ignore', 'pipe', 'ignore'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, stdout };
}

/** As a careless script might: opens the way to the socket, and the socket, to everybody. */
function openToAll({ home, socket }: Installation): void {
  for (let path = dirname(socket); path.startsWith(home); path = dirname(path)) chmodSync(path, 0o755);
  chmodSync(socket, 0o666);
}

t.test(
  'another user is refused by the permissions, and without them by the daemon',
  { skip: SKIP },
  async (t) => {
    const { home } = await startWorld(t);
    t.equal((await home.run(home.program('bedrock-auth'), ['login'])).status, 0);
    t.match(
      await ask(home.socket),
      { status: 0, stdout: /^HTTP\/1\.1 200 .*"SecretAccessKey"/s },
      'its own user',
    );

    const outside = await ask(home.socket, OTHER_USER);
    t.equal(outside.status, 7, 'curl: failed to connect');
    t.equal(outside.stdout, '');

    openToAll(home);
    const routes = ['/v1/version', '/v1/status', '/v1/profiles/ClaudeCode/id-token', '/nothing'];
    for (const url of [CREDENTIALS, ...routes.map((path) => `http://localhost${path}`)]) {
      const { status, stdout } = await ask(home.socket, OTHER_USER, url);
      t.equal(status, 0, url);
      const [head = '', body = ''] = stdout.split('\r\n\r\n');
      t.match(head, /^HTTP\/1\.1 403 /);
      t.match(JSON.parse(body), {
        error: {
          code: 'ERR_REQUEST_REFUSED',
          message: 'this daemon serves uid 0; the connection came from uid 65534',
        },
      });
    }
    t.match(await ask(home.socket), { stdout: /^HTTP\/1\.1 200 / }, 'its own user is served all the while');

    const log = await home.daemonLog();
    const refusals = log.split('\n').filter((line) => line.includes('connection of another user refused'));
    t.equal(refusals.length, 1, 'logged once, however often it was tried');
    t.match(JSON.parse(refusals[0] ?? ''), { level: 'warn', uid: 65_534 });
    // Stopping, it writes what it has gathered.
    await home.endDaemon();
    const audit = readFileSync(join(home.directory, 'logs/audit.jsonl'), 'utf8');
    t.notMatch(audit, '"uid":65534');
  },
);

/** Runs Node.js as the other user until the test ends; ready when it has printed something. */
async function startAsOther(
  t: Test,
  args: string[],
  env: Record<string, string> = {},
): Promise<ChildProcess> {
  const child = spawn(process.execPath, args, {
    ...OTHER_USER,
    cwd: '/',
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve());
    child.once('exit', () => reject(new Error('it ended')));
  });
  child.stdout?.resume();
  return child;
}

/** A directory that everybody may enter, with a folder in it that belongs to the other user. */
function foreignFolder(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'ccwb-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  const folder = join(directory, 'theirs');
  mkdirSync(folder);
  chownSync(folder, OTHER_USER.uid, OTHER_USER.gid);
  return folder;
}

t.test(
  'root is refused as another user, and a daemon runs as a user other than root',
  { skip: SKIP || noNodeOfOtherUser },
  async (t) => {
    const world = await startWorld(t);
    const folder = foreignFolder(t);
    spawnSync('cp', ['-rL', join(world.home.directory, 'daemon'), join(folder, 'daemon')]);
    const socket = join(folder, 'run', 'd.sock');
    await startAsOther(t, [join(folder, 'daemon', 'index.js'), '--socket', socket], {
      HOME: folder,
      XDG_RUNTIME_DIR: join(folder, 'xdg'),
    });
    while ((await ask(socket, OTHER_USER, 'http://localhost/v1/version')).status !== 0)
      await new Promise((resolve) => setTimeout(resolve, 20));
    t.match((await ask(socket, OTHER_USER, 'http://localhost/v1/version')).stdout, /^HTTP\/1\.1 200 /);
    t.match(await ask(socket), {
      status: 0,
      stdout: /^HTTP\/1\.1 403 .*serves uid 65534; the connection came from uid 0"/s,
    });
  },
);

/** Answers everything with credentials of its own making, as somebody would who wants to be mistaken for us. */
const IMPOSTOR = `
  const credentials = { Version: 1, AccessKeyId: 'ASIAIMPOSTOR', SecretAccessKey: 'x', SessionToken: 'x',
    Expiration: '2099-01-01T00:00:00Z' };
  process.umask(0);
  require('http').createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(credentials));
  }).listen(process.argv[1], () => console.log('ready'));`;

function isRefusal(t: Test, name: string, { status, stdout, stderr }: Output): void {
  t.equal(status, 1, name);
  t.equal(stdout, '', name);
  t.match(stderr, /belongs to uid 65534; it must belong to uid 0 \(ERR_SOCKET_UNSAFE\)\n {2}fix: /, name);
}

t.test(
  "our programs send no request to another user's socket",
  { skip: SKIP || noNodeOfOtherUser },
  async (t) => {
    const { home } = await startWorld(t);
    const theirs = join(foreignFolder(t), 'daemon.sock');
    await startAsOther(t, ['-e', IMPOSTOR, theirs]);
    t.match(await ask(theirs), { stdout: /ASIAIMPOSTOR/ }, 'it would answer');
    const ours = join(home.home, 'run', 'claude-code-with-bedrock');
    mkdirSync(ours, { mode: 0o700 });
    chownSync(ours, OTHER_USER.uid, OTHER_USER.gid);
    chmodSync(home.home, 0o755);
    chmodSync(dirname(ours), 0o755);
    await startAsOther(t, ['-e', IMPOSTOR, home.socket]);

    for (const env of [{ CCWB_SOCKET: theirs }, undefined]) {
      const options = env ? { env } : {};
      const where = env ? 'named by a variable' : 'at the usual place';
      const run = (name: Parameters<Installation['program']>[0], ...args: string[]) =>
        home.run(home.program(name), args, options);
      isRefusal(t, `credential-process ${where}`, await run('credential-process', '--profile', 'ClaudeCode'));
      isRefusal(t, `bedrock-auth login ${where}`, await run('bedrock-auth', 'login'));
      isRefusal(t, `bedrock-auth logout ${where}`, await run('bedrock-auth', 'logout'));
      t.match(await run('otel-helper'), { status: 0, stdout: '{}\n' }, `otel-helper ${where}`);
      const daemon = await run('bedrock-authd');
      t.equal(daemon.status, 1, `bedrock-authd ${where}`);
      t.match(
        daemon.stderr,
        /belongs to uid 65534.*\(ERR_SOCKET_UNSAFE\)\n {2}fix: /,
        `bedrock-authd ${where}`,
      );
    }
    const socketOnly = join(mkdtempSync(join(tmpdir(), 'ccwb-')), 'd.sock');
    t.teardown(() => rmSync(dirname(socketOnly), { recursive: true, force: true }));
    chmodSync(dirname(socketOnly), 0o777);
    await startAsOther(t, ['-e', IMPOSTOR, socketOnly]);
    chmodSync(dirname(socketOnly), 0o700);
    const error = await createDaemonClient(socketOnly)
      .ask({ route: 'version' })
      .catch((thrown: unknown) => thrown);
    t.match(
      error,
      { code: 'ERR_SOCKET_UNSAFE', message: /d\.sock belongs to uid 65534/ },
      'in a directory of ours',
    );
    const shim = await home.run(home.program('credential-process'), ['--profile', 'ClaudeCode'], {
      env: { CCWB_SOCKET: socketOnly },
    });
    isRefusal(t, 'credential-process, in a directory of ours', shim);
  },
);
