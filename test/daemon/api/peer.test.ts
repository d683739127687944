import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, realpathSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { type Requester, requesterOf } from '../../../daemon/api/peer.ts';
import { peerCredentials } from '../../../daemon/platform/native.ts';
import { findTool } from '../../../tools/support/find-tool.ts';
import { shortDirectory } from '../fixtures/sockets.ts';

type T = { teardown(action: () => unknown): void };

const curl = findTool('/usr/bin/curl');
const SKIP =
  process.platform !== 'linux'
    ? 'needs Linux'
    : curl === undefined
      ? 'needs curl, not installed here'
      : false;
const own = { pid: process.pid, program: realpathSync(process.execPath) };
const uid = process.getuid?.() ?? -1;

/** A socket that answers every connection with an empty page, and says who each of them was. */
async function reception(t: T) {
  const directory = shortDirectory(t);
  const socket = join(directory, 's');
  const requesters: Requester[] = [];
  const server = createServer((connection: Socket) => {
    const { fd } = (connection as unknown as { _handle: { fd: number } })._handle;
    connection.once('data', () => {
      requesters.push(requesterOf(peerCredentials(fd)));
      connection.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    });
    connection.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.teardown(() => server.close());
  return {
    /** Runs a program to its end and gives its pid. */
    run: async (file: string, ...args: string[]): Promise<number | undefined> => {
      const child = spawn(file, args, { stdio: 'inherit', env: { SOCKET: socket } });
      await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
      return child.pid;
    },
    /** Whoever asked next. */
    arrived: async (): Promise<Requester> => {
      for (;;) {
        const requester = requesters.shift();
        if (requester) return requester;
        await sleep(5);
      }
    },
    script: (name: string, text: string): string => {
      const path = join(directory, name);
      writeFileSync(path, `#!/bin/sh\n${text}\n`);
      chmodSync(path, 0o755);
      return path;
    },
  };
}

const ASK = `reply=$(exec ${curl} -q -s --unix-socket "$SOCKET" http://localhost/)`;

t.test('a program that connects itself is peer and caller', { skip: SKIP }, async (t) => {
  const { run, arrived } = await reception(t);
  const source = "require('net').connect(process.env.SOCKET).end('x').resume()";
  const pid = await run(process.execPath, '-e', source);
  t.same(await arrived(), {
    peer: { pid, uid, program: own.program },
    caller: { pid, program: own.program },
  });
});

t.test('the caller behind a shim is the program that started it', { skip: SKIP }, async (t) => {
  const { run, arrived, script } = await reception(t);
  for (const name of ['credential-process', 'otel-helper']) {
    await run(script(name, ASK));
    const { peer, caller } = await arrived();
    t.match(peer, { uid, program: curl }, name);
    t.same(caller, own, name);
  }
});

t.test('a shim that became the TypeScript program still counts as a shim', { skip: SKIP }, async (t) => {
  const { run, arrived, script } = await reception(t);
  const source = `process.title = 'credential-process';
    require('net').connect(process.env.SOCKET).end('x').resume()`;
  const pid = await run(script('credential-process', `exec "${process.execPath}" -e "${source}"`));
  t.same(await arrived(), { peer: { pid, uid, program: own.program }, caller: own });
});

t.test('a shell that is no shim is the caller, and so is its curl', { skip: SKIP }, async (t) => {
  const { run, arrived, script } = await reception(t);
  const shell = realpathSync('/bin/sh');
  const shim = script('credential-process', ASK);
  await run('/bin/sh', '-c', `"${shim}"; true`);
  t.equal((await arrived()).caller?.program, shell, 'a shell with a command line');
  await run(script('backup', `"${shim}"; true`));
  t.equal((await arrived()).caller?.program, shell, 'a script');
  await run(script('backup', ASK));
  t.equal((await arrived()).caller?.program, curl, 'curl in a script');
});

t.test('the caller behind a shim whose parent has ended is the new parent', { skip: SKIP }, async (t) => {
  const { run, script, arrived } = await reception(t);
  const adopted = `while read -r key value _; do [ "$key" = PPid: ] && parent=$value; done </proc/$$/status
[ "$parent" != "$FIRST" ] || { sleep 0.01; exec "$0"; }
${ASK}`;
  const shim = script('credential-process', adopted);
  const shell = await run('/bin/sh', '-c', `FIRST=$$ "${shim}" & exit`);
  const { caller } = await arrived();
  t.not(caller?.pid, shell);
  t.not(caller?.program, curl);
});

t.test('a name that looks like part of the table does not confuse it', { skip: SKIP }, async (t) => {
  const directory = shortDirectory(t);
  const odd = join(directory, 'a) R 1\n(b');
  copyFileSync('/bin/sleep', odd);
  chmodSync(odd, 0o755);
  const child = spawn(odd, ['60'], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('it did not start');
  while (requesterOf({ pid, uid, gid: 0 }).peer.program !== odd) await sleep(5);
  t.same(requesterOf({ pid, uid, gid: 0 }), {
    peer: { pid, uid, program: odd },
    caller: { pid, program: odd },
  });
});

t.test('unknown values are null', async (t) => {
  t.same(requesterOf(undefined), { peer: { pid: null, uid: null, program: null }, caller: null });
  t.same(requesterOf({ pid: undefined, uid: 7, gid: 7 }), {
    peer: { pid: null, uid: 7, program: null },
    caller: null,
  });
});

t.test('a process that has ended has neither program nor caller', { skip: SKIP }, async (t) => {
  const child = spawn('/bin/true', { stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
  t.same(requesterOf({ pid: child.pid, uid, gid: 0 }), {
    peer: { pid: child.pid, uid, program: null },
    caller: null,
  });
});
