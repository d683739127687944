import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isProcessRunning, type ProcessLock, tryProcessLock } from '../../../shim/daemon/process-lock.ts';

function ends(lock: ProcessLock): lock is { end(): void } {
  return 'end' in lock;
}

/** The number of a process that has ended. */
const ENDED = spawnSync('/bin/true').pid;

t.test('a free lock is taken and released', async (t) => {
  const path = join(t.testdir(), 'mark');
  const lock = tryProcessLock(path, Date.now());
  if (!ends(lock)) return void t.fail('it is free');
  t.equal(readFileSync(path, 'utf8'), `${process.pid}\n`);
  lock.end();
  t.notOk(existsSync(path));
  lock.end();
});

t.test('a lock held by a running process is not taken', async (t) => {
  const other = spawn('/bin/sleep', ['60']);
  t.teardown(() => other.kill());
  const path = join(t.testdir({ mark: `${other.pid}\n` }), 'mark');
  t.strictSame(tryProcessLock(path, Date.now()), { holder: other.pid });
  t.equal(readFileSync(path, 'utf8'), `${other.pid}\n`);
  utimesSync(path, new Date(0), new Date(0));
  t.strictSame(
    tryProcessLock(path, Date.now()),
    { holder: other.pid },
    'for however long, unless a limit is given',
  );
  t.ok(ends(tryProcessLock(path, Date.now(), 60_000)));
});

t.test('a lock whose process has ended is free', async (t) => {
  for (const text of [`${ENDED}\n`, `${process.pid}\n`]) {
    const path = join(t.testdir({ mark: text }), 'mark');
    t.ok(ends(tryProcessLock(path, Date.now())), text);
  }
});

t.test('an empty lock file counts as held for a moment', async (t) => {
  for (const text of ['', 'nonsense']) {
    const path = join(t.testdir({ mark: text }), 'mark');
    t.strictSame(tryProcessLock(path, Date.now()), { holder: undefined });
    utimesSync(path, new Date(0), new Date(0));
    t.ok(ends(tryProcessLock(path, Date.now())));
  }
});

t.test('a lock file that cannot be written is an error', async (t) => {
  const folder = t.testdir();
  t.throws(() => tryProcessLock(join(folder, 'missing', 'mark'), Date.now()), { code: 'ENOENT' });
  mkdirSync(join(folder, 'mark'));
  t.throws(() => tryProcessLock(join(folder, 'mark'), Date.now()), { code: 'EISDIR' });
  writeFileSync(join(folder, 'file'), '');
  t.throws(() => tryProcessLock(join(folder, 'file', 'mark'), Date.now()), { code: 'ENOTDIR' });
});

t.test('a process of another user is running too', async (t) => {
  t.ok(isProcessRunning(1));
  t.ok(isProcessRunning(process.pid));
  t.notOk(isProcessRunning(ENDED));
});
