import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isRunning, type Turn, takeTurn } from '../../../shim/daemon/turn.ts';

function ends(turn: Turn): turn is { end(): void } {
  return 'end' in turn;
}

/** The number of a process that has ended. */
const ENDED = spawnSync('/bin/true').pid;

t.test('a turn that nobody has is taken, and given back', async (t) => {
  const path = join(t.testdir(), 'mark');
  const turn = takeTurn(path, Date.now());
  if (!ends(turn)) return void t.fail('it is free');
  t.equal(readFileSync(path, 'utf8'), `${process.pid}\n`);
  turn.end();
  t.notOk(existsSync(path));
  turn.end();
});

t.test('a turn that a running process has is left to it', async (t) => {
  const other = spawn('/bin/sleep', ['60']);
  t.teardown(() => other.kill());
  const path = join(t.testdir({ mark: `${other.pid}\n` }), 'mark');
  t.strictSame(takeTurn(path, Date.now()), { holder: other.pid });
  t.equal(readFileSync(path, 'utf8'), `${other.pid}\n`);
  utimesSync(path, new Date(0), new Date(0));
  t.strictSame(
    takeTurn(path, Date.now()),
    { holder: other.pid },
    'for however long, unless a limit is given',
  );
  t.ok(ends(takeTurn(path, Date.now(), 60_000)));
});

t.test('a turn whose process has ended is nobody’s', async (t) => {
  for (const text of [`${ENDED}\n`, `${process.pid}\n`]) {
    const path = join(t.testdir({ mark: text }), 'mark');
    t.ok(ends(takeTurn(path, Date.now())), text);
  }
});

t.test('a mark that says nothing is one that is being written, for a moment', async (t) => {
  for (const text of ['', 'nonsense']) {
    const path = join(t.testdir({ mark: text }), 'mark');
    t.strictSame(takeTurn(path, Date.now()), { holder: undefined });
    utimesSync(path, new Date(0), new Date(0));
    t.ok(ends(takeTurn(path, Date.now())));
  }
});

t.test('where no mark can be written, or something else is in its place, that is told', async (t) => {
  const folder = t.testdir();
  t.throws(() => takeTurn(join(folder, 'missing', 'mark'), Date.now()), { code: 'ENOENT' });
  mkdirSync(join(folder, 'mark'));
  t.throws(() => takeTurn(join(folder, 'mark'), Date.now()), { code: 'EISDIR' });
  writeFileSync(join(folder, 'file'), '');
  t.throws(() => takeTurn(join(folder, 'file', 'mark'), Date.now()), { code: 'ENOTDIR' });
});

t.test('a process of another user is running too', async (t) => {
  t.ok(isRunning(1));
  t.ok(isRunning(process.pid));
  t.notOk(isRunning(ENDED));
});
