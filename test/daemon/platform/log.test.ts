import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { causeOf, createLog, type LogFields } from '../../../daemon/platform/log.ts';

type Line = Record<string, unknown>;

function linesOf(path: string): Line[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

t.test('a line is JSON with its time, level, event and fields', async (t) => {
  const file = join(t.testdir({}), 'daemon.log');
  const log = createLog({ file });
  log('info', 'daemon started', { pid: 7, socket: '/run/x.sock' });
  log('error', 'defect');
  const [first, second] = linesOf(file);
  t.match(first, { level: 'info', event: 'daemon started', pid: 7, socket: '/run/x.sock' });
  t.match(first?.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  t.same(Object.keys(second ?? {}).sort(), ['event', 'level', 'time'], 'and nothing else: no host, no pid');
});

t.test('a field that is not on the list cannot be logged', async (t) => {
  const file = join(t.testdir({}), 'daemon.log');
  const log = createLog({ file });
  const planted = {
    profile: 'ClaudeCode',
    refreshToken: 'planted-1',
    access_token: 'planted-2',
    url: 'https://idp.example/?code=planted-3',
    body: { client_secret: 'planted-4' },
    err: new Error('planted-5'),
    error: new Error('planted-6'),
    req: { headers: { authorization: 'planted-7' } },
    msg: 'planted-8',
    __proto__: { socket: 'planted-9' },
    constructor: 'planted-10',
  };
  log('info', 'x', planted as unknown as LogFields);
  log('info', 'y', new Error('planted-11') as unknown as LogFields);
  log('info', 'z', Object.assign(new Error('planted-12'), { token: 'planted-13' }) as unknown as LogFields);
  const text = readFileSync(file, 'utf8');
  t.notMatch(text, /planted/);
  t.same(
    linesOf(file).map(({ event }) => event),
    ['x', 'y', 'z'],
  );
  t.equal(linesOf(file)[0]?.profile, 'ClaudeCode');
});

t.test('a cause is logged by name and code, never by message', async (t) => {
  const inner = Object.assign(new Error('planted'), { code: 'ECONNREFUSED' });
  const middle = new TypeError('planted', { cause: inner });
  t.equal(causeOf(inner), 'Error(ECONNREFUSED)');
  t.equal(
    causeOf(new RangeError('planted', { cause: middle })),
    'RangeError < TypeError < Error(ECONNREFUSED)',
  );
  t.equal(causeOf('planted'), 'string');
  t.equal(causeOf({ message: 'planted' }), 'object');
  t.equal(causeOf(undefined), 'undefined');
  t.equal(causeOf(Object.assign(new Error('planted'), { code: 7 })), 'Error');
  const loop = new Error('planted');
  loop.cause = loop;
  t.equal(causeOf(loop), 'Error < Error < Error < Error', 'a circle ends');
});

t.test('a foreign name has a maximum length', async (t) => {
  const foreign = Object.assign(new Error('x'), { name: 'planted'.repeat(1_000) });
  t.ok(causeOf(foreign).length < 500, 'AWS error names come from the reply');
});

t.test('the level decides what is written', async (t) => {
  const directory = t.testdir({});
  const write = (name: string, level?: 'debug' | 'info' | 'warn' | 'error') => {
    const file = join(directory, name);
    const log = level ? createLog({ file }, level) : createLog({ file });
    for (const line of ['debug', 'info', 'warn', 'error'] as const) log(line, line);
    return linesOf(file).map(({ event }) => event);
  };
  t.same(write('a'), ['info', 'warn', 'error'], 'info by default');
  t.same(write('b', 'debug'), ['debug', 'info', 'warn', 'error']);
  t.same(write('c', 'error'), ['error']);
});

t.test('a file is created with its folder for this user only, and appended to', async (t) => {
  const before = process.umask(0o077);
  t.teardown(() => process.umask(before));
  const file = join(t.testdir({}), 'logs', 'deep', 'daemon.log');
  createLog({ file })('info', 'one');
  createLog({ file })('info', 'two');
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.equal(linesOf(file).length, 2);
});

t.test('a full file is renamed, and one predecessor is kept', async (t) => {
  const before = process.umask(0o077);
  t.teardown(() => process.umask(before));
  const file = join(t.testdir({}), 'daemon.log');
  const events = (path: string): unknown[] => linesOf(path).map(({ event }) => event);
  const line = '{"level":"info","time":"2026-01-02T03:04:05.000Z","event":"a"}\n';
  const log = createLog({ file }, 'info', 2 * line.length);
  for (const event of ['a', 'b', 'c', 'd', 'e']) log('info', event);
  t.strictSame(events(`${file}.1`), ['c', 'd']);
  t.strictSame(events(file), ['e']);
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.strictSame(readdirSync(dirname(file)), ['daemon.log', 'daemon.log.1']);
  // One that is started later counts what is there, and one that writes beside it follows.
  const later = createLog({ file }, 'info', 2 * line.length);
  for (const event of ['f', 'g']) later('info', event);
  log('info', 'h');
  log('info', 'i');
  t.strictSame(events(`${file}.1`), ['e', 'f', 'h']);
  t.strictSame(events(file), ['g', 'i']);
});

t.test('a full file that cannot be renamed is still written to', async (t) => {
  const file = join(t.testdir({}), 'daemon.log');
  // Not empty: nothing can take its name.
  mkdirSync(join(`${file}.1`, 'x'), { recursive: true });
  const log = createLog({ file }, 'info', 100);
  for (const event of ['a', 'b', 'c', 'd']) log('info', event);
  t.equal(linesOf(file).length, 4);
});

t.test('a log is written to a descriptor', async (t) => {
  const file = join(t.testdir({ out: '' }), 'out');
  const fd = openSync(file, 'a');
  createLog({ fd })('warn', 'to a descriptor');
  closeSync(fd);
  t.match(linesOf(file), [{ level: 'warn', event: 'to a descriptor' }]);
});

t.test('a log that cannot be written does not end the process', async (t) => {
  const directory = t.testdir({ file: '' });
  const fd = openSync(join(directory, 'file'), 'r');
  const log = createLog({ fd });
  t.doesNotThrow(() => log('info', 'nobody reads this'));
  await new Promise((resolve) => setImmediate(resolve));
  t.doesNotThrow(() => log('info', 'nor this'));
  closeSync(fd);
  await new Promise((resolve) => setImmediate(resolve));
});

t.test(
  'a full disk ends nothing',
  { skip: process.platform === 'linux' ? false : 'needs /dev/full' },
  async (t) => {
    const fd = openSync('/dev/full', 'w');
    const log = createLog({ fd });
    for (let line = 0; line < 5; line += 1) t.doesNotThrow(() => log('info', 'x'));
    await new Promise((resolve) => setImmediate(resolve));
    closeSync(fd);
  },
);
