import { createHash } from 'node:crypto';

/** The outcome of a sign-in for its page. Never contains texts of the callback's URL: anyone can make one. */
export type SignInOutcome =
  | { outcome: 'signed-in'; user: string; profile: string }
  | { outcome: 'signed-in-without-aws'; user: string; message: string; fix: string }
  | { outcome: 'denied' | 'unknown' }
  | { outcome: 'failed'; message?: string; fix?: string };

export type ResultPage = { status: number; html: string; contentSecurityPolicy: string };

type Content = {
  status: number;
  tone: 'good' | 'warn' | 'bad';
  title: string;
  lines: readonly string[];
  next: string;
};

/** Returns the last page of a sign-in: the outcome and the next step. One file without foreign resources. */
export function resultPage(outcome: SignInOutcome): ResultPage {
  const { status, tone, title, lines, next } = contentOf(outcome);
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)} · Claude Code with Bedrock</title>
<style>${STYLE}</style>
</head>
<body>
<main class="${tone}">
<svg class="mark" viewBox="0 0 48 48" aria-hidden="true" focusable="false"><circle cx="24" cy="24" r="22"/>${MARKS[tone]}</svg>
<h1>${escapeHtml(title)}</h1>
${lines.map((line) => `<p>${withCommands(line)}</p>`).join('\n')}
<p class="next">${withCommands(next)}</p>
</main>
<footer>Claude Code with Amazon Bedrock · this page comes from your own computer</footer>
</body>
</html>
`;
  return { status, html, contentSecurityPolicy: CONTENT_SECURITY_POLICY };
}

function contentOf(outcome: SignInOutcome): Content {
  switch (outcome.outcome) {
    case 'signed-in':
      return {
        status: 200,
        tone: 'good',
        title: 'You are signed in',
        lines: [
          `Signed in as ${outcome.user}.`,
          `The AWS profile ${outcome.profile} is ready and renews itself.`,
        ],
        next: 'You can close this tab and go back to your terminal.',
      };
    case 'signed-in-without-aws':
      return {
        status: 200,
        tone: 'warn',
        title: 'Signed in, but AWS said no',
        lines: [
          `Your company knows you as ${outcome.user}, but there are no AWS credentials yet.`,
          sentence(outcome.message),
        ],
        next: `What to do: ${sentence(outcome.fix)}`,
      };
    case 'denied':
      return {
        status: 403,
        tone: 'bad',
        title: 'Not signed in',
        lines: ["Your company's sign-in did not let you in, or it was cancelled there."],
        next: 'To try again, run bedrock-auth login in your terminal.',
      };
    case 'unknown':
      return {
        status: 400,
        tone: 'warn',
        title: 'Nothing was waiting for this page',
        lines: [
          'This address only answers the sign-in that is under way, and this request was not part of it.',
        ],
        next: 'If you are signing in, use the newest tab, or run bedrock-auth login again.',
      };
    case 'failed':
      return {
        status: 502,
        tone: 'bad',
        title: 'The sign-in did not work',
        lines: [sentence(outcome.message ?? 'something went wrong while finishing the sign-in')],
        next: `What to do: ${sentence(outcome.fix ?? 'run bedrock-auth login in your terminal')}`,
      };
  }
}

/** Turns an error text, which has no capital and no full stop, into a sentence. */
function sentence(text: string): string {
  const [first = '', ...rest] = text;
  return `${first.toUpperCase()}${rest.join('')}${/[.!?]$/.test(text) ? '' : '.'}`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Escapes a text and marks its commands as code, which also prevents line breaks at their hyphen. */
function withCommands(text: string): string {
  return escapeHtml(text).replace(/bedrock-auth( [a-z]+)?/g, '<code>$&</code>');
}

const MARKS = {
  good: '<path d="M14 25l7 7 13-15"/>',
  warn: '<path d="M24 13v14M24 34v1"/>',
  bad: '<path d="M17 17l14 14M31 17L17 31"/>',
} as const;

const STYLE = `
:root{--ink:#1f1e1d;--soft:#5e5c57;--paper:#faf9f5;--card:#fff;--line:#e5e2d9;--good:#2f7d4f;--warn:#9a6410;--bad:#b3372c}
@media (prefers-color-scheme:dark){:root{--ink:#f3f1ea;--soft:#b3afa5;--paper:#1c1b19;--card:#272624;--line:#3b3935;--good:#74c793;--warn:#e0ae5c;--bad:#f08d82}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;justify-content:center;gap:1.5rem;padding:1.5rem;background:var(--paper);color:var(--ink);font:1.0625rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
main{width:100%;max-width:30rem;padding:2.5rem 2rem;background:var(--card);border:1px solid var(--line);border-radius:1rem;text-align:center;overflow-wrap:anywhere}
h1{margin:1rem 0 .75rem;font-size:1.625rem;line-height:1.25;font-weight:650;letter-spacing:-.01em}
p{margin:.5rem 0;color:var(--soft);text-wrap:balance}
code{white-space:nowrap;font:.95em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.next{margin-top:1.5rem;padding-top:1.25rem;border-top:1px solid var(--line);color:var(--ink)}
.mark{width:3.5rem;height:3.5rem;fill:none;stroke:currentColor;stroke-width:3;stroke-linecap:round;stroke-linejoin:round}
.good .mark{color:var(--good)}.warn .mark{color:var(--warn)}.bad .mark{color:var(--bad)}
footer{color:var(--soft);font-size:.875rem;text-align:center}
`;

/** Forbids scripts, resources and frames; allows the one style sheet by its hash. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
