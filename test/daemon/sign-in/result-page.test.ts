import { createHash } from 'node:crypto';
import t from 'tap';
import { resultPage, type SignInOutcome } from '../../../daemon/sign-in/result-page.ts';

const OUTCOMES: [SignInOutcome, number, RegExp, RegExp][] = [
  [
    { outcome: 'signed-in', user: 'ada@example.com', profile: 'ClaudeCode' },
    200,
    /You are signed in/,
    /Signed in as ada@example\.com\.[\s\S]*profile ClaudeCode/,
  ],
  [
    { outcome: 'signed-in-without-aws', user: 'ada@example.com', message: 'AWS said no', fix: 'ask' },
    200,
    /Signed in, but/,
    /ada@example\.com[\s\S]*AWS said no\.[\s\S]*What to do: Ask\./,
  ],
  [{ outcome: 'denied' }, 403, /Not signed in/, /bedrock-auth login/],
  [{ outcome: 'unknown' }, 400, /Nothing was waiting/, /bedrock-auth login/],
  [{ outcome: 'failed' }, 502, /did not work/, /Something went wrong[\s\S]*bedrock-auth login/],
  [
    { outcome: 'failed', message: 'the port is taken', fix: 'free it' },
    502,
    /did not work/,
    /The port is taken\.[\s\S]*What to do: Free it\./,
  ],
];

t.test('each outcome says what happened and what to do next', async (t) => {
  for (const [outcome, status, title, text] of OUTCOMES) {
    const page = resultPage(outcome);
    t.equal(page.status, status, outcome.outcome);
    t.match(/<title>([^<]*)<\/title>/.exec(page.html)?.[1], title);
    t.match(/<h1>([^<]*)<\/h1>/.exec(page.html)?.[1], title);
    t.match(page.html, text);
    t.match(page.html, /class="next">[^<]+</);
  }
});

t.test('a page loads, runs and sends nothing', async (t) => {
  for (const [outcome] of OUTCOMES) {
    const { html } = resultPage(outcome);
    t.notMatch(html, /<(script|link|img|iframe|form|object|embed|base|a)\b/i, outcome.outcome);
    t.notMatch(html, /\s(src|href|action|style|on\w+)=/i);
    t.notMatch(html, /https?:|@import|url\(/i);
  }
});

t.test('the policy allows the one style sheet by its hash and nothing else', async (t) => {
  for (const [outcome] of OUTCOMES) {
    const { html, contentSecurityPolicy } = resultPage(outcome);
    const styles = [...html.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, style = '']) => style);
    t.equal(styles.length, 1);
    const hash = createHash('sha256')
      .update(styles[0] ?? '')
      .digest('base64');
    t.same(contentSecurityPolicy.split('; ').sort(), [
      "base-uri 'none'",
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      `style-src 'sha256-${hash}'`,
    ]);
  }
});

t.test('foreign values are text, never markup', async (t) => {
  const hostile = `</h1><script>alert("1")</script>'&`;
  const pages = [
    resultPage({ outcome: 'signed-in', user: hostile, profile: hostile }),
    resultPage({ outcome: 'signed-in-without-aws', user: hostile, message: hostile, fix: hostile }),
    resultPage({ outcome: 'failed', message: hostile, fix: hostile }),
  ];
  const escaped = '&#60;/h1&#62;&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#39;&#38;';
  for (const { html } of pages) {
    t.notMatch(html, /<script/);
    t.ok(html.includes(escaped));
    t.equal(html.match(/<h1>/g)?.length, 1);
  }
});

t.test('errors become sentences', async (t) => {
  const line = (message: string) => resultPage({ outcome: 'failed', message, fix: 'x' }).html;
  t.match(line('port 8400 is taken'), /<p>Port 8400 is taken\.<\/p>/);
  t.match(line('is it?'), /<p>Is it\?<\/p>/);
  t.match(line('über'), /<p>Über\.<\/p>/);
});

t.test('a page works in light and dark, on a phone, and for a screen reader', async (t) => {
  const { html } = resultPage({ outcome: 'denied' });
  t.match(html, /<!doctype html>\n<html lang="en">/);
  t.match(html, /<meta charset="utf-8">/);
  t.match(html, /name="viewport" content="width=device-width/);
  t.match(html, /prefers-color-scheme:dark/);
  t.match(html, /aria-hidden="true"/);
  t.ok(html.length < 10_000);
});
