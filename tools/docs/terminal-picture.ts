/** docs/images/status.svg and doctor.svg: what a terminal of 80 columns shows, drawn from a capture of tmux. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { findTool } from '../support/find-tool.ts';
import { freePort } from '../support/free-port.ts';
import { type Installation, install } from '../support/installation.ts';

export const tmux = findTool('/usr/bin/tmux', '/usr/local/bin/tmux');

const COLUMNS = 80;
/** Sizes in pixels; a character of a monospaced font is 0.6 of its size wide. */
const FONT = 14;
const LINE = 20;
const PADDING = 24;

/** Control sequences for colours that the programs use, as classes of the picture. */
const CLASSES: Readonly<Record<string, string>> = {
  1: 'b',
  2: 'd',
  31: 'r',
  32: 'g',
  33: 'y',
  36: 'c',
  90: 'l',
};

/** Commands that the pictures show, by picture. */
const PICTURES: Readonly<Record<string, string>> = {
  status: 'bedrock-auth status',
  doctor: 'AWS_ACCESS_KEY_ID=AKIAEXAMPLE bedrock-auth doctor',
};

/** Runs the commands in a terminal and writes `status.svg` and `doctor.svg` into `folder`. */
export async function drawTerminals(folder: string): Promise<void> {
  const redirectPort = await freePort();
  const sandbox = await startSandbox({ provider: { redirectPorts: [redirectPort] } });
  const home = await install({ profiles: { ClaudeCode: sandbox.profile({ redirect_port: redirectPort }) } });
  try {
    await wireClaude(home);
    await home.run(home.program('bedrock-auth'), ['login']);
    await home.run(home.program('credential-process'));
    for (const [name, command] of Object.entries(PICTURES)) {
      const shown = (await captured(home, command)).replaceAll(home.home, '/home/jane');
      await writeFile(join(folder, `${name}.svg`), picture(command, shown.trimEnd().split('\n')));
    }
  } finally {
    await home.remove();
    await sandbox.close();
  }
}

/** The text of a picture, without its colours. */
export function pictured(svg: string): string {
  return [...svg.matchAll(/<text class="line".*?>(.*)<\/text>/g)]
    .map(([, spans = '']) => spans.replace(/<[^>]+>/g, ''))
    .map((text) => text.replaceAll('&gt;', '>').replaceAll('&lt;', '<').replaceAll('&amp;', '&'))
    .join('\n');
}

async function wireClaude(home: Installation): Promise<void> {
  const env = {
    CLAUDE_CODE_USE_BEDROCK: '1',
    AWS_PROFILE: 'ClaudeCode',
    AWS_REGION: 'us-east-1',
    CCWB_SIGN_IN: 'off',
  };
  const awsAuthRefresh = `${home.program('bedrock-auth')} login --profile ClaudeCode`;
  await mkdir(join(home.home, '.claude'));
  await writeFile(join(home.home, '.claude/settings.json'), JSON.stringify({ env, awsAuthRefresh }));
}

/** Each capture has a server of its own: the one before may still be ending. */
let servers = 0;

/** Returns the screen of a terminal after the command has ended, with its colours. */
export async function captured(home: Installation, command: string, rows = 60): Promise<string> {
  const env = { ...home.env, PATH: `${home.directory}:/usr/bin:/bin`, TMUX_TMPDIR: home.home, TZ: 'UTC' };
  servers += 1;
  const server = `picture-${servers}`;
  const run = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)(tmux ?? 'tmux', ['-L', server, ...args], { env })).stdout;
  const size = ['-x', String(COLUMNS), '-y', String(rows)];
  await run(
    '-f',
    '/dev/null',
    'new-session',
    '-d',
    ...size,
    `${command}; tmux -L ${server} wait-for -S done; sleep 60`,
  );
  try {
    await run('wait-for', 'done');
    return await run('capture-pane', '-e', '-p', '-J');
  } finally {
    await run('kill-server');
  }
}

/** A terminal of 80 columns in which the command was typed. */
export function picture(command: string, lines: readonly string[]): string {
  const typed = command.replace(/^\w+=\S+ /, '');
  const rows = [`\x1b[1m$ ${typed}\x1b[0m`, '', ...lines].map((line, index) => {
    const y = PADDING + FONT + index * LINE;
    return line === ''
      ? ''
      : `<text class="${index < 2 ? 'typed' : 'line'}" x="${PADDING}" y="${y}">${spans(line)}</text>\n`;
  });
  const width = Math.ceil(COLUMNS * FONT * 0.6) + 2 * PADDING;
  const height = 2 * PADDING + (lines.length + 2) * LINE;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">A terminal after ${typed}</title>
<style>
rect{fill:#1c1b19;stroke:#4a4843}
text{font:${FONT}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:#d9d5ca}
.b{fill:#fff;font-weight:600}
.d{fill:#a8a49a}
.r{fill:#f0857b}
.g{fill:#8fd0a8}
.y{fill:#e6c069}
.c{fill:#7fc4d6}
.l{fill:#6b6860}
</style>
<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="10"/>
${rows.join('')}</svg>
`;
}

function spans(line: string): string {
  let colour: string | undefined;
  return line
    .split('\x1b[')
    .map((part, index) => {
      const [, codes = '', text = ''] = (index > 0 && /^([\d;]*)m([\s\S]*)$/.exec(part)) || ['', '', part];
      if (index > 0)
        colour = codes
          .split(';')
          .map((code) => CLASSES[code])
          .find(Boolean);
      const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
      return colour && escaped ? `<tspan class="${colour}">${escaped}</tspan>` : escaped;
    })
    .join('');
}
