import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createDisclose, type DisclosureRequest } from '../../../daemon/api/disclosure.ts';
import { requesterOf } from '../../../daemon/api/peer.ts';
import { loginRequired } from '../../../protocol/errors.ts';
import { codeOf, memoryAudit, rejection } from '../../../tools/support/daemon-edges.ts';

const SKIP = process.platform === 'linux' ? false : 'needs Linux';
const program = realpathSync(process.execPath);
const peer = { pid: process.pid, uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 };
const caller = { pid: process.pid, program };
const signal = new AbortController().signal;

function asking(
  allowedPrograms?: readonly string[],
  change: Partial<DisclosureRequest> = {},
): DisclosureRequest {
  return { profile: { name: 'A', allowedPrograms }, what: 'credentials', peer, signal, ...change };
}

const secret = async () => ({ id: 'ASIAEXAMPLEWXYZ' });

t.test(
  'what is given out is recorded, with the key\u2019s last four characters',
  { skip: SKIP },
  async (t) => {
    const audit = memoryAudit();
    const disclose = createDisclose(audit);
    t.same(await disclose(asking(), secret, ({ id }) => id), { id: 'ASIAEXAMPLEWXYZ' });
    t.same(await disclose(asking(undefined, { what: 'id-token' }), async () => 'jwt'), 'jwt');
    const requester = { peer: { pid: peer.pid, uid: peer.uid, program }, caller };
    t.same(audit.records, [
      { profile: 'A', what: 'credentials', keyId: 'WXYZ', requester },
      { profile: 'A', what: 'id-token', requester },
    ]);
  },
);

t.test('a credential that was not returned is not recorded', async (t) => {
  const audit = memoryAudit();
  const disclose = createDisclose(audit);
  const fails = () => Promise.reject(loginRequired());
  t.equal(await codeOf(disclose(asking(), fails)), 'ERR_LOGIN_REQUIRED');
  const left = new AbortController();
  const leaves = async () => left.abort();
  await disclose(asking(undefined, { signal: left.signal }), leaves);
  t.same(audit.records, [], 'neither a failure nor an answer that nobody waits for');
});

t.test('the requester is identified before the answer is ready', { skip: SKIP }, async (t) => {
  const audit = memoryAudit();
  const child = spawn('/bin/sleep', ['60'], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const sleeper = { ...peer, pid: child.pid };
  while (!requesterOf(sleeper).peer.program?.endsWith('sleep')) await sleep(5);
  await createDisclose(audit)(asking(undefined, { peer: sleeper }), async () => {
    child.kill('SIGKILL');
    await ended;
  });
  t.match(audit.records, [{ requester: { caller: { pid: child.pid, program: /sleep$/ } } }]);
});

t.test('without a list every program is allowed, known or not', async (t) => {
  const audit = memoryAudit();
  const disclose = createDisclose(audit);
  t.ok(await disclose(asking(undefined, { peer: undefined }), secret));
  t.match(audit.records, [{ requester: { peer: { pid: null }, caller: null } }]);
});

/** Entries that stand for the running Node.js in some way, in a home of the test. */
function entries(t: Test) {
  const home = t.testdir({ 'bin with space': {} });
  symlinkSync(program, join(home, 'bin with space', 'node'));
  symlinkSync(dirname(program), join(home, 'folder'));
  return { home, link: join(home, 'bin with space', 'node') };
}

t.test('a list allows programs by path, folder, link and place in the home', { skip: SKIP }, async (t) => {
  const { home, link } = entries(t);
  const disclose = createDisclose(memoryAudit(), home);
  for (const entry of [
    program,
    `${dirname(program)}/`,
    `${dirname(dirname(program))}/`,
    link,
    '~/bin with space/node',
    '~/folder/',
    `~/folder/${basename(program)}`,
  ]) {
    t.ok(await disclose(asking([entry]), secret), entry);
    t.ok(await disclose(asking(['/nonexistent/x', '/nonexistent/', entry]), secret), entry);
  }
});

t.test('a list refuses every other program, with a record and an error', { skip: SKIP }, async (t) => {
  const { home } = entries(t);
  mkdirSync(join(home, 'empty'));
  const audit = memoryAudit();
  const disclose = createDisclose(audit, home);
  const unasked = async () => t.fail('no credential may be asked for');
  const refused = [
    '/bin/sh',
    `${program}x`,
    program.slice(0, -1),
    dirname(program),
    `${program}/`,
    '~/empty/',
    '~/nothing',
    '~/bin with space',
  ];
  for (const entry of refused) {
    const error = await rejection(disclose(asking([entry]), unasked));
    t.match(
      error,
      {
        code: 'ERR_REQUEST_REFUSED',
        message: `"${program}" may not have credentials of A: allowed_programs does not name it`,
        fix: /allowed_programs in config\.json/,
      },
      entry,
    );
  }
  t.equal(audit.records.length, refused.length);
  for (const record of audit.records)
    t.same(record, {
      profile: 'A',
      what: 'credentials',
      refused: true,
      requester: { peer: { pid: peer.pid, uid: peer.uid, program }, caller },
    });
});

t.test('a list refuses every caller whose program is unknown', async (t) => {
  const audit = memoryAudit();
  const error = await rejection(
    createDisclose(audit)(asking(['/usr/bin/node'], { peer: undefined }), secret),
  );
  t.match(error, { code: 'ERR_REQUEST_REFUSED', message: /^a program that the system does not name / });
  t.match(audit.records, [{ refused: true }]);
});

t.test('a program whose file was replaced by an upgrade stays allowed', { skip: SKIP }, async (t) => {
  const file = join(t.testdir({}), 'tool');
  copyFileSync('/bin/sleep', file);
  chmodSync(file, 0o755);
  const child = spawn(file, ['60'], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const tool = { ...peer, pid: child.pid };
  while (requesterOf(tool).peer.program !== file) await sleep(5);
  rmSync(file);
  t.equal(requesterOf(tool).peer.program, `${file} (deleted)`);
  const disclose = createDisclose(memoryAudit());
  t.ok(await disclose(asking([file], { peer: tool }), secret));
  t.equal(await codeOf(disclose(asking([`${file}s`], { peer: tool }), secret)), 'ERR_REQUEST_REFUSED');
});
