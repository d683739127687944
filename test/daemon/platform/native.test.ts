import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, cpSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { macosProcess, macosProgram, peerCredentials, tryLock } from '../../../daemon/platform/native.ts';
import { noNodeOfOtherUser, OTHER_USER } from '../../fixtures/other-user.ts';
import { shortDirectory } from '../fixtures/sockets.ts';

const LINUX = process.platform === 'linux' ? false : 'needs Linux';

t.test('a lock belongs to one descriptor until it is closed', async (t) => {
  const path = join(t.testdir({ lock: '' }), 'lock');
  const first = openSync(path, 'r+');
  const second = openSync(path, 'r+');
  t.equal(tryLock(first), true);
  t.equal(tryLock(second), false, 'the second does not wait');
  t.equal(tryLock(first), true, 'its owner may ask again');
  closeSync(first);
  t.equal(tryLock(second), true);
  closeSync(second);
});

t.test('a descriptor that is not open cannot be locked', async (t) => {
  t.equal(tryLock(1_000_000), false);
});

const descriptorOf = (socket: Socket): number =>
  (socket as unknown as { _handle: { fd: number } })._handle.fd;

/** Accepts one connection on a Unix socket, a port, or whatever `listen` takes. */
async function accepted(t: { teardown(action: () => unknown): void }, where: string | { port: number }) {
  const server = createServer({ pauseOnConnect: true });
  await new Promise<void>((resolve) => server.listen(where, resolve));
  t.teardown(() => server.close());
  const connection = new Promise<Socket>((resolve) => server.once('connection', resolve));
  return { server, connection };
}

t.test('the peer of a connection is identified', { skip: LINUX }, async (t) => {
  const path = join(shortDirectory(t), 's');
  const { connection } = await accepted(t, path);
  const child = spawn(process.execPath, ['-e', `require('net').connect(${JSON.stringify(path)})`], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const socket = await connection;
  const told = { pid: child.pid, uid: process.getuid?.(), gid: process.getgid?.() };
  t.same(peerCredentials(descriptorOf(socket)), told);
  child.kill('SIGKILL');
  await ended;
  t.same(peerCredentials(descriptorOf(socket)), told, 'also when it has gone');
  socket.destroy();
});

t.test('other descriptors have no peer', { skip: LINUX }, async (t) => {
  const { server, connection } = await accepted(t, { port: 0 });
  const { port } = server.address() as { port: number };
  const client = connect(port, '127.0.0.1');
  const socket = await connection;
  t.equal(peerCredentials(descriptorOf(socket)), undefined, 'TCP');
  client.destroy();
  socket.destroy();
  const file = openSync('/dev/null', 'r');
  t.equal(peerCredentials(file), undefined, 'a file');
  closeSync(file);
  t.equal(peerCredentials(-1), undefined, 'nothing');
  t.equal(peerCredentials(1_000_000), undefined, 'not open');
});

t.test('functions for macOS return undefined elsewhere', { skip: LINUX }, async (t) => {
  t.equal(macosProcess(process.pid), undefined);
  t.equal(macosProgram(process.pid), undefined);
});

type Hardened = { child: ChildProcess; said: { done: unknown[]; soft: string; hard: string } };

/** The compiled sources, where every user may read them. */
function readableCopy(t: { teardown(action: () => unknown): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'ccwb-t-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const js = fileURLToPath(new URL('../../..', import.meta.url));
  for (const part of ['daemon', 'protocol', 'common', 'test/daemon/fixtures'])
    cpSync(join(js, part), join(folder, part), { recursive: true });
  const modules = fileURLToPath(new URL('../../../../../node_modules', import.meta.url));
  for (const name of ['koffi', '@koromix'])
    cpSync(join(modules, name), join(folder, 'node_modules', name), { recursive: true });
  spawnSync('sh', ['-c', `printf '{"type":"module"}' >package.json; chmod -R a+rX .`], { cwd: folder });
  return folder;
}

async function harden(
  t: { teardown(action: () => unknown): void },
  script: string,
  user: { uid?: number; gid?: number } = {},
): Promise<Hardened> {
  // The test runner's own hooks would read files that another user may not.
  const child = spawn(
    '/bin/sh',
    ['-c', 'ulimit -c unlimited 2>/dev/null; exec "$0" "$1"', process.execPath, script],
    {
      ...user,
      cwd: '/',
      env: {},
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const said = await new Promise<string>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').once('data', resolve);
    child.once('exit', () => reject(new Error('it ended')));
  });
  return { child, said: JSON.parse(said) };
}

t.test('a hardened process leaves no core dump', { skip: LINUX }, async (t) => {
  const { said } = await harden(t, fileURLToPath(new URL('../fixtures/hardened-child.js', import.meta.url)));
  t.same(said, { done: [true, true], soft: '0', hard: '0' });
});

t.test(
  'the memory of a hardened process is closed to other programs of its user',
  { skip: LINUX || noNodeOfOtherUser },
  async (t) => {
    const folder = readableCopy(t);
    const look = (pid: number | undefined): string[] =>
      ['mem', 'environ', 'maps', 'fd', 'exe'].filter((name) => {
        const { status } = spawnSync(
          process.execPath,
          [
            '-e',
            `const { openSync, readlinkSync, readdirSync } = require('fs');
            const path = '/proc/${pid}/${name}';
            if ('${name}' === 'exe') readlinkSync(path);
            else if ('${name}' === 'fd') readdirSync(path);
            else openSync(path, 'r');`,
          ],
          { ...OTHER_USER, cwd: '/', env: {}, stdio: 'ignore' },
        );
        return status === 0;
      });
    const open = spawn('/bin/sleep', ['60'], { ...OTHER_USER, cwd: '/', stdio: 'ignore' });
    const ended = new Promise((resolve) => open.once('exit', resolve));
    t.teardown(async () => {
      open.kill('SIGKILL');
      await ended;
    });
    t.ok(look(open.pid).includes('environ'), 'that of another process is not');
    const { child, said } = await harden(
      t,
      join(folder, 'test/daemon/fixtures/hardened-child.js'),
      OTHER_USER,
    );
    t.same(said.done, [true, true]);
    t.equal(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1], '65534');
    t.same(look(child.pid), []);
  },
);
