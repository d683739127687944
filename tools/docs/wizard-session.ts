/** `ccwb init` on a terminal of 80 columns, in tmux: the transcripts of docs/init.md and its picture. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { ROOT, readText } from './pages.ts';
import { picture, tmux } from './terminal-picture.ts';

/** Input by the beginning of its question: texts, and names of keys in angle brackets. */
type Keys = Readonly<Record<string, readonly string[]>>;

export type Recording = { readonly title: string; readonly text: string };

const WAIT_MS = 60_000;
/** Enough for a whole start of the wizard, so that nothing scrolls away. */
const ROWS = 190;

const CLIENT: Keys = { 'Client id': ['0oa1example', '<Enter>'] };
const END: Keys = { 'Through which': ['<C-c>'] };

/** The provider's step, by type: everything typed by hand, and Ctrl-C at the next step. */
const PROVIDERS: Readonly<Record<string, Keys>> = {
  Okta: { 'Domain of': ['company.okta.com', '<Enter>'], Authorization: ['default', '<Enter>'], ...CLIENT },
  'Microsoft Entra ID': {
    'Domain of': ['login.microsoftonline.com', '<Enter>'],
    'Tenant id': ['72f988bf-86f1-41af-91ab-2d7cd011db47', '<Enter>'],
    'Client id': ['7c9f1c3e-5f0a-4c55-9a3e-000000000000', '<Enter>'],
  },
  Auth0: { 'Domain of': ['company.eu.auth0.com', '<Enter>'], 'Client id': ['Bf4xExampleClient', '<Enter>'] },
  'Amazon Cognito': {
    'Domain of': ['company.auth.eu-central-1.amazoncognito.com', '<Enter>'],
    'Id of the user pool': ['eu-central-1_Ab12Cd34E', '<Enter>'],
    'Client id': ['3n4b5urk1ft4fl3mg5e62d9ado', '<Enter>'],
  },
  Google: {
    'Domain of': ['accounts.google.com', '<Enter>'],
    'Client id': ['1234-abcd.apps.googleusercontent.com', '<Enter>'],
    'Client secret': ['GOCSPX-example', '<Enter>'],
  },
};

/** Everything, with a collector and what goes with it, at a provider and an account that answer. */
const EVERYTHING: Keys = {
  'Client id': ['sandbox-client', '<Enter>'],
  'Who may': ['<Down>', '<Enter>'],
  'Groups,': ['claude-code-users', '<Enter>'],
  'Keep an audit': ['y'],
  'Monitor usage': ['y'],
  'Name for': ['otel.company.example', '<Enter>'],
  'Route 53': ['Z0123456789ABC', '<Enter>'],
  'Alarms,': ['y'],
  'Where are alarms': ['ops@company.example', '<Enter>'],
  'How many people': ['250', '<Enter>'],
};

/** The step of each provider that is not asked anything over the network. */
export async function recordProviders(): Promise<Recording[]> {
  const recordings: Recording[] = [];
  for (const [title, keys] of Object.entries(PROVIDERS)) {
    const text = await inTerminal('ccwb init --no-check', { ...keys, ...END }, {}, false);
    recordings.push({ title, text: stepOf(text, 'Identity provider') });
  }
  return recordings;
}

/** A whole start, against the sandbox: with a live check of the provider and of AWS. */
export async function recordEverything(colours: boolean): Promise<string> {
  const sandbox = await startSandbox();
  try {
    const { accessKeyId, secretAccessKey, sessionToken } = sandbox.aws.signIn(
      'arn:aws:iam::123456789012:role/Administrator',
      'ada@example.com',
    );
    const keys = { 'Domain of': [sandbox.provider.issuer, '<Enter>'], ...EVERYTHING };
    const env = {
      AWS_ENDPOINT_URL: sandbox.aws.url,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    };
    const text = await inTerminal('ccwb init', keys, env, colours);
    // Ports are chance, and a port of five digits is as wide as this.
    return text.replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'http://127.0.0.1:41000');
  } finally {
    await sandbox.close();
  }
}

/** docs/images/init.svg: the end of that start. */
export async function drawWizard(folder: string): Promise<void> {
  const lines = withColoursCarried((await recordEverything(true)).trimEnd().split('\n'));
  const start = lines.findIndex((line) => /Summary/.test(line));
  await writeFile(join(folder, 'init.svg'), picture('ccwb init', lines.slice(start - 1)));
}

/** tmux says a colour once, though it goes on over the ends of lines; in a picture each line stands alone. */
function withColoursCarried(lines: readonly string[]): string[] {
  let colour = '';
  return lines.map((line) => {
    const carried = line === '' ? '' : colour + line;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for
    colour = line === '' ? colour : (carried.match(/\x1b\[[\d;]*m/g)?.at(-1) ?? '');
    return carried;
  });
}

const BLOCK = /<!-- transcript of (.+?) -->\n[\s\S]*?<!-- transcript ends -->/g;

/** The page with its transcripts as they are today. */
export async function withFreshTranscripts(page: string): Promise<string> {
  const recordings = new Map((await recordProviders()).map(({ title, text }) => [title, text]));
  recordings.set('everything', await recordEverything(false));
  return page.replace(BLOCK, (_, title: string) => {
    const text = recordings.get(title);
    if (text === undefined) throw new Error(`the page has a transcript of ${title}, which nobody records`);
    return `<!-- transcript of ${title} -->\n${fenced(text)}\n<!-- transcript ends -->`;
  });
}

/** The transcripts that a page quotes, by their titles. */
export function transcriptsIn(page: string): Map<string, string> {
  return new Map(
    [...page.matchAll(/<!-- transcript of (.+?) -->\n```text\n([\s\S]*?)\n```/g)].map(
      ([, title = '', text = '']) => [title, text],
    ),
  );
}

function fenced(text: string): string {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\``;
}

function stepOf(text: string, title: string): string {
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.startsWith(`│  ${title}`));
  const to = lines.findIndex((line) => line.startsWith('│  Federation'));
  return lines.slice(from, to - 1).join('\n');
}

/** Each has a server of its own: the one before may still be ending. */
let servers = 0;

/** Runs a command, types at each question as it opens, and gives what the terminal shows at the end. */
async function inTerminal(
  command: string,
  keys: Keys,
  env: Readonly<Record<string, string | undefined>>,
  colours: boolean,
): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'ccwb-wizard-'));
  servers += 1;
  const server = `wizard-${servers}`;
  const program = command.replace('ccwb', `"${process.execPath}" "${join(ROOT, 'build/js/admin/ccwb.js')}"`);
  const run = async (...args: string[]): Promise<string> =>
    (
      await promisify(execFile)(tmux ?? 'tmux', ['-L', server, ...args], {
        env: {
          PATH: '/usr/bin:/bin',
          HOME: home,
          TMUX_TMPDIR: home,
          CCWB_HOME: home,
          LANG: 'C.UTF-8',
          ...env,
        },
      })
    ).stdout;
  const done = join(home, 'done');
  const size = ['-x', '80', '-y', String(ROWS)];
  try {
    await run('-f', '/dev/null', 'new-session', '-d', ...size, `${program}; echo > ${done}; sleep 60`);
    await answer(run, keys, done);
    const shown = await run('capture-pane', '-p', ...(colours ? ['-e'] : []));
    return shown.replaceAll(home, '/home/ada/.ccwb').trimEnd();
  } finally {
    await run('kill-server').catch(() => {});
    await rm(home, { recursive: true, force: true });
  }
}

async function answer(run: (...args: string[]) => Promise<string>, keys: Keys, done: string): Promise<void> {
  const until = Date.now() + WAIT_MS;
  let answered = '';
  while (!(await readFile(done).catch(() => undefined))) {
    if (Date.now() > until)
      throw new Error(`it waits for something else:\n${await run('capture-pane', '-p')}`);
    const shown = await run('capture-pane', '-p');
    const question = /◆ {2}(.+)\n(?:.*\n)*?└/.exec(shown)?.[1];
    if (question === undefined || question === answered) {
      await delay(25);
      continue;
    }
    answered = question;
    const typed = Object.entries(keys).find(([beginning]) => question.startsWith(beginning))?.[1] ?? [
      '<Enter>',
    ];
    for (const key of typed) {
      const named = /^<(.+)>$/.exec(key)?.[1];
      await run('send-keys', ...(named === undefined ? ['-l', key] : [named]));
    }
  }
}

/** The page of the wizard. */
export const PAGE = 'docs/init.md';

export function pageText(): string {
  return readText(PAGE);
}
