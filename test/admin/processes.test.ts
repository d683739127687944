import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runInForeground, runToEnd } from '../../admin/processes.ts';
import { until } from '../fixtures/until.ts';

const sh = (script: string, options: Partial<Parameters<typeof runToEnd>[2]> = {}) =>
  runToEnd('/bin/sh', ['-c', script], { env: {}, limitMs: 60_000, ...options });

t.test('a program gets the given environment and folder, and both outputs are kept apart', async (t) => {
  const cwd = t.testdir({});
  const ran = await sh('echo "$NAME $HOME"; pwd >&2; exit 3', { env: { NAME: 'ada' }, cwd });
  t.strictSame(ran, { end: { kind: 'exited', status: 3 }, output: 'ada \n', errors: `${cwd}\n` });
});

t.test('a missing program is reported by its error code', async (t) => {
  const { end } = await runToEnd('/nowhere/npm', [], { env: {}, limitMs: 60_000 });
  t.strictSame(end, { kind: 'failed', reason: 'ENOENT' });
});

t.test('the time limit ends a program and its children', async (t) => {
  const file = join(t.testdir({}), 'pid');
  const started = (): number => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0);
  // On a slow machine a limit can be over before the program has started its child.
  for (let limitMs = 500; started() === 0; limitMs *= 2) {
    const { end } = await sh(`sleep 600 & echo $! >'${file}'; wait`, { limitMs });
    t.strictSame(end, { kind: 'failed', reason: 'SIGKILL' });
  }
  await until(() => isGone(started()));
});

t.test('an interrupted program can end by itself first', async (t) => {
  const file = join(t.testdir({}), 'ready');
  const interruption = new AbortController();
  const running = sh(`trap 'echo parting; exit 7' TERM; : >'${file}'; sleep 600 & wait`, {
    signal: interruption.signal,
  });
  await until(() => existsSync(file));
  interruption.abort();
  t.match(await running, { end: { kind: 'exited', status: 7 }, output: 'parting\n' });
});

t.test('a program that is interrupted before its start ends too', async (t) => {
  const { end } = await sh('sleep 600', { signal: AbortSignal.abort() });
  t.strictSame(end, { kind: 'failed', reason: 'SIGTERM' });
});

t.test('a program in the foreground returns its exit status', async (t) => {
  t.strictSame(await runInForeground('/bin/sh', ['-c', 'exit 4'], {}), { kind: 'exited', status: 4 });
  t.strictSame(await runInForeground('/nowhere', [], {}), { kind: 'failed', reason: 'ENOENT' });
});

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // Ended, and nobody has asked how.
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}
