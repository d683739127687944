import { type ChildProcess, spawn } from 'node:child_process';
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { StatusReply } from '../../protocol/api.ts';
import { captured, tmux } from '../../tools/docs/terminal-picture.ts';
import { findTool, missing } from '../../tools/support/find-tool.ts';
import { freePort } from '../../tools/support/free-port.ts';
import type { Installation, RunOptions } from '../../tools/support/installation.ts';
import type { Output } from '../../tools/support/output.ts';
import { startWorld } from '../fixtures/world.ts';

// Many processes one after the other, on a machine that may have other things to do.
t.setTimeout(300_000);

const script = findTool('/usr/bin/script');

type Auth = (args: readonly string[], options?: RunOptions) => Promise<Output>;

async function world(t: Test) {
  const { home, sandbox } = await startWorld(t);
  const auth: Auth = (args, options) => home.run(home.program('bedrock-auth'), args, options);
  const { status, stderr } = await auth(['login']);
  t.equal(status, 0, stderr);
  return { home, sandbox, auth };
}

/** Waits for something that a program does in its own time. */
async function until(seen: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await seen())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** A program that runs on, and all it has printed so far. */
function running(home: Installation, args: readonly string[], options: RunOptions = {}) {
  return listenTo(home.start(home.program('bedrock-auth'), args, options));
}

function listenTo(child: ChildProcess) {
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, output, ended };
}

t.test('env sets the same credentials that the AWS SDK gets', async (t) => {
  const { home, auth } = await world(t);
  const direct = await home.run(home.program('credential-process'));
  const wanted = JSON.parse(direct.stdout) as Record<string, string>;
  const command = `eval "$('${home.program('bedrock-auth')}' env)"; env`;
  const { stdout } = await home.run('/bin/sh', ['-c', command], {
    env: { AWS_PROFILE: 'work', AWS_REGION: '' },
  });
  const seen = Object.fromEntries(stdout.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)));
  t.match(seen, {
    AWS_ACCESS_KEY_ID: wanted.AccessKeyId,
    AWS_SECRET_ACCESS_KEY: wanted.SecretAccessKey,
    AWS_SESSION_TOKEN: wanted.SessionToken,
    AWS_CREDENTIAL_EXPIRATION: wanted.Expiration,
  });
  t.notOk('AWS_PROFILE' in seen);
  t.match((await auth(['env', '--shell', 'fish'])).stdout, /\nset -gx AWS_ACCESS_KEY_ID 'ASIA\w+'\n/);
  const powershell = await auth(['env', '--shell', 'powershell']);
  t.match(powershell.stdout, /^# AWS credentials of ClaudeCode, valid until .*do not renew themselves\.\n/);
  t.match(powershell.stdout, /\n\$Env:AWS_SESSION_TOKEN = '/);
  t.match(await auth(['env', '--shell', 'tcsh']), { status: 2, stdout: '', stderr: /allowed: sh, fish/ });
  await auth(['logout']);
  const off = await auth(['env'], { env: { CCWB_SIGN_IN: 'off' } });
  t.match(off, { status: 1, stdout: '', stderr: /ERR_LOGIN_REQUIRED/ });
  t.match(await auth(['env']), { status: 0, stdout: /AWS_ACCESS_KEY_ID/, stderr: /Sign in for profile/ });
});

t.test('env --container sets the address of the endpoint and no credentials', async (t) => {
  const port = await freePort();
  const { home } = await startWorld(t, { profile: { container_credentials_port: port } });
  const auth: Auth = (args, options) => home.run(home.program('bedrock-auth'), args, options);
  t.match(await auth(['login']), { status: 0 });
  await home.run(home.program('credential-process'));
  const { stdout } = await auth(['env', '--container'], { env: { AWS_PROFILE: 'ClaudeCode' } });
  t.match(stdout, /^unset AWS_PROFILE\nexport AWS_CONTAINER_CREDENTIALS_FULL_URI='http:\/\/127\.0\.0\.1:/);
  const ask = `${stdout}curl -s -H "Authorization: $(cat "$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")" "$AWS_CONTAINER_CREDENTIALS_FULL_URI"`;
  const answer = await home.run('/bin/sh', ['-c', ask]);
  t.match(JSON.parse(answer.stdout), { AccessKeyId: /^ASIA/, Token: String });
});

t.test('exec passes on the input, output and end of the command', async (t) => {
  const { home, auth } = await world(t);
  const echo = await auth(
    ['exec', '--', 'sh', '-c', 'cat; echo "$AWS_ACCESS_KEY_ID $AWS_PROFILE" >&2; exit 7'],
    {
      input: 'what is typed',
      env: { AWS_PROFILE: 'work' },
    },
  );
  t.match(echo, { status: 7, stdout: 'what is typed', stderr: /^ASIA\w+ \n$/ });
  t.match(await auth(['exec', '-p', 'ClaudeCode', 'printf', '%s', '--json']), {
    status: 0,
    stdout: '--json',
  });
  t.match(await auth(['exec', '--', 'no-such-program']), {
    status: 127,
    stdout: '',
    stderr: /^bedrock-auth: "no-such-program": there is no such program \(ERR_USAGE\)\n {2}fix: /,
  });
  t.equal((await auth(['exec', '--', '/etc/passwd'])).status, 126);
  t.equal((await auth(['exec', '--', 'sh', '-c', 'kill -KILL $$'])).status, 128 + 9);
  t.match(await auth(['exec']), { status: 2, stderr: /ERR_USAGE/ });

  const trap = `trap 'echo passed on; exit 3' TERM; echo ready; while :; do sleep 0.05; done`;
  const { child, output, ended } = running(home, ['exec', '--', 'sh', '-c', trap]);
  await until(() => output.stdout === 'ready\n');
  child.kill('SIGTERM');
  t.equal(await ended, 3);
  t.equal(output.stdout, 'ready\npassed on\n');
  t.equal(output.stderr, '');
});

t.test('logs shows the log and follows it across a rotation', async (t) => {
  const { home, auth } = await world(t);
  const log = join(home.directory, 'logs/daemon.log');
  const all = await auth(['logs']);
  t.match(all, { status: 0, stderr: '' });
  t.match(all.stdout, /^\d\d:\d\d:\d\d {2}info {3}signed in {2}storage=session$/m);
  const json = await auth(['logs', '--json', '-n', '2']);
  t.equal(json.stdout, `${(await readFile(log, 'utf8')).trimEnd().split('\n').slice(-2).join('\n')}\n`);
  t.match(await auth(['logs', '--since', '2020-01-01', '-n', '0']), { status: 0, stdout: '' });
  t.match(await auth(['logs', '--since', 'noon']), { status: 2, stderr: /allowed: 10m, 2h/ });
  t.match(await auth(['logs', '-n', 'many']), { status: 2, stderr: /ERR_USAGE/ });

  const { child, output, ended } = running(home, ['logs', '--follow', '-n', '1']);
  await until(() => output.stdout !== '');
  await appendFile(log, 'steer \x1b[2J the terminal\n');
  await until(() => output.stdout.includes('terminal'));
  t.match(output.stdout, 'steer \\u001b[2J the terminal\n');
  await rm(log);
  await writeFile(log, `{"time":"2026-01-02T03:04:05.000Z","level":"warn","event":"another file"}\n`);
  await until(() => output.stdout.includes('another file'));
  child.kill('SIGINT');
  t.equal(await ended, 0);
  t.equal(output.stderr, '');

  const reader = spawn('/bin/sh', ['-c', `'${home.program('bedrock-auth')}' logs -f | head -n 1`], {
    env: { ...home.env },
  });
  const gone = listenTo(reader);
  await until(() => gone.output.stdout !== '');
  await appendFile(log, '{"event":"nobody reads this"}\n{"event":"nor this"}\n');
  t.equal(await gone.ended, 0);
  t.equal(gone.output.stderr, '', 'a reader that went away is an end like any other');
  await rm(join(home.directory, 'logs'), { recursive: true });
  t.match(await auth(['logs']), { status: 0, stdout: '', stderr: /^There is no log yet/ });
});

t.test('audit shows the programs that got credentials', { skip: process.platform !== 'linux' }, async (t) => {
  const { home, auth } = await world(t);
  t.match(await auth(['audit']), { status: 0, stdout: '', stderr: /nothing was given out yet/ });
  await home.run('/bin/sh', ['-c', `'${home.program('credential-process')}'; exit $?`]);
  await home.run(home.program('credential-process'), ['--get-monitoring-token']);
  const read = async () => (await auth(['audit', '--json'])).stdout.split('\n').filter(Boolean);
  await until(async () => (await read()).length === 2);
  const { stdout } = await auth(['audit']);
  t.match(stdout, /^WHEN +PROFILE +WHAT +KEY +PID +PROGRAM\n/);
  t.match(stdout, /\n\d\d:\d\d:\d\d {2}ClaudeCode {2}credentials {2}\w{4} +\d+ +\/\S*sh\n/);
  t.match(stdout, /id-token +- /);
  t.equal((await auth(['audit', '--program', 'no such'])).stdout, '');
  t.equal((await auth(['audit', '--refused'])).stdout, '');
  t.equal((await auth(['audit', '--profile', 'Team'])).stdout, '');
  t.equal((await auth(['audit', '-n', '1', '--json'])).stdout, `${(await read())[1]}\n`);
  await home.endDaemon();
  t.equal((await auth(['audit'])).stdout, stdout, 'no daemon is needed');
});

t.test('a piped status --watch prints a line for each change and exits with 0', async (t) => {
  const { home, auth } = await world(t);
  // The first credentials come a moment after the sign-in, and would be a change.
  t.match(await home.run(home.program('credential-process')), { status: 0 });
  const lines = running(home, ['status', '--watch']);
  const json = running(home, ['status', '-w', '--json']);
  await until(() => /ClaudeCode/.test(lines.output.stdout) && json.output.stdout !== '');
  await auth(['logout']);
  await until(
    () => /signed out/.test(lines.output.stdout) && /"state":"signed-out"/.test(json.output.stdout),
  );
  await home.endDaemon();
  await until(() => /not running/.test(lines.output.stdout) && /"daemon":null/.test(json.output.stdout));
  for (const [each, signal] of [
    [lines, 'SIGINT'],
    [json, 'SIGTERM'],
  ] as const) {
    each.child.kill(signal);
    t.equal(await each.ended, 0);
    t.equal(each.output.stderr, '');
  }
  t.match(
    lines.output.stdout,
    new RegExp(
      [
        '^\\d\\d:\\d\\d:\\d\\d {2}daemon {8}running, version .*, process \\d+',
        '.* {2}ClaudeCode {4}signed in as demo@example\\.com, credentials until \\d\\d:\\d\\d:\\d\\d',
        '.* {2}ClaudeCode {4}signed out, credentials none',
        '.* {2}daemon {8}bedrock-auth: daemon not running: .*\n$',
      ].join('\n'),
    ),
  );
  const states = json.output.stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as StatusReply).profiles[0]?.state);
  t.strictSame([...new Set(states)], ['signed-in', 'signed-out', undefined]);
});

t.test('status --watch on a terminal redraws and never clears', { skip: missing({ script }) }, async (t) => {
  const { home } = await world(t);
  const command = `stty rows 8 columns 80; exec '${home.program('bedrock-auth')}' status --watch`;
  const child = spawn(script ?? '', ['-qefc', command, '/dev/null'], {
    env: { ...home.env, TERM: 'xterm-256color' },
  });
  const { output, ended } = listenTo(child);
  const frame = '\x1b[?2026h\x1b[H';
  await until(() => output.stdout.split(frame).length > 2);
  // As Ctrl-C types it.
  child.stdin.write('\x03');
  t.equal(await ended, 0);
  const [before = '', ...frames] = output.stdout.split(frame);
  t.equal(before, '\x1b[?1049h\x1b[?25l\x1b[?7l', 'the second screen, once');
  for (const each of frames) {
    const [drawn = ''] = each.split('\x1b[J\x1b[?2026l');
    t.equal(drawn.split('\r\n').length, 8, 'no more than the terminal has');
    t.notMatch(drawn, '\x1b[2J');
    t.match(drawn, '\x1b[32msigned in as demo@example.com\x1b[0m\x1b[K');
  }
  const [, after = ''] = output.stdout.split('\x1b[?7h\x1b[?25h\x1b[?1049l');
  t.match(after, /signed in as.*\r\n.*daemon/s, 'the last view stays, whole');
});

t.test(
  'colours are used only on terminals and unless switched off',
  { skip: missing({ tmux }) },
  async (t) => {
    const { home } = await world(t);
    t.match(
      await captured(home, 'bedrock-auth status'),
      /ClaudeCode.* {2}.*32msigned in as demo@example\.com/,
    );
    t.notMatch(await captured(home, 'NO_COLOR=1 bedrock-auth status'), '\x1b');
    t.notMatch(await captured(home, 'TERM=dumb bedrock-auth status'), '\x1b');
  },
);

t.test('uninstall removes everything of ours and nothing else', async (t) => {
  const { home, sandbox, auth } = await world(t);
  const aws = join(home.home, '.aws/config');
  const own = await readFile(aws, 'utf8');
  const others = '# mine\r\n[default]\r\nregion = eu-west-1\n\n[profile other]\nregion=x\n';
  await writeFile(aws, `${others}\n${own}`);
  await mkdir(join(home.home, '.claude'));
  const settings = join(home.home, '.claude/settings.json');
  const login = JSON.stringify(`${home.program('bedrock-auth')} login`);
  await writeFile(
    settings,
    `{\n  "model": "x",\n  "env": {\n    "A": "1",\n    "CCWB_SIGN_IN": "off"\n  },\n  "awsAuthRefresh": ${login}\n}\n`,
  );
  await writeFile(join(home.directory, 'notes.txt'), 'of somebody');
  const dry = await auth(['uninstall', '--dry-run']);
  t.match(dry, { status: 0, stderr: '' });
  t.match(dry.stdout, /\[profile ClaudeCode\] in ~\/\.aws\/config\n/);
  t.match(dry.stdout, /awsAuthRefresh, env\.CCWB_SIGN_IN in ~\/\.claude\/settings\.json\n/);
  t.match(dry.stdout, /\nIt leaves\n {2}~\/claude-code-with-bedrock\/notes\.txt: nothing of ours\n/);
  t.match(await auth(['uninstall']), { status: 2, stderr: /nobody can be asked here/ });
  t.equal(await readFile(aws, 'utf8'), `${others}\n${own}`, 'neither has changed anything');
  t.match(await auth(['status']), { status: 0 });

  const done = await auth(['uninstall', '--yes']);
  t.match(done, { status: 0, stderr: '', stdout: /\nRemoved\.\n$/ });
  t.equal(await readFile(aws, 'utf8'), others);
  t.equal(await readFile(settings, 'utf8'), `{\n  "model": "x",\n  "env": {\n    "A": "1"\n  }\n}\n`);
  t.strictSame(await readdir(home.directory), ['notes.txt']);
  t.strictSame(await readdir(join(home.home, 'run')), []);
  t.equal(sandbox.provider.counts.revocations, 1);
});

t.test('uninstall keeps the files of its --keep flags', async (t) => {
  const { home, auth } = await world(t);
  const done = await auth(['uninstall', '-y', '--keep-config', '--keep-logs']);
  t.match(done, { status: 0, stdout: /It leaves\n(.*\n)*Removed\.\n$/ });
  t.strictSame((await readdir(home.directory)).sort(), ['config.json', 'logs']);
  t.strictSame(await readdir(home.home), ['browser', 'claude-code-with-bedrock', 'opened-pages', 'run']);
});
