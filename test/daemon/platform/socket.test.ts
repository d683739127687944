import { type ChildProcess, fork } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { type ListeningSocket, listen, systemdSocket } from '../../../daemon/platform/socket.ts';
import { isListening } from '../../../protocol/client.ts';
import { CcwbError } from '../../../protocol/errors.ts';
import { codeOf, rejection } from '../../../tools/support/daemon-edges.ts';
import { ask, rawServer, shortDirectory } from '../fixtures/sockets.ts';

const root = process.getuid?.() === 0;
const needsRoot = root ? false : 'only root can make files of another user';
const STRANGER = 65_534;
const LISTEN_CHILD = fileURLToPath(new URL('../fixtures/listen-child.js', import.meta.url));

type T = { teardown(action: () => unknown): void };

function answering(t: T): Server {
  const server = createServer((_, response) => response.end('{"protocol":1}'));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return server;
}

/** What daemon.ts does at its end. */
async function stop(server: Server, listening: ListeningSocket): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
  listening.release();
}

function message(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`the child ended with ${code}`)));
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });
}

t.test('only this user can access the socket and its directory', async (t) => {
  const directory = join(shortDirectory(t), 'a', 'b');
  const path = join(directory, 'd.sock');
  const before = process.umask(0);
  t.teardown(() => process.umask(before));
  const server = answering(t);
  const listening = await listen(server, { path });
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(statSync(directory).mode & 0o777, 0o700);
  t.equal(statSync(`${path}.lock`).mode & 0o777, 0o600);
  t.equal((await ask(path)).status, 200);
  await stop(server, listening);
  t.notOk(existsSync(path), 'gone at the end');
  t.equal(await isListening(path), false);
});

t.test('a directory that others can access is refused', async (t) => {
  const cases: [string, (directory: string) => void, RegExp, skip?: string | false][] = [
    [
      'open to a group',
      (d) => {
        mkdirSync(d);
        chmodSync(d, 0o750);
      },
      /open to others \(mode 750\)/,
    ],
    [
      'open to all',
      (d) => {
        mkdirSync(d);
        chmodSync(d, 0o701);
      },
      /open to others \(mode 701\)/,
    ],
    [
      'a symbolic link',
      (d) => {
        mkdirSync(`${d}.real`, { mode: 0o700 });
        symlinkSync(`${d}.real`, d);
      },
      /symbolic link/,
    ],
    ['a file', (d) => writeFileSync(d, ''), /cannot be made \(EEXIST\)|is no directory/],
    [
      'of another user',
      (d) => {
        mkdirSync(d, { mode: 0o700 });
        chownSync(d, STRANGER, STRANGER);
      },
      /uid 65534/,
      needsRoot,
    ],
  ];
  for (const [name, make, problem, skip = false] of cases) {
    await t.test(name, { skip }, async (t) => {
      const directory = join(shortDirectory(t), 'run');
      make(directory);
      const server = answering(t);
      const error = await rejection(listen(server, { path: join(directory, 'd.sock') }));
      t.match(error, { code: 'ERR_SOCKET_UNSAFE', message: problem, fix: /run|CCWB_SOCKET/ });
      t.equal(server.listening, false);
      t.notOk(existsSync(join(directory, 'd.sock.lock')), 'nothing is written there');
    });
  }
});

t.test('a directory that cannot be created is an error with the path', async (t) => {
  const directory = shortDirectory(t);
  writeFileSync(join(directory, 'file'), '');
  const error = await rejection(listen(answering(t), { path: join(directory, 'file', 'run', 'd.sock') }));
  t.match(error, { code: 'ERR_SOCKET_UNSAFE', message: /cannot be made \(ENOTDIR\)/, fix: /CCWB_SOCKET/ });
});

t.test('a foreign file at the path is not touched', async (t) => {
  const cases: [string, (path: string) => unknown, skip?: string | false][] = [
    ['a file', (path) => writeFileSync(path, 'keep me')],
    ['a directory', (path) => mkdirSync(path)],
    [
      'a link to a file',
      (path) => {
        writeFileSync(`${path}.target`, 'keep me');
        symlinkSync(`${path}.target`, path);
      },
    ],
    [
      'a socket of another user',
      async (path) => {
        await staleSocket(path);
        chownSync(path, STRANGER, STRANGER);
      },
      needsRoot,
    ],
  ];
  for (const [name, make, skip = false] of cases) {
    await t.test(name, { skip }, async (t) => {
      const directory = shortDirectory(t);
      const path = join(directory, 'd.sock');
      await make(path);
      const before = lstatSync(path).ino;
      const error = await rejection(listen(answering(t), { path }));
      t.match(error, { code: 'ERR_SOCKET_UNSAFE', message: /not a socket of yours/, fix: /remove/ });
      t.equal(lstatSync(path).ino, before);
      if (existsSync(`${path}.target`)) t.equal(readFileSync(`${path}.target`, 'utf8'), 'keep me');
    });
  }
});

/** A socket file nobody listens on, as a killed daemon leaves it. */
async function staleSocket(path: string): Promise<void> {
  const server = createNetServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  // Node unlinks the path it listened on; a kill does not.
  const { linkSync, renameSync } = await import('node:fs');
  linkSync(path, `${path}.kept`);
  await new Promise((resolve) => server.close(resolve));
  renameSync(`${path}.kept`, path);
}

t.test('a stale socket is replaced', async (t) => {
  const path = join(shortDirectory(t), 'd.sock');
  await staleSocket(path);
  t.ok(lstatSync(path).isSocket());
  const server = answering(t);
  const listening = await listen(server, { path });
  t.equal((await ask(path)).status, 200);
  await stop(server, listening);
});

t.test('a daemon starts after another one was killed', async (t) => {
  const path = join(shortDirectory(t), 'd.sock');
  const child = fork(LISTEN_CHILD, [path]);
  t.equal(await message(child), 'listening');
  t.equal(await codeOf(listen(answering(t), { path })), 'ERR_DAEMON_RUNNING');
  child.kill('SIGKILL');
  await ended(child);
  t.ok(existsSync(path), 'it left its socket behind');
  const server = answering(t);
  const listening = await listen(server, { path });
  t.equal((await ask(path)).status, 200);
  await stop(server, listening);
});

t.test('a second daemon is refused and harms nothing', async (t) => {
  const path = join(shortDirectory(t), 'd.sock');
  const first = answering(t);
  const listening = await listen(first, { path });
  const inode = lstatSync(path).ino;
  const error = await rejection(listen(answering(t), { path }));
  t.match(error, { code: 'ERR_DAEMON_RUNNING', message: path });
  t.equal(lstatSync(path).ino, inode);
  t.equal((await ask(path)).status, 200);
  await stop(first, listening);
  const second = answering(t);
  const succeeding = await listen(second, { path });
  t.equal((await ask(path)).status, 200, 'once the first has stopped the way is free');
  await stop(second, succeeding);
});

t.test('of ten daemons started at once exactly one serves', async (t) => {
  t.test('in one process', async (t) => {
    const path = join(shortDirectory(t), 'd.sock');
    const servers = Array.from({ length: 10 }, () => answering(t));
    const results = await Promise.allSettled(servers.map((server) => listen(server, { path })));
    t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const result of results) {
      if (result.status === 'rejected') t.match(result.reason, { code: 'ERR_DAEMON_RUNNING' });
    }
    t.equal(servers.filter((server) => server.listening).length, 1);
    t.equal((await ask(path)).status, 200);
    for (const result of results) if (result.status === 'fulfilled') result.value.release();
  });
  t.test('in ten, over a stale socket', async (t) => {
    const path = join(shortDirectory(t), 'd.sock');
    await staleSocket(path);
    const children = Array.from({ length: 10 }, () => fork(LISTEN_CHILD, [path]));
    t.teardown(() => {
      for (const child of children) child.kill('SIGKILL');
    });
    const said = await Promise.all(children.map(message));
    t.same(said.sort(), [...Array.from({ length: 9 }, () => 'ERR_DAEMON_RUNNING'), 'listening']);
    t.equal((await ask(path)).status, 200);
    for (const child of children) child.send('end');
    await Promise.all(children.map(ended));
  });
});

t.test('another program that listens at the path is not touched', async (t) => {
  const path = join(shortDirectory(t), 'd.sock');
  const stranger = await rawServer(t, path, (socket) => socket.end('220 not our daemon\r\n'));
  const inode = lstatSync(path).ino;
  const code = await codeOf(listen(answering(t), { path }).then((listening) => listening.release()));
  t.not(code, 'no error', 'listening fails');
  t.equal(lstatSync(path, { throwIfNoEntry: false })?.ino, inode, 'its socket stays');
  await stranger.close();
});

t.test('releasing never removes the socket of a successor', async (t) => {
  const path = join(shortDirectory(t), 'd.sock');
  const server = answering(t);
  const listening = await listen(server, { path });
  await new Promise((resolve) => server.close(resolve));
  const successor = answering(t);
  await new Promise<void>((resolve) => successor.listen(path, resolve));
  listening.release();
  const status = await ask(path).then(
    (reply) => reply.status,
    (error: NodeJS.ErrnoException) => error.code,
  );
  t.equal(status, 200, 'also when it was given the same inode number');
});

t.test('a lock that cannot be taken safely is an error', async (t) => {
  const directory = shortDirectory(t);
  const path = join(directory, 'd.sock');
  symlinkSync(join(directory, 'elsewhere'), `${path}.lock`);
  const error = await rejection(listen(answering(t), { path }));
  t.ok(error);
  t.notOk(existsSync(join(directory, 'elsewhere')), 'nothing is written through the link');
  t.ok(error instanceof CcwbError, 'an error of ours that names the file');
});

t.test('a socket of the service manager', async (t) => {
  t.test('is taken over when it is for this process', async (t) => {
    const pid = 4711;
    t.same(systemdSocket({ LISTEN_PID: '4711', LISTEN_FDS: '1' }, pid), { fd: 3 });
    t.equal(systemdSocket({}, pid), undefined);
    t.equal(systemdSocket({ LISTEN_PID: '4712', LISTEN_FDS: '1' }, pid), undefined, 'for a parent of ours');
    t.equal(systemdSocket({ LISTEN_FDS: '1' }, pid), undefined);
  });
  t.test('is refused when it is not exactly one', async (t) => {
    for (const LISTEN_FDS of ['0', '2', '', 'x', undefined]) {
      const env = { LISTEN_PID: '4711', LISTEN_FDS };
      t.throws(() => systemdSocket(env, 4711), { code: 'ERR_SOCKET_UNSAFE', fix: /./ });
    }
  });
  t.test('is listened on and never removed', async (t) => {
    const directory = shortDirectory(t);
    const path = join(directory, 'd.sock');
    const manager = createNetServer();
    await new Promise<void>((resolve) => manager.listen(path, resolve));
    t.teardown(() => manager.close());
    const handle: unknown = Reflect.get(manager, '_handle');
    const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
    if (typeof fd !== 'number') throw new Error('this Node shows no descriptor of its servers');
    const child = fork(fileURLToPath(new URL('../fixtures/inherit-child.js', import.meta.url)), [], {
      stdio: ['ignore', 'inherit', 'inherit', fd, 'ipc'],
    });
    t.equal(await message(child), 'listening');
    manager.close();
    t.notOk(existsSync(path), 'the test\u2019s own server took its file away');
    child.send('end');
    t.equal(await message(child), 'released');
    await ended(child);
    t.same(readdirSync(directory), [], 'and no lock file was made');
  });
});
