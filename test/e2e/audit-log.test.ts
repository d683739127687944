import { spawn } from 'node:child_process';
import { readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { awsCli, findTool, missing } from '../../tools/support/find-tool.ts';
import { startWorld, type World } from '../fixtures/world.ts';

// Many processes one after the other, on a machine that may have other things to do.
t.setTimeout(120_000);

type Line = {
  time: string;
  profile: string;
  what: string;
  keyId?: string;
  refused?: true;
  peer: { pid: number; uid: number; program: string };
  caller: { pid: number; program: string } | null;
};

const curl = findTool('/usr/bin/curl');
const SKIP = process.platform === 'linux' ? missing({ curl }) : 'needs Linux';

/** The audit log once it has that many lines: they are written after the answer was given. */
async function auditLines({ home }: World, count: number): Promise<Line[]> {
  for (;;) {
    const text = await readFile(join(home.directory, 'logs/audit.jsonl'), 'utf8').catch(() => '');
    const lines = text.split('\n').filter(Boolean);
    if (lines.length >= count) return lines.map((line) => JSON.parse(line) as Line);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

t.test('the audit log names the program behind the shim at every call', { skip: SKIP }, async (t) => {
  const world = await startWorld(t);
  const { home } = world;
  const node = await realpath(process.execPath);
  // Nobody is signed in: curl gets no answer, the TypeScript program asks after the sign-in.
  const first = await home.run(home.program('credential-process'), ['--profile', 'ClaudeCode']);
  t.equal(first.status, 0, first.stderr);
  const { AccessKeyId } = JSON.parse(first.stdout) as { AccessKeyId: string };
  // As SDKs run it that take a command line.
  const command = `${home.program('credential-process')} --profile ClaudeCode`;
  await home.run('/bin/bash', ['-c', command]);
  await home.run(home.program('credential-process'), ['--get-monitoring-token']);
  const lines = await auditLines(world, 3);
  t.equal(lines.length, 3);
  const [typescript, shell, token] = lines;
  const caller = { pid: process.pid, program: node };
  const uid = process.getuid?.();
  const runtime = await realpath(join(home.directory, 'runtime/bin/node'));
  t.match(typescript, {
    profile: 'ClaudeCode',
    what: 'credentials',
    peer: { uid, program: runtime },
    caller,
  });
  t.match(shell, { profile: 'ClaudeCode', what: 'credentials', peer: { uid, program: curl }, caller });
  t.match(token, { profile: 'ClaudeCode', what: 'id-token', peer: { uid, program: runtime }, caller });
  t.equal(typescript?.keyId, AccessKeyId.slice(-4));
  t.equal(token?.keyId, undefined);
  t.match(typescript?.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  t.equal((await stat(join(home.directory, 'logs/audit.jsonl'))).mode & 0o777, 0o600);
  t.notMatch(await home.daemonLog(), 'memory is not protected', 'nor do other system calls fail here');
});

t.test(
  'the audit log names the program that an SDK runs in',
  { skip: SKIP || missing({ aws: awsCli }) },
  async (t) => {
    const world = await startWorld(t);
    const { home, sandbox } = world;
    t.equal((await home.run(home.program('bedrock-auth'), ['login'])).status, 0);
    const identity = [
      'sts',
      'get-caller-identity',
      '--profile',
      'ClaudeCode',
      '--endpoint-url',
      sandbox.aws.url,
    ];
    const { status, stderr } = await home.run(awsCli ?? '', identity);
    t.equal(status, 0, stderr);
    const [line] = await auditLines(world, 1);
    t.match(line?.caller?.program, /\/python[\d.]*$/);
  },
);

t.test('the audit log is complete after many calls at once and a stop', { skip: SKIP }, async (t) => {
  const world = await startWorld(t);
  const { home } = world;
  t.equal((await home.run(home.program('bedrock-auth'), ['login'])).status, 0);
  const calls = Array.from({ length: 50 }, () =>
    home.run(home.program('credential-process'), ['--profile', 'ClaudeCode']),
  );
  t.ok((await Promise.all(calls)).every(({ status }) => status === 0));
  await home.endDaemon();
  const lines = await auditLines(world, 50);
  // A shim whose curl found the machine too busy asks once more.
  t.ok(new Set(lines.map(({ peer }) => peer.pid)).size >= 50);
  t.ok(lines.every(({ caller }) => caller?.pid === process.pid));
});

t.test('allowed_programs decides by the program behind the shim', { skip: SKIP }, async (t) => {
  const node = await realpath(process.execPath);
  const world = await startWorld(t, { profile: { allowed_programs: [node] } });
  const { home } = world;
  const first = await home.run(home.program('credential-process'), ['--profile', 'ClaudeCode']);
  t.equal(first.status, 0, first.stderr);
  t.equal((await home.run(home.program('credential-process'), ['--profile', 'ClaudeCode'])).status, 0);
  const script = `"${home.program('credential-process')}" --profile ClaudeCode; exit $?`;
  const refused = await home.run('/bin/bash', ['-c', script]);
  const bash = await realpath('/bin/bash');
  t.equal(refused.status, 1);
  t.equal(refused.stdout, '');
  t.match(
    refused.stderr,
    new RegExp(`"${bash}" may not have credentials of ClaudeCode: .* \\(ERR_REQUEST_REFUSED\\)\n {2}fix: `),
  );
  const child = spawn(curl ?? '', [
    ...['-s', '--unix-socket', home.socket, 'http://localhost/v1/profiles/ClaudeCode/id-token'],
  ]);
  let answer = '';
  child.stdout.on('data', (chunk) => {
    answer += chunk;
  });
  await new Promise((resolve) => child.once('close', resolve));
  t.match(JSON.parse(answer), { error: { code: 'ERR_REQUEST_REFUSED' } });
  const lines = await auditLines(world, 5);
  t.same(
    lines.map(({ refused, what }) => [what, refused === true]),
    [
      ['credentials', false],
      ['credentials', false],
      // curl and then the TypeScript program.
      ['credentials', true],
      ['credentials', true],
      ['id-token', true],
    ],
  );
});
