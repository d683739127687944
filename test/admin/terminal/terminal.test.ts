import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import t, { type Test } from 'tap';
import { findTool, missing } from '../../../tools/support/find-tool.ts';
import { type AdminCloud, STACK, startAdminCloud, useOwnClock } from '../fixtures/admin-cloud.ts';

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const CCWB = fileURLToPath(new URL(`../../../admin/ccwb.${EXTENSION}`, import.meta.url));
const script = findTool('/usr/bin/script');

/** Runs the real program on a terminal of 80 columns and types each answer when its question is there. */
async function onTerminal(
  { settings, configPath }: AdminCloud,
  args: string,
  answers: readonly (readonly [question: RegExp, keys: string])[],
): Promise<{ shown: string; status: number | null }> {
  const { endpoint = '', credentials } = settings();
  const command = `stty cols 80; exec "${process.execPath}" "${CCWB}" ${args}`;
  const terminal = spawn(script ?? '', ['-qec', command, '/dev/null'], {
    env: {
      PATH: process.env.PATH,
      TERM: 'xterm',
      CCWB_HOME: '/nonexistent/ccwb',
      CCWB_CONFIG: configPath,
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: credentials?.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials?.secretAccessKey,
      AWS_SESSION_TOKEN: credentials?.sessionToken,
    },
  });
  const left = [...answers];
  let shown = '';
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    const [next] = left;
    if (!next?.[0].test(shown)) return;
    left.shift();
    terminal.stdin.write(next[1]);
  });
  const [status] = (await once(terminal, 'close')) as [number | null];
  // What moves the cursor is of no interest here.
  return { shown: stripVTControlCharacters(shown).replaceAll('\r', ''), status };
}

const skip = missing({ script });
const running = async (t: Test): Promise<AdminCloud> => {
  const cloud = await startAdminCloud(t);
  cloud.aws.stacks.stepsPerLook = 10;
  useOwnClock(cloud);
  return cloud;
};

t.test('questions are asked on a terminal and each answer is read once', { skip }, async (t) => {
  const cloud = await running(t);
  const { shown, status } = await onTerminal(cloud, 'deploy', [
    [/Continue\? \[y\/N\] /, 'y\r'],
    [/Create ccwb-ClaudeCode-auth\? \[y\/N\] /, 'y\r'],
  ]);
  t.match(shown, /Continue\? \[y\/N\] .*y\n/);
  t.match(shown, /Create ccwb-ClaudeCode-auth\? \[y\/N\] .*y\n {2}\d\d:\d\d:\d\d {2}creating/s);
  t.notMatch(shown, /\] yy/);
  t.equal(status, 0);
});

t.test('Ctrl-C and Ctrl-D at a question end the command and leave nothing behind', { skip }, async (t) => {
  const cloud = await running(t);
  for (const key of ['\u0003', '\u0004']) {
    const { shown, status } = await onTerminal(cloud, 'deploy', [
      [/Continue\? \[y\/N\] /, 'y\r'],
      [/Create ccwb-ClaudeCode-auth\? \[y\/N\] /, key],
    ]);
    t.match(shown, /ccwb: interrupted at a question; nothing was changed by it \(ERR_INTERRUPTED\)\n/);
    t.equal(status, 1);
    t.equal(cloud.aws.stacks.find(STACK), undefined);
  }
});

t.test('Ctrl-C during an operation reports that CloudFormation continues', { skip }, async (t) => {
  const cloud = await running(t);
  cloud.aws.stacks.stepsPerLook = 1;
  const { shown, status } = await onTerminal(cloud, 'deploy --yes', [[/creating +OidcProvider/, '\u0003']]);
  t.match(
    shown,
    /ccwb: interrupted; ccwb-ClaudeCode-auth goes on in AWS \(CREATE_IN_PROGRESS\) \(ERR_STACK_PENDING\)\n/,
  );
  t.equal(status, 1);
  t.equal(cloud.aws.stacks.find(STACK)?.status, 'CREATE_IN_PROGRESS');
});
