/** docs/first-hour.md: a user's first hour, every command of it run against the sandbox. */
import { join } from 'node:path';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox.ts';
import { freePort } from '../support/free-port.ts';
import { type Installation, install } from '../support/installation.ts';
import { makePackage } from '../support/package.ts';

type World = { home: Installation; sandbox: Sandbox };

/** Words, a command that is typed, or something that happens to the world. */
type Step = string | { run: string; status?: number } | { happens(world: World): Promise<unknown> | unknown };

const $ = (run: string, status = 0): Step => ({ run, status });
const happens = (what: (world: World) => Promise<unknown> | unknown): Step => ({ happens: what });

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 200));

const WHO = `bedrock-auth exec -- sh -c 'echo "$AWS_ACCESS_KEY_ID until $AWS_CREDENTIAL_EXPIRATION"'`;

const STEPS: readonly Step[] = [
  `# A first hour

What a user types and sees, from an installation to none. Every line was printed by the programs themselves in a run
against the [sandbox](sandbox.md), and a test runs it again: only the home, ports, times and ids differ from run to
run. The browser of that run signed in by itself. Output is as it is piped; on a terminal it has colours.

## It works

The archive from the administrator has been unpacked. [Installing](installing.md) tells what happens here.`,
  $('cd ~/Downloads/claude-code-with-bedrock && ./install.sh'),
  'The same again changes nothing.',
  $('~/Downloads/claude-code-with-bedrock/install.sh | head -n 2'),
  'With the folder on the `PATH`, which is one line in `~/.profile`, the names of the programs will do.',
  $('bedrock-auth doctor'),
  'Nothing has been started, and nobody is signed in.',
  $('bedrock-auth login'),
  $('bedrock-auth status'),
  'From now on every AWS tool has credentials, by the profile `ClaudeCode` or in the variables it reads.',
  $(WHO),
  // It is written a moment after the answer was given.
  happens(async ({ home }) => {
    const audit = () => home.run(home.program('bedrock-auth'), ['audit', '--json']);
    while ((await audit()).stdout === '') await pause();
  }),
  $('bedrock-auth audit'),
  `## The session has ended

Overnight the identity provider ended the session, and the computer was started anew. Claude Code asks for
credentials, where nobody would see a page; what it gets is the command that it runs next itself (\`awsAuthRefresh\`).`,
  happens(({ sandbox }) => sandbox.provider.revokeAll()),
  $('bedrock-auth service restart'),
  $('CCWB_SIGN_IN=off credential-process --profile ClaudeCode', 1),
  $('bedrock-auth login --profile ClaudeCode | tail -n 1'),
  `## The network is gone

Neither the provider nor AWS can be reached. What is in memory goes on serving.`,
  happens(async ({ home, sandbox }) => {
    // The first credentials come a moment after the sign-in.
    while (!(await home.status()).profiles[0]?.credentialsUntil) await pause();
    await Promise.all([sandbox.provider.stop(), sandbox.aws.stop()]);
  }),
  $(WHO),
  $('bedrock-auth doctor | grep -A 1 problem', 0),
  'Only who has no credentials any more is told, and what to do.',
  $('credential-process --clear-cache'),
  $('CCWB_SIGN_IN=off credential-process', 1),
  'The network comes back. Nobody has to sign in again.',
  happens(async ({ home, sandbox }) => {
    await Promise.all([sandbox.provider.start(), sandbox.aws.start()]);
    // A failure is not repeated for every caller; a moment later it is tried again.
    const ask = () => home.run(home.program('credential-process'), [], { env: { CCWB_SIGN_IN: 'off' } });
    while ((await ask()).status !== 0) await pause();
  }),
  $(WHO),
  `## Signing out, and away with it`,
  $('bedrock-auth logout'),
  $('bedrock-auth uninstall --dry-run'),
  $('bedrock-auth uninstall --yes | tail -n 1'),
  $('ls -A ~/claude-code-with-bedrock ~/.aws ~/.claude', 2),
];

/** The page, from a run of its own. @throws Error when a command does not end as it should */
export async function firstHour(): Promise<string> {
  const redirectPort = await freePort();
  const sandbox = await startSandbox({ provider: { redirectPorts: [redirectPort] } });
  const profiles = { ClaudeCode: sandbox.profile({ redirect_port: redirectPort }) };
  const home = await install({ profiles, empty: true });
  makePackage(join(home.home, 'Downloads/claude-code-with-bedrock'), { profiles });
  const parts: string[] = [];
  try {
    for (const step of STEPS) {
      if (typeof step === 'string') parts.push(step);
      else if ('happens' in step) await step.happens({ home, sandbox });
      else parts.push(await typed(home, step.run, step.status ?? 0));
    }
  } finally {
    await home.remove();
    await sandbox.close();
  }
  const page = parts.join('\n\n').replaceAll('```\n\n```text\n', '\n');
  return `${page.replaceAll(home.home, '/home/jane')}\n`;
}

async function typed(home: Installation, command: string, status: number): Promise<string> {
  const installing = command.includes('install.sh');
  const env = {
    PATH: `${installing ? '' : `${home.directory}:`}/usr/bin:/bin`,
    TZ: 'UTC',
    LC_ALL: 'C.UTF-8',
  };
  const output = await home.run('/bin/sh', ['-c', `exec 2>&1\n${command}`], { env });
  if (output.status !== status) {
    throw new Error(`${command}: ended with ${output.status}, not ${status}\n${output.stdout}`);
  }
  return `\`\`\`text\n$ ${command}\n${output.stdout.trimEnd()}\n\`\`\``;
}

/** The page without what differs from run to run; how lines are broken differs with that. */
export function withoutChance(page: string): string {
  return page
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
    .replace(/-[0-9a-f]{8}\b/g, '-DIGEST')
    .replace(/\d+ files, \d+ MB/g, 'FILES')
    .replace(/port \d+/g, 'port N')
    .replace(/process \d+/g, 'process N')
    .replace(/authorize\?\S*/g, 'authorize?…')
    .replace(/ASIA[A-Z2-7]{16}/g, 'ASIA…')
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\dZ?)?/g, 'TIME')
    .replace(/\b\d\d:\d\d(:\d\d)?\b/g, 'TIME')
    .replace(/\d+ (?:h|min|s)\b/g, 'N')
    .replace(/\bN N\b/g, 'N')
    .replace(/credentials {2}\w{4} {2}\d+ +\/usr\/bin\/\w+$/gm, 'credentials KEY PID PROGRAM')
    .replace(/Node\.js\s+[\d.]+/g, 'Node.js N')
    .replace(/\s+/g, ' ');
}
