import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { createDaemonClient } from '../../../protocol/client.ts';
import { freePort } from '../../../tools/support/free-port.ts';
import { shortDirectory } from '../fixtures/sockets.ts';

// Daemons that start one after the other, on a machine that may have other things to do.
t.setTimeout(120_000);

const MAIN = fileURLToPath(new URL('../../../daemon/main.js', import.meta.url));

/** Starts a daemon whose debugger, if it opened one, would listen on a port of its own. */
async function start(t: Test, options: { flags?: string[]; NODE_OPTIONS?: string } = {}) {
  const directory = shortDirectory(t);
  const port = await freePort();
  const { flags = [], NODE_OPTIONS } = options;
  const child: ChildProcess = spawn(process.execPath, [`--inspect-port=${port}`, ...flags, MAIN], {
    env: {
      HOME: directory,
      XDG_RUNTIME_DIR: directory,
      ...(NODE_OPTIONS === undefined ? {} : { NODE_OPTIONS: NODE_OPTIONS.replace('PORT', String(port)) }),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const client = createDaemonClient(join(directory, 'claude-code-with-bedrock', 'daemon.sock'));
  return {
    child,
    port,
    said: () => stderr,
    /** Rejects at once when the process ends: nothing would ever listen. */
    serves: async () => {
      const stop = new AbortController();
      const answer = client.ask({ route: 'version', startingMs: 30_000, signal: stop.signal });
      const gone = ended.then(() => {
        stop.abort();
        throw new Error('the daemon has ended');
      });
      return Promise.race([answer, gone]);
    },
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Fails the test unless the port is closed now or soon, and then stays so. */
async function staysClosed(t: Test, port: number, what: string): Promise<void> {
  while (await listens(port)) await sleep(10);
  for (let look = 0; look < 20; look += 1) {
    if (await listens(port)) t.fail(`${what}: it opened again`);
    await sleep(10);
  }
  t.pass(what);
}

t.test('SIGUSR1 opens no debugger', async (t) => {
  const { child, port, said, serves } = await start(t);
  await serves();
  for (let time = 0; time < 5; time += 1) child.kill('SIGUSR1');
  await staysClosed(t, port, 'after the signal');
  t.ok(await serves());
  t.equal(said(), '');
});

t.test('a debugger that SIGUSR1 opened during the start is closed', async (t) => {
  let opened = 0;
  // Node takes the signal after some 20 ms and the daemon after some 100 ms, on a machine that has time.
  for (const afterMs of [20, 40, 60, 80, 100, 150]) {
    const { child, port, said, serves } = await start(t);
    await sleep(afterMs);
    child.kill('SIGUSR1');
    try {
      await serves();
    } catch (error) {
      // Before Node itself has a handler the signal ends the process.
      if (child.signalCode !== 'SIGUSR1') throw error;
      continue;
    }
    await staysClosed(t, port, `${afterMs} ms after the start`);
    if (said().includes('Debugger listening')) opened += 1;
  }
  t.comment(`${opened} times Node had opened it`);
});

t.test('a debugger that --inspect opened is closed', async (t) => {
  for (const options of [{ flags: ['--inspect'] }, { NODE_OPTIONS: '--inspect=127.0.0.1:PORT' }]) {
    const { port, said, serves } = await start(t, options);
    await serves();
    t.match(said(), /Debugger listening/, 'Node had opened it');
    await staysClosed(t, port, JSON.stringify(options));
  }
});
