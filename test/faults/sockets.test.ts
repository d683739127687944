import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { tryLock } from '../../daemon/platform/native.ts';
import { until } from '../fixtures/until.ts';
import { type Allowed, logText, nothingLost, startRunning } from './running.ts';
import { type Findings, faultGroup } from './table.ts';

const fault = faultGroup(t, 'sockets');
const running = await startRunning(t);
const { home, sandbox } = running;
const notRoot = process.getuid?.() === 0 ? false : 'needs root, to give a file to another user';
const NOBODY = 65534;

/** Nothing may be lost whatever happens to the socket; the log is told as far as the daemon lived. */
const atSocket = (
  name: string,
  body: (t: Test, findings: Findings) => Promise<Allowed | undefined>,
  skip: string | false = false,
): void =>
  fault(
    name,
    async (t, findings) => {
      const before = await running.snapshot();
      const allowed = await body(t, findings);
      t.equal((await running.call()).status, 0, 'and the next caller gets credentials');
      findings.log(logText(await running.logSince(before)));
      findings.survived(await nothingLost(t, running, before, allowed));
    },
    { skip },
  );

/** While no daemon runs: `spoil` the place of the socket, see what a caller gets, and mend it again. */
const spoilt = (
  name: string,
  spoil: () => Promise<void>,
  mend: () => Promise<void>,
  code: RegExp,
  skip: string | false = false,
): void =>
  atSocket(
    name,
    async (t, findings) => {
      await home.endDaemon();
      await spoil();
      const call = await running.call();
      t.match(call, { status: 1, code, stdout: '' });
      t.equal(call.stderr.trimEnd().split('\n').length, 2, call.stderr);
      findings.caller(call.text);
      await mend();
      await running.startDaemon();
      return { restarted: true };
    },
    skip,
  );

const { socket } = home;
const directory = dirname(socket);
const START = /^ERR_(DAEMON_START|SOCKET_UNSAFE|DAEMON_UNREACHABLE)$/;

atSocket('a socket that a killed daemon left', async (t, findings) => {
  await home.endDaemon('SIGKILL');
  t.ok((await lstat(socket)).isSocket());
  const call = await running.call();
  t.equal(call.status, 0, call.stderr);
  findings.caller(call.text);
  await running.restartDaemon();
  return { restarted: true };
});
spoilt(
  'a file at the path of the socket',
  () => writeFile(socket, 'somebody needs this'),
  () => rm(socket),
  START,
);
spoilt(
  'a directory at the path of the socket',
  () => mkdir(socket, { recursive: true }).then(() => {}),
  () => rm(socket, { recursive: true }),
  START,
);
spoilt(
  'the directory of the socket is a symbolic link',
  async () => {
    await rename(directory, `${directory}.real`);
    await symlink(`${directory}.real`, directory);
  },
  async () => {
    await rm(directory);
    await rename(`${directory}.real`, directory);
  },
  START,
);
spoilt(
  'the directory of the socket is open to others',
  () => chmod(directory, 0o755),
  () => chmod(directory, 0o700),
  START,
);
spoilt(
  'the directory of the socket belongs to another user',
  () => chown(directory, NOBODY, NOBODY),
  () => chown(directory, 0, 0),
  START,
  notRoot,
);
spoilt(
  'the lock beside the socket is a symbolic link',
  async () => {
    await rm(`${socket}.lock`, { force: true });
    await symlink('/dev/null', `${socket}.lock`);
  },
  () => rm(`${socket}.lock`),
  START,
);
atSocket(
  'the socket belongs to another user',
  async (t, findings) => {
    await chown(socket, NOBODY, NOBODY);
    const call = await running.call();
    t.match(call, { status: 1, code: 'ERR_SOCKET_UNSAFE', stdout: '' });
    findings.caller(call.text);
    await chown(socket, 0, 0);
    return undefined;
  },
  notRoot,
);
atSocket('a path of the socket that is too long', async (t, findings) => {
  const call = await running.call({ env: { CCWB_SOCKET: `${directory}/${'x'.repeat(120)}` } });
  t.match(call, { status: 1, code: 'ERR_SOCKET_PATH', stdout: '' });
  findings.caller(call.text.replace(/x{100,}/, 'x…'));
  return undefined;
});
/** Callers that found nobody have started daemons, which leave once they find the first one; a slow machine's late. */
async function oneIsLeft(): Promise<void> {
  const isOurs = (command: string): boolean => command.includes(join(home.directory, 'daemon/index.js'));
  const commands = async (): Promise<string[]> =>
    Promise.all(
      (await readdir('/proc').catch(() => []))
        .filter((name) => /^\d+$/.test(name))
        .map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
    );
  await until(async () => (await commands()).filter(isOurs).length <= 1);
}
const exists = async (path: string): Promise<boolean> =>
  (await lstat(path).catch(() => undefined)) !== undefined;

atSocket("the socket's file is removed while the daemon runs", async (t, findings) => {
  await rm(socket);
  const call = await running.call();
  t.equal(call.status, 0, call.stderr);
  findings.caller(call.text);
  await oneIsLeft();
  return undefined;
});
atSocket("the socket's file and its lock are removed while the daemon runs", async (t, findings) => {
  await Promise.all([rm(socket), rm(`${socket}.lock`)]);
  await until(async () => (await exists(socket)) && (await exists(`${socket}.lock`)));
  const call = await running.call();
  t.equal(call.status, 0, call.stderr);
  findings.caller(call.text);
  return undefined;
});
atSocket("the socket's file is removed, and something else stands there", async (t, findings) => {
  await writeFile(`${socket}.new`, 'somebody needs this');
  await rename(`${socket}.new`, socket);
  const call = await running.call();
  t.match(call, { status: 1, code: START, stdout: '' });
  findings.caller(`${call.text}; exit 0 once it is gone`);
  t.equal(await readFile(socket, 'utf8'), 'somebody needs this');
  await rm(socket);
  await until(async () => (await lstat(socket).catch(() => undefined))?.isSocket());
  await oneIsLeft();
  return undefined;
});

fault('another process asks for the lock of a running daemon', async (t, findings) => {
  const lock = openSync(`${socket}.lock`, 'r+');
  t.equal(tryLock(lock), false, 'the installed daemon holds it');
  closeSync(lock);
  findings.caller('refused');
  findings.survived('one daemon for each socket');
});
atSocket('two daemons at once', async (t, findings) => {
  await home.endDaemon('SIGKILL');
  findings.caller(await startMany(t, 2));
  return { restarted: true };
});
atSocket('ten daemons at once, over the socket of a killed one', async (t, findings) => {
  await home.endDaemon('SIGKILL');
  findings.caller(await startMany(t, 10));
  return { restarted: true };
});

async function startMany(t: Test, count: number): Promise<string> {
  const children = Array.from({ length: count }, () =>
    home.start(home.program('bedrock-authd'), ['--tick-seconds', '1']),
  );
  const left = (): number[] => children.flatMap(({ exitCode }) => (exitCode === null ? [] : [exitCode]));
  for (const child of children) {
    child.stdout?.resume();
    child.stderr?.resume();
  }
  await until(() => left().length === count - 1);
  t.same(
    left().filter((status) => status !== 0),
    [],
    'the others leave with exit 0',
  );
  const { pid } = await home.client.ask<{ pid: number }>({ route: 'version', startingMs: 60_000 });
  t.ok(
    children.some((child) => child.pid === pid && child.exitCode === null),
    `one of them serves: ${pid} of ${children.map((child) => `${child.pid} ${child.exitCode}`)}`,
  );
  // With a log of its own again.
  await running.restartDaemon();
  return `one serves, ${count - 1} leave with exit 0`;
}

atSocket('200 callers at once with a session', async (t, findings) => {
  const calls = await Promise.all(Array.from({ length: 200 }, () => running.call()));
  t.equal(calls.filter(({ status }) => status === 0).length, 200);
  t.equal(new Set(calls.map(({ key }) => key)).size, 1, 'the same credentials');
  findings.caller('200 times exit 0, the same credentials');
  return undefined;
});
atSocket('50 callers at once, no daemon and nobody signed in', async (t, findings) => {
  await home.run(home.program('bedrock-auth'), ['logout']);
  await home.endDaemon();
  const calls = await Promise.all(Array.from({ length: 50 }, () => running.call({ signIn: true })));
  const failed = calls.find(({ status }) => status !== 0);
  t.equal(failed, undefined, failed?.stderr ?? 'all exit with 0');
  t.equal(new Set(calls.map(({ key }) => key)).size, 1, 'the same credentials');
  findings.caller('50 times exit 0, the same credentials');
  await running.restartDaemon();
  return { restarted: true, pages: 1 };
});

/** Opens connections that behave as told; they are cut at the end of the test at the latest. */
async function connections(t: Test, count: number, first?: string | Buffer): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(socket));
  t.teardown(() => sockets.map((one) => one.destroy()));
  for (const one of sockets) one.on('error', () => {});
  await Promise.all(sockets.map((one) => once(one, 'connect')));
  for (const one of sockets) if (first) one.write(first);
  return sockets;
}

async function othersAreServed(t: Test): Promise<void> {
  const calls = await Promise.all([running.call(), running.call(), running.call()]);
  for (const { status, stderr } of calls) t.equal(status, 0, stderr);
}

atSocket('500 clients that connect and say nothing', async (t, findings) => {
  const sockets = await connections(t, 500);
  await othersAreServed(t);
  for (const one of sockets) one.resume();
  await Promise.all(sockets.map((one) => one.closed || once(one, 'close')));
  findings.caller('the silent are cut after a while, others exit 0 meanwhile');
  return undefined;
});
atSocket('100 clients that send half a request', async (t, findings) => {
  const sockets = await connections(t, 100, 'GET /v1/profiles/ClaudeCode/credentials HTTP/1.1\r\nHos');
  await othersAreServed(t);
  for (const one of sockets) one.resume();
  await Promise.all(sockets.map((one) => one.closed || once(one, 'close')));
  findings.caller('they are cut after a while, others exit 0 meanwhile');
  return undefined;
});
atSocket('a header of 10 MB', async (t, findings) => {
  const [one] = await connections(
    t,
    1,
    `GET /v1/version HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(1e7)}`,
  );
  if (!one) throw new Error('no connection');
  let answer = '';
  one.setEncoding('latin1').on('data', (text: string) => {
    answer += text;
  });
  await until(() => one.closed);
  t.match(answer, /^(HTTP\/1\.1 431 |$)/);
  await othersAreServed(t);
  findings.caller('that client: cut or status 431; others exit 0');
  return undefined;
});
atSocket('a body of 10 MB', async (t, findings) => {
  const status = await new Promise<number | string>((resolve) => {
    const path = '/v1/profiles/ClaudeCode/sign-in';
    const headers = { host: 'localhost', 'content-type': 'application/json' };
    const asked = request({ socketPath: socket, method: 'POST', path, headers });
    asked.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'cut'));
    asked.once('response', (response) => resolve(response.statusCode ?? 0));
    asked.end(JSON.stringify({ automatic: true, canOpenPage: true, x: 'x'.repeat(1e7) }));
  });
  t.match(String(status), /^(400|413|ECONNRESET|EPIPE)$/);
  await othersAreServed(t);
  findings.caller('that client: cut or refused; others exit 0');
  return undefined;
});
atSocket('clients that speak no HTTP', async (t, findings) => {
  const sockets = await connections(t, 20, Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01]));
  for (const one of sockets) one.resume();
  await Promise.all(sockets.map((one) => one.closed || once(one, 'close')));
  await othersAreServed(t);
  findings.caller('they are cut, others exit 0');
  return undefined;
});
atSocket('200 clients that ask and leave without their answer', async (t, findings) => {
  sandbox.provider.setFault('token', { kind: 'slow', ms: 700 }, 1);
  await running.restartDaemon();
  const sent = await running.snapshot();
  const get = 'GET /v1/profiles/ClaudeCode/credentials HTTP/1.1\r\nHost: localhost\r\n\r\n';
  for (const one of await connections(t, 200, get)) one.destroy();
  await othersAreServed(t);
  const grants = sandbox.provider.counts.refreshGrants - sent.counts.refreshGrants;
  t.ok(grants <= 1, 'one refresh at most');
  findings.caller('others exit 0');
  return { restarted: true };
});
atSocket('1,000 requests on one connection whose answers nobody reads', async (t, findings) => {
  const [one] = await connections(t, 1, 'GET /v1/version HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(1_000));
  one?.pause();
  await othersAreServed(t);
  findings.caller('others exit 0');
  return undefined;
});
