import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import t from 'tap';
import { findTool, missing } from '../../../tools/support/find-tool.ts';
import { wizard } from './fixtures/wizard.ts';

const CCWB = fileURLToPath(new URL('../../../admin/ccwb.js', import.meta.url));
const script = findTool('/usr/bin/script');
const skip = missing({ script });
t.setTimeout(240_000);

const ENTER = '\r';
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

/** Keys for a question, by how it begins; for the others Enter. */
type Keys = Readonly<Record<string, string>>;

type Session = { shown: string; asked: string[]; status: number | null };

/**
 * Runs the real program on a terminal of 80 columns.
 *
 * @param keys called with each question as it appears, by its first words; gives what is typed.
 */
async function session(
  home: string,
  args: string,
  keys: (question: string, count: number) => string,
  {
    env = {},
    onStart = () => {},
  }: {
    readonly env?: Readonly<Record<string, string>>;
    readonly onStart?: (press: (keys: string) => void) => void;
  } = {},
): Promise<Session> {
  const command = `stty cols 80 rows 60; exec "${process.execPath}" "${CCWB}" init ${args}`;
  const terminal = spawn(script ?? '', ['-qec', command, '/dev/null'], {
    env: { PATH: process.env.PATH, HOME: home, TERM: 'xterm', CCWB_HOME: home, ...env },
  });
  onStart((keys) => terminal.stdin.write(keys));
  const asked: string[] = [];
  let shown = '';
  let seen = 0;
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    const plain = stripVTControlCharacters(shown.slice(seen));
    // An open question has its own mark; it is whole once the guide ends below it.
    const question = /◆ {2}(.+?)\r?\n[\s\S]*└/.exec(plain)?.[1];
    if (question === undefined) return;
    seen = shown.length;
    asked.push(question.trim());
    terminal.stdin.write(keys(question, asked.length));
  });
  const [status] = (await once(terminal, 'close')) as [number | null];
  return { shown: stripVTControlCharacters(shown).replaceAll('\r', ''), asked, status };
}

function typed(keys: Keys, question: string): string {
  const found = Object.entries(keys).find(([beginning]) => question.startsWith(beginning));
  return found ? found[1] : ENTER;
}

/** Through every step, and as many of their questions as there can be. */
const EVERYTHING: Keys = {
  'Domain of': `company.okta.com${ENTER}`,
  'Client id': `0oa1example${ENTER}`,
  'Through which': `\u001b[B${ENTER}`,
  'Who may': `\u001b[B${ENTER}`,
  'Groups,': `claude${ENTER}`,
  'Keep an audit': 'y',
  'Monitor usage': 'y',
  'Where does the collector': `\u001b[A${ENTER}`,
  'Id of the VPC': `vpc-0123456789abcdef0${ENTER}`,
  'Subnets of the collector': `subnet-0123456789abcdef0${ENTER}`,
  'Subnets of the load': `subnet-0123456789abcdef0, subnet-0123456789abcdef1${ENTER}`,
  'Name for': `otel.company.example${ENTER}`,
  'Route 53': `Z0123${ENTER}`,
  'Alarms,': 'y',
  'Keep all of it': 'y',
};

t.test(
  'Ctrl-C at any question keeps the answers and the next start continues with them',
  { skip },
  async (t) => {
    const { home, draft, profile } = wizard(t);
    const reached: string[] = [];
    for (let runs = 1; ; runs += 1) {
      let stopped = false;
      const answers = Object.keys(draft()?.answers ?? {}).length;
      const { shown, status, asked } = await session(home, '--no-check', (question) => {
        if (/^(Name of|An answer|\d+ answers)/.test(question)) return ENTER;
        if (reached.at(-1) === question || question.startsWith('Save')) return typed(EVERYTHING, question);
        // The first that this start did not come to before.
        stopped = true;
        reached.push(question);
        return runs % 2 === 0 ? CTRL_D : CTRL_C;
      });
      if (!stopped) {
        t.equal(status, 0, shown);
        break;
      }
      t.equal(status, 1);
      const kept = Object.keys(draft()?.answers ?? {}).length;
      t.equal(kept, runs === 1 ? 0 : answers + 1, `stopped at ${reached.at(-1)}`);
      const told =
        runs === 1
          ? 'before the first answer; nothing was saved'
          : '; nothing was saved, the answers are kept';
      t.match(shown, `ccwb: interrupted${runs === 1 ? ' ' : ''}${told} (ERR_INTERRUPTED)\n`);
      if (runs > 2) t.match(asked[1], /kept\. Go on from there\?$/);
      if (runs > 60) throw new Error(`it goes round and round: ${reached.join('\n')}`);
    }
    t.ok(reached.length > 25, `stopped at ${reached.length} questions`);
    t.equal(new Set(reached).size, reached.length, 'at each of them once');
    t.match(profile(), {
      config: { federation_type: 'direct', max_session_duration: 43_200 },
      infra: {
        accessGroups: { groups: ['claude'] },
        audit: { retentionDays: 90 },
        monitoring: {
          network: {
            type: 'existing',
            loadBalancerSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
          },
          domain: { name: 'otel.company.example', hostedZoneId: 'Z0123' },
          alarms: { dailyCostUsd: 500 },
          analytics: { resultsDays: 7 },
        },
      },
    });
    t.equal(draft(), undefined);
  },
);

t.test('Ctrl-C during a live check ends the wizard and keeps the answers', { skip }, async (t) => {
  let press: (keys: string) => void = () => {};
  // It takes connections and answers nothing.
  const silent = createServer((socket) => {
    socket.on('error', () => {});
    press(CTRL_C);
    // Once: a program that is told again while it ends is ended by the signal.
    press = () => {};
  }).listen(0, '127.0.0.1');
  t.teardown(() => silent.close());
  await once(silent, 'listening');
  const address = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const keys = { 'Domain of': `${address}${ENTER}`, 'Client id': `a${ENTER}`, 'What now': CTRL_C };
  const aws = { AWS_ENDPOINT_URL: address, AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
  for (const [flag, last] of [
    ['--no-check-aws', 'client-id'],
    ['--no-check-provider', 'aws-region'],
  ] as const) {
    const { home, draft } = wizard(t);
    const { shown, status } = await session(home, flag, (question) => typed(keys, question), {
      env: aws,
      onStart: (presses) => {
        press = presses;
      },
    });
    t.equal(status, 1);
    t.notMatch(shown, 'What now');
    t.match(shown, 'ccwb: interrupted; nothing was saved, the answers are kept (ERR_INTERRUPTED)');
    t.equal(Object.keys(draft()?.answers ?? {}).at(-1), last);
  }
});

t.test('NO_COLOR removes the colours and the cursor still moves correctly', { skip }, async (t) => {
  const { home } = wizard(t);
  const raw: string[] = [];
  const command = `exec "${process.execPath}" "${CCWB}" init --no-check`;
  const terminal = spawn(script ?? '', ['-qec', command, '/dev/null'], {
    env: { PATH: process.env.PATH, HOME: home, TERM: 'xterm', CCWB_HOME: home, NO_COLOR: '1' },
  });
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    raw.push(text);
    if (/◆/.test(text)) terminal.stdin.write(CTRL_C);
  });
  await once(terminal, 'close');
  t.match(raw.join(''), /Name of the deployment/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  t.notMatch(raw.join(''), /\x1b\[[\d;]*m/);
});
