/** docs/images/demo.svg: what the demo printed, drawn as a terminal. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './pages.ts';

/** Width of the terminal, in characters. */
const COLUMNS = 108;
/** Sizes in pixels; a character of a monospaced font is 0.6 of its size wide. */
const FONT = 14;
const LINE = 20;
const PADDING = 24;
const TITLE_BAR = 40;
const COMMAND = 'npm run demo -- --once';

/** Runs the demo to its end and gives what it printed. */
export function runDemo(): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'build/js/tools/demo/demo.js'), '--once'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    child.once('error', reject);
    child.once('close', (status) =>
      status === 0 ? resolve(output) : reject(new Error(`the demo ended with ${status}: ${errors}`)),
    );
  });
}

/** The output as the picture has it: its temporary home goes by a short name. */
export function shortened(output: string): string {
  return output.replace(/\S*\/ccwb-\w{6}/g, '/tmp/ccwb').trim();
}

/** The output without what differs from run to run. */
export function withoutChance(output: string): string {
  return shortened(output)
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
    .replace(/authorize\?\S*/g, 'authorize?…')
    .replace(/pid \d+/g, 'pid N')
    .replace(/ASIA[A-Z2-7]{16}/g, 'ASIA…')
    .replace(/AROA\w+/g, 'AROA…')
    .replace(/"[^"\u2022]{4}\u2022+"/g, '"…"')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'TIME');
}

/** The picture: an SVG with the text as text, one element for each line of output. */
export function demoPicture(output: string): string {
  const rows: string[] = [];
  let row = 0;
  const element = (line: string, kind: string): void => {
    const spans = broken(line).map((part) => {
      const y = TITLE_BAR + PADDING + FONT / 2 + row * LINE;
      row += 1;
      return `<tspan x="${PADDING}" y="${y}">${escapeXml(part)}</tspan>`;
    });
    rows.push(`<text class="${kind}">${spans.join('')}</text>`);
  };
  element(`$ ${COMMAND}`, 'typed');
  for (const line of `\n${shortened(output)}`.split('\n')) {
    if (line === '') row += 1;
    else element(line, line.startsWith('\u25b8') ? 'step' : 'line');
  }
  const width = Math.ceil(COLUMNS * FONT * 0.6) + 2 * PADDING;
  const height = TITLE_BAR + 2 * PADDING + row * LINE - FONT / 2;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">A terminal after ${COMMAND}: a sign-in, the credentials, a verified call to AWS, and a renewal</title>
<style>
.card{fill:#1c1b19;stroke:#4a4843}
.bar{fill:#2b2a27}
text{font:${FONT}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:#d9d5ca}
.name{font-family:system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;font-size:13px;fill:#a8a49a;text-anchor:middle}
.typed{fill:#fff;font-weight:600}
.step{fill:#8fd0a8;font-weight:600}
</style>
<rect class="card" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="10"/>
<path class="bar" d="M1 ${TITLE_BAR}V11a10 10 0 0 1 10-10H${width - 11}a10 10 0 0 1 10 10V${TITLE_BAR}z"/>
<g><circle cx="24" cy="20" r="6" fill="#e0695f"/><circle cx="44" cy="20" r="6" fill="#dfae4c"/><circle cx="64" cy="20" r="6" fill="#68b36b"/></g>
<text class="name" x="${width / 2}" y="25">${COMMAND}</text>
${rows.join('\n')}
</svg>
`;
}

/** The output that a picture shows, lines put together again. */
export function pictured(svg: string): string {
  return [...svg.matchAll(/<text class="(?:step|line)">(.*)<\/text>/g)]
    .map(([, spans = '']) => unescapeXml(spans.replace(/<[^>]+>/g, '')))
    .join('\n');
}

function broken(line: string): string[] {
  const characters = [...line];
  const parts: string[] = [];
  for (let at = 0; at < characters.length; at += COLUMNS) {
    parts.push(characters.slice(at, at + COLUMNS).join(''));
  }
  return parts;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function unescapeXml(text: string): string {
  return text.replaceAll('&gt;', '>').replaceAll('&lt;', '<').replaceAll('&amp;', '&');
}
