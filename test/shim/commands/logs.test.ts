import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { audit } from '../../../shim/commands/audit.ts';
import { createLineParser, followLog, readLogEnd, selectLines } from '../../../shim/commands/log-lines.ts';
import { logs } from '../../../shim/commands/logs.ts';
import { createJournalParser } from '../../../shim/commands/systemd-journal.ts';
import type { ShimEdges } from '../../../shim/program/edges.ts';
import { fakeProgram } from '../fixtures/program.ts';

process.env.TZ = 'UTC';
const NOW = Date.parse('2026-01-02T03:04:05Z');

function printing(t: Test, change: Partial<ShimEdges> = {}): { program: ShimEdges; printed: string[] } {
  const printed: string[] = [];
  const print = async (text: string): Promise<void> => void printed.push(text);
  const { program } = fakeProgram(t, async () => ({}), { now: () => NOW, writeOut: print, ...change });
  mkdirSync(dirname(program.paths.log));
  return { program, printed };
}

t.test('a line without a time follows the line before it and has its time', async (t) => {
  const file = createLineParser();
  const other = createLineParser();
  const lines = [
    file('{"time":"2026-01-02T03:00:00Z","event":"a"}'),
    file('a stack trace'),
    other('{"time":"2026-01-02T02:59:00Z","event":"b"}'),
    other('[1]'),
  ];
  const all = { from: Number.NEGATIVE_INFINITY, count: 10 };
  t.same(
    selectLines(lines, all).map(({ text, record }) => record?.event ?? text),
    ['b', '[1]', 'a', 'a stack trace'],
  );
  t.equal(selectLines(lines, { from: Date.parse('2026-01-02T03:00:00Z'), count: 10 }).length, 2);
  t.same(selectLines(lines, { ...all, count: 0 }), []);
});

t.test('a journal entry without a time in its message has the time of the journal', async (t) => {
  const parse = createJournalParser();
  const entry = (MESSAGE: unknown) =>
    parse(JSON.stringify({ MESSAGE, __REALTIME_TIMESTAMP: '1767323045000000', PRIORITY: '6' }));
  t.match(entry('Started bedrock-authd.service.'), { at: NOW, record: undefined });
  t.match(entry('{"level":"info","event":"signed in"}'), { at: NOW, record: { event: 'signed in' } });
  t.equal(entry([1, 2]), undefined, 'bytes that are no text');
  t.equal(parse('-- No entries --'), undefined);
});

t.test('control characters in the log are shown as escapes', async (t) => {
  const { program, printed } = printing(t);
  const lines = [
    '{"time":"2026-01-01T03:04:05Z","level":"warn","event":"x\\u001b[2J","file":"a b","n":1,"list":["\\u202e"]}',
    'plain \x1b]0;title\x07 text',
  ];
  writeFileSync(program.paths.log, `${lines.join('\n')}\nhalf a li`);
  await logs(program, {});
  t.equal(
    printed.join(''),
    '2026-01-01 03:04:05  warn   x\\u001b[2J  file="a b" n=1 list=["\\u202e"]\n' +
      'plain \\u001b]0;title\\u0007 text\nhalf a li\n',
  );
  printed.length = 0;
  await logs({ ...program, terminal: true, env: {} }, { lines: '2', json: true });
  t.strictSame(printed, [`${JSON.stringify({ text: lines[1] })}\n`, '{"text":"half a li"}\n']);
});

t.test('a file that is truncated or replaced is followed line by line', async (t) => {
  const { program } = printing(t);
  const path = program.paths.log;
  const seen: string[] = [];
  const ending = new AbortController();
  writeFileSync(path, 'zero\n');
  const { lines, position } = readLogEnd(path);
  t.match(lines, [{ text: 'zero' }]);
  // What comes before anybody follows is not lost.
  appendFileSync(path, 'soon\n');
  const following = followLog(path, position, async ({ text }) => void seen.push(text), ending.signal);
  const until = async (count: number): Promise<void> => {
    while (seen.length < count) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await until(1);
  appendFileSync(path, 'one\ntw');
  await until(2);
  appendFileSync(path, 'o\n');
  await until(3);
  writeFileSync(path, '3\n');
  await until(4);
  rmSync(path);
  writeFileSync(path, 'four, longer than all before\n');
  await until(5);
  ending.abort();
  await following;
  t.strictSame(seen, ['soon', 'one', 'two', '3', 'four, longer than all before']);
  t.same(readLogEnd(join(path, 'nothing')).lines, []);
});

t.test('a rotated log is shown together with its predecessor', async (t) => {
  const { program, printed } = printing(t);
  writeFileSync(`${program.paths.log}.1`, '{"time":"2026-01-02T03:00:00Z","event":"before"}\n');
  writeFileSync(program.paths.log, '{"time":"2026-01-02T03:01:00Z","event":"after"}\n');
  t.equal(await logs(program, { json: true }), 0);
  t.match(printed, [/before/, /after/]);
});

t.test('lines written just before a rotation are followed too', async (t) => {
  const { program } = printing(t);
  const path = program.paths.log;
  const ending = new AbortController();
  const seen: string[] = [];
  writeFileSync(path, 'zero\n');
  const { position } = readLogEnd(path);
  appendFileSync(path, 'last\n');
  renameSync(path, `${path}.1`);
  writeFileSync(path, 'first\n');
  const onLine = async ({ text }: { text: string }): Promise<void> => {
    seen.push(text);
    if (text === 'first') ending.abort();
  };
  await followLog(path, position, onLine, ending.signal);
  t.strictSame(seen, ['last', 'first']);
});

t.test(
  'the audit table starts with the predecessor, marks refusals and cuts long paths on a terminal',
  async (t) => {
    const { program, printed } = printing(t, { env: { HOME: '/home/jane', NO_COLOR: '1' } });
    const line = (minute: number, more: object): string =>
      `${JSON.stringify({ time: `2026-01-02T03:0${minute}:05Z`, profile: 'ClaudeCode', what: 'credentials', ...more })}\n`;
    const peer = { pid: 1, uid: 1000, program: '/usr/bin/curl' };
    const caller = { pid: 42, program: `/home/jane/.local/share/${'deep/'.repeat(12)}claude` };
    writeFileSync(`${program.paths.audit}.1`, line(1, { keyId: 'WXYZ', peer, caller }));
    writeFileSync(program.paths.audit, `${line(2, { refused: true, peer, caller: null })}no line\n`);
    await audit(program, {});
    const long = `~/.local/share/${'deep/'.repeat(12)}claude`;
    t.equal(
      printed.join(''),
      'WHEN      PROFILE     WHAT                 KEY   PID  PROGRAM\n' +
        `03:01:05  ClaudeCode  credentials          WXYZ  42   ${long}\n` +
        '03:02:05  ClaudeCode  credentials refused  -     1    /usr/bin/curl\n',
    );
    printed.length = 0;
    await audit({ ...program, terminal: true }, { program: 'CLAUDE' });
    const [, row = ''] = printed.join('').split('\n');
    t.equal(row.length, 80);
    t.match(row, /\u2026.*deep\/claude$/);
    printed.length = 0;
    await audit(program, { refused: true, json: true });
    t.strictSame(printed, [line(2, { refused: true, peer, caller: null })]);
  },
);
