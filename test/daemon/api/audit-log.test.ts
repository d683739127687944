import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { AUDIT_LIMITS, createAuditLog, type Disclosure } from '../../../daemon/api/audit-log.ts';
import { PREDECESSOR } from '../../../protocol/paths.ts';
import { fakeClock, memoryLog } from '../../../tools/support/daemon-edges.ts';
import { noOtherUser, OTHER_USER } from '../../fixtures/other-user.ts';

const WRITE_CHILD = fileURLToPath(new URL('../fixtures/write-audit-child.js', import.meta.url));

const GIVEN: Disclosure = {
  profile: 'ClaudeCode',
  what: 'credentials',
  keyId: 'WXYZ',
  requester: {
    peer: { pid: 12, uid: 1000, program: '/usr/bin/curl' },
    caller: { pid: 10, program: '/usr/local/bin/claude' },
  },
};

function open(t: Test, limits: Partial<{ fileBytes: number; waitingLines: number }> = {}) {
  const path = join(t.testdir({}), 'logs', 'audit.jsonl');
  const { log, lines } = memoryLog();
  const audit = createAuditLog(path, { clock: fakeClock(), log }, { ...AUDIT_LIMITS, ...limits });
  const record = async (...disclosures: Disclosure[]): Promise<void> => {
    for (const disclosure of disclosures) audit.record(disclosure);
    await audit.settled(60_000);
  };
  const written = (file = path): unknown[] =>
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  return { path, lines, audit, record, written };
}

t.test('each line has the time, the requester and the credential', async (t) => {
  const { path, record, written, lines } = open(t);
  const unknown = { peer: { pid: null, uid: null, program: null }, caller: null };
  await record(GIVEN, { profile: 'B', what: 'id-token', refused: true, requester: unknown });
  t.same(written(), [
    {
      time: '2026-01-02T03:04:05.000Z',
      ...GIVEN.requester,
      profile: 'ClaudeCode',
      what: 'credentials',
      keyId: 'WXYZ',
    },
    { time: '2026-01-02T03:04:05.000Z', ...unknown, profile: 'B', what: 'id-token', refused: true },
  ]);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(statSync(dirname(path)).mode & 0o777, 0o700);
  t.same(lines, []);
});

t.test('lines are appended in order, also by two daemons at once', async (t) => {
  const { path, record, written } = open(t);
  await record(GIVEN);
  const { log } = memoryLog();
  const other = createAuditLog(path, { clock: fakeClock(), log });
  const many = Array.from({ length: 200 }, (_, index) => ({ ...GIVEN, profile: `p${index}` }));
  for (const disclosure of many) other.record({ ...disclosure, profile: `o${disclosure.profile}` });
  await Promise.all([record(...many), other.settled(60_000)]);
  const profiles = written().map((line) => (line as Disclosure).profile);
  t.equal(profiles.length, 401);
  t.same(
    profiles.filter((name) => name.startsWith('p')),
    many.map(({ profile }) => profile),
  );
});

t.test('a file name cannot break a line or steer a terminal', async (t) => {
  const { path, record, written } = open(t);
  const program = '/tmp/a\n{"profile":"forged"}\u001b]0;x\u0007\u202eexe.\u009b31m\u2028\ud800"\\';
  await record({ ...GIVEN, requester: { ...GIVEN.requester, caller: { pid: 1, program } } });
  t.equal(written().length, 1);
  t.match(written(), [{ caller: { program } }]);
  t.match(readFileSync(path, 'latin1'), /^[\x20-\x7e]+\n$/);
});

t.test('a full file is renamed, and one predecessor is kept', async (t) => {
  const { path, record, written } = open(t, { fileBytes: 500 });
  for (const profile of ['A', 'B', 'C', 'D', 'E', 'F', 'G']) await record({ ...GIVEN, profile });
  const names = (file: string) => written(file).map((line) => (line as Disclosure).profile);
  t.same(names(`${path}${PREDECESSOR}`), ['E', 'F']);
  t.same(names(path), ['G']);
  t.ok(statSync(`${path}${PREDECESSOR}`).size <= 500);
  t.equal(statSync(path).mode & 0o777, 0o600);
});

t.test('a file that was moved or removed, also with its folder, is created again', async (t) => {
  const { path, record, written, lines } = open(t);
  await record(GIVEN);
  renameSync(path, `${path}.kept`);
  await record({ ...GIVEN, profile: 'B' });
  t.match(written(), [{ profile: 'B' }]);
  rmSync(dirname(path), { recursive: true });
  await record({ ...GIVEN, profile: 'C' });
  t.match(written(), [{ profile: 'C' }]);
  t.same(lines, []);
});

/** The log's one line about a file that is not written to. */
function refusal(path: string, cause: string | RegExp) {
  return [{ level: 'error', event: 'audit log not written', fields: { file: path, cause } }];
}

t.test('an unsafe file is refused and logged once', async (t) => {
  const unsafe: [string, (path: string) => void, string | RegExp][] = [
    ['open to others', (path) => chmodSync(path, 0o644), 'it is open to others (mode 644)'],
    ['open to the group', (path) => chmodSync(path, 0o620), 'it is open to others (mode 620)'],
    [
      'a symbolic link',
      (path) => {
        renameSync(path, `${path}.real`);
        symlinkSync(`${path}.real`, path);
      },
      'it is a symbolic link',
    ],
    [
      'a link to nothing',
      (path) => {
        rmSync(path);
        symlinkSync(`${path}.nothing`, path);
      },
      'it is a symbolic link',
    ],
    [
      'a folder',
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
      'Error(EISDIR)',
    ],
    [
      'a pipe nobody reads',
      (path) => {
        rmSync(path);
        spawnSync('mkfifo', ['-m', '600', path]);
      },
      'Error(ENXIO)',
    ],
    [
      'in a folder that is a file',
      (path) => {
        rmSync(dirname(path), { recursive: true });
        writeFileSync(dirname(path), '');
      },
      'Error(ENOTDIR)',
    ],
  ];
  for (const [name, spoil, cause] of unsafe) {
    await t.test(name, async (t) => {
      const { path, record, lines } = open(t);
      await record(GIVEN);
      spoil(path);
      await record(GIVEN);
      await record(GIVEN, GIVEN);
      t.same(lines, refusal(path, cause));
      t.notOk(existsSync(`${path}.nothing`));
      rmSync(dirname(path), { recursive: true });
      await record(GIVEN);
      t.match(lines.slice(1), [{ level: 'info', event: 'audit log written again', fields: { lines: 3 } }]);
    });
  }
});

t.test('a file of another user is refused', { skip: noOtherUser }, async (t) => {
  const { path, record, lines } = open(t);
  await record(GIVEN);
  chownSync(path, OTHER_USER.uid, OTHER_USER.gid);
  await record(GIVEN);
  t.same(lines, refusal(path, 'it belongs to uid 65534'));
});

t.test('a full disk loses lines but delays no answer', async (t) => {
  const path = join(t.testdir({}), 'audit.jsonl');
  // The test runner's own hooks in a child write files too.
  const command = 'unset NODE_OPTIONS; ulimit -f 0; exec "$0" "$@"';
  const child = spawnSync('sh', ['-c', command, process.execPath, WRITE_CHILD, path], { encoding: 'utf8' });
  t.match(JSON.parse(child.stderr), refusal(path, /EFBIG/), child.stderr);
});

t.test('an incomplete line does not become part of the next one', async (t) => {
  const path = join(t.testdir({}), 'audit.jsonl');
  // One block of 512 bytes: the second line does not fit whole.
  writeFileSync(path, `${'x'.repeat(470)}\n`, { mode: 0o600 });
  const command = 'unset NODE_OPTIONS; ulimit -f 1; exec "$0" "$@"';
  const child = spawnSync('sh', ['-c', command, process.execPath, WRITE_CHILD, path], { encoding: 'utf8' });
  t.match(JSON.parse(child.stderr), [{ event: 'audit log not written' }], child.stderr);
  t.equal(readFileSync(path, 'utf8'), `${'x'.repeat(470)}\n`);
  const { log } = memoryLog();
  const audit = createAuditLog(path, { clock: fakeClock(), log });
  audit.record(GIVEN);
  await audit.settled(60_000);
  t.match(JSON.parse(readFileSync(path, 'utf8').trimEnd().split('\n').at(-1) ?? ''), { keyId: 'WXYZ' });
});

t.test('no caller waits for the disk, and the number of waiting lines is limited', async (t) => {
  const { path, audit, written, lines } = open(t, { waitingLines: 10 });
  for (let index = 0; index < 25; index += 1) audit.record({ ...GIVEN, profile: `p${index}` });
  t.notOk(existsSync(path), 'nothing was written yet');
  t.same(lines, refusal(path, 'the disk does not answer'));
  await audit.settled(60_000);
  t.equal(written().length, 10);
  t.match(lines[1], { event: 'audit log written again', fields: { lines: 15 } });
});

t.test('settled gives up on a disk that does not answer', async (t) => {
  const { audit } = open(t);
  await audit.settled();
  audit.record(GIVEN);
  await audit.settled(0);
  await audit.settled(60_000);
  t.pass();
});
