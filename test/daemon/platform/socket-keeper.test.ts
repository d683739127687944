import { existsSync, lstatSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { listen } from '../../../daemon/platform/socket.ts';
import { startSocketKeeper } from '../../../daemon/platform/socket-keeper.ts';
import { memoryLog } from '../../../tools/support/daemon-edges.ts';
import { until } from '../../fixtures/until.ts';
import { ask, shortDirectory } from '../fixtures/sockets.ts';

type T = { teardown(action: () => unknown): void };

async function serving(t: T, path: string, change: { watch?: false } = {}) {
  const server = createServer((_, response) => response.end('{"protocol":1}'));
  const listening = await listen(server, { path });
  const { log, events } = memoryLog();
  let lost = 0;
  // A descriptor is not watched: what is left is the looks.
  const source = change.watch === false ? { fd: 0 } : { path };
  const keeper = startSocketKeeper(listening, source, log, () => {
    lost += 1;
  });
  let ended: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    ended ??= keeper
      .stop()
      .then(() => closed(server))
      .then(() => listening.release());
    return ended;
  };
  t.teardown(stop);
  return { server, keeper, events, stop, lost: () => lost };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

t.test('a socket whose file is removed is listened on again', async (t) => {
  t.test('at once', async (t) => {
    const path = join(shortDirectory(t), 'd.sock');
    const { events } = await serving(t, path);
    rmSync(path);
    await until(() => existsSync(path) && (statSync(path).mode & 0o777) === 0o600);
    t.equal((await ask(path)).status, 200);
    t.same(events(), ['socket was removed, listening again']);
    rmSync(path);
    await until(() => existsSync(path) && (statSync(path).mode & 0o777) === 0o600);
    t.equal((await ask(path)).status, 200, 'a second time as well');
  });
  t.test('at the next check, if the system reports nothing', async (t) => {
    const path = join(shortDirectory(t), 'run', 'd.sock');
    const { keeper, events } = await serving(t, path, { watch: false });
    await keeper.check();
    t.same(events(), [], 'nothing to do');
    rmSync(dirname(path), { recursive: true });
    await Promise.all([keeper.check(), keeper.check()]);
    t.equal((await ask(path)).status, 200);
    t.ok(existsSync(`${path}.lock`), 'with its lock');
    t.same(events(), ['socket was removed, listening again']);
  });
  t.test('open connections stay open', async (t) => {
    const path = join(shortDirectory(t), 'd.sock');
    const { keeper } = await serving(t, path, { watch: false });
    const caller = connect(path);
    caller.write('GET / HTTP/1.1\r\nHost: localhost\r\n');
    await new Promise((resolve) => caller.once('connect', resolve));
    rmSync(path);
    await keeper.check();
    caller.end('Connection: close\r\n\r\n');
    t.match(await text(caller), /^HTTP\/1\.1 200/);
  });
});

t.test('another file at the path is not touched, and logged once', async (t) => {
  const path = join(shortDirectory(t), 'd.sock');
  const { keeper, events } = await serving(t, path, { watch: false });
  writeFileSync(`${path}.new`, 'somebody needs this');
  renameSync(`${path}.new`, path);
  await keeper.check();
  await keeper.check();
  t.equal(readFileSync(path, 'utf8'), 'somebody needs this');
  t.same(events(), ['socket cannot be restored']);
  rmSync(path);
  await keeper.check();
  t.ok(lstatSync(path).isSocket(), 'once it is gone the way is free');
});

t.test('a daemon whose path another one has taken drains', async (t) => {
  const path = join(shortDirectory(t), 'd.sock');
  const first = await serving(t, path, { watch: false });
  rmSync(path);
  rmSync(`${path}.lock`);
  const second = await serving(t, path);
  await first.keeper.check();
  t.equal(first.lost(), 1);
  await first.keeper.check();
  t.equal(first.lost(), 1, 'once');
  // Node takes the file away with the first one's server; the second one puts its own back.
  await first.stop();
  await until(() => existsSync(path));
  t.equal((await ask(path)).status, 200);
  t.equal(second.lost(), 0);
});

t.test('a stopped keeper does not check again', async (t) => {
  const path = join(shortDirectory(t), 'd.sock');
  const { keeper, server, stop } = await serving(t, path);
  await stop();
  await keeper.check();
  t.notOk(existsSync(path));
  t.equal(server.listening, false);
});
