import t from 'tap';
import { resultPage } from '../../daemon/sign-in/result-page.ts';
import { loginRequired } from '../../protocol/errors.ts';
import { VERSION_HEADER } from '../../protocol/version.ts';
import { mutatedApiRequest } from './api-request.ts';
import { judgeReplies, validRequests } from './api-rules.ts';
import { mayBeAwaited } from './callback-request.ts';
import { Failure } from './failure.ts';
import { mutatedJson } from './json.ts';
import { assertNotGrown, MOST_GROWTH, measured } from './measure.ts';
import { randomAt } from './random.ts';
import { FoundFailure, fuzz } from './run.ts';
import type { Target } from './target.ts';
import { judgeRefusal } from './target-callback.ts';
import { TARGETS } from './targets.ts';

/** Of each target as much as takes a second or two; `npm run test:fuzz` does the rest. */
const COUNTS: Readonly<Record<string, number>> = {
  config: 1_000,
  session: 3_000,
  claims: 1_500,
  tokens: 300,
  aws: 150,
  client: 250,
  redeem: 6,
  callback: 600,
  api: 800,
};

for (const target of TARGETS) {
  t.test(`a fixed part of the fuzzing finds no failure: ${target.name}`, async (t) => {
    const count = COUNTS[target.name] ?? 0;
    try {
      t.equal(await fuzz(target, { seed: 1, from: 0, count }), count);
    } catch (error) {
      if (!(error instanceof FoundFailure)) throw error;
      const { message, from, count: suspects, failure } = error;
      t.fail(`iterations ${from} to ${from + suspects - 1}: ${message}`, failure);
    }
  });
}

t.test('an iteration is reproducible and differs from others', async (t) => {
  const names = { profiles: ['A', 'B'], signIn: 'id' };
  const bytes = (seed: number, iteration: number): string =>
    mutatedApiRequest(randomAt(seed, 'api', iteration), names).toString('latin1');
  t.equal(bytes(7, 4_000_000_000), bytes(7, 4_000_000_000));
  const some = Array.from({ length: 500 }, (_, i) => bytes(7, i));
  t.ok(new Set(some).size > 400, 'they differ');
  t.notSame(
    some,
    Array.from({ length: 500 }, (_, i) => bytes(8, i)),
  );
  t.not(mutatedJson({ a: 1 }, randomAt(1, 'x', 1)), '{"a":1}');
});

const request = 'GET /v1/profiles/A/credentials HTTP/1.1\r\nhost: localhost\r\n\r\n';

/** A reply of the daemon's API. */
function reply(status: number, body: unknown): string {
  const text = JSON.stringify(body);
  return `HTTP/1.1 ${status} X\r\n${VERSION_HEADER}: 1/0\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
}

t.test('a forbidden reply of the API is found', async (t) => {
  const planted = {
    credentials: ['the-secret-key'],
    idTokens: ['the-id-token'],
    never: ['the-refresh-token'],
  };
  const judge = (sent: string, got: string): string => {
    try {
      judgeReplies(Buffer.from(sent), Buffer.from(got), ['A'], planted);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  const credentials = { SecretAccessKey: 'the-secret-key' };
  const refused = loginRequired().toBody();
  t.equal(judge(request, reply(200, credentials)), '');
  t.equal(judge(request, reply(401, refused)), '');
  t.equal(judge('x', 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'), '');
  t.equal(judge('x', ''), '');
  t.match(judge(request.replace('GET', 'PUT'), reply(200, credentials)), /1 replies of credentials to 0/);
  t.match(judge(request, reply(200, credentials).repeat(2)), /2 replies of credentials to 1/);
  t.match(judge(request, reply(200, { idToken: 'the-id-token' })), /1 replies of id-token to 0/);
  t.match(judge(request, reply(200, { x: 'the-refresh-token' })), /refresh token/);
  t.match(judge(request, reply(403, refused)), /ERR_LOGIN_REQUIRED with status 403/);
  t.match(judge(request, reply(500, { error: { code: 'ERR_INTERNAL' } })), /a defect/);
  t.match(judge(request, reply(400, { message: 'x' })), /not of our shape/);
  const told = { error: { ...refused.error, message: 'it is the-secret-key' } };
  t.match(judge(request, reply(401, told)), /holds a secret/);
  t.match(judge(request, reply(401, refused).slice(0, -1)), /malformed.*shorter/);
  t.match(judge(request, reply(401, refused).replace(': 1/0', ': 1\n/0')), /malformed.*header/);
  t.match(
    judge(request, 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'),
    /neither ours nor a plain refusal/,
  );
});

t.test('only valid requests count as asking for credentials', async (t) => {
  const count = (text: string): number => validRequests(text, 'credentials', ['A']);
  t.equal(count(request), 1);
  t.equal(count(request + request), 2);
  t.equal(count(request.replace('/A/', '/%41/')), 1);
  t.equal(count(request.replace('\r\n\r\n', '\r\ncontent-length: 3\r\n\r\nabc') + request), 2);
  t.equal(
    count(request.replace('\r\n\r\n', '\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n') + request),
    2,
  );
  for (const [part, by] of [
    ['GET', 'POST'],
    ['/A/', '/B/'],
    ['localhost', 'evil.example'],
    ['\r\n\r\n', '\r\nhost: localhost\r\n\r\n'],
    ['\r\n\r\n', '\r\nOrigin: null\r\n\r\n'],
    ['/v1', 'http://evil.example/v1'],
    ['credentials', 'credentials/x'],
  ] as const)
    t.equal(count(request.replace(part, by)), 0, by);
});

t.test('only the awaited state may be redeemed', async (t) => {
  const may = (target: string): boolean => mayBeAwaited(Buffer.from(`GET ${target} HTTP/1.1`), 'St');
  for (const target of [
    '/callback?state=St',
    '/callback?code=x&state=%53t&state=y',
    'http://x/callback?state=St',
  ])
    t.ok(may(target), target);
  for (const target of [
    '/callback?state=st',
    '/callback?state=x&state=St',
    '/callback?code=St',
    '/x?state=St',
  ])
    t.notOk(may(target), target);
});

t.test('a page other than the one for unknown callbacks is found', async (t) => {
  const page = (outcome: 'unknown' | 'denied'): Buffer => {
    const { status, html, contentSecurityPolicy } = resultPage({ outcome });
    const headers = `content-security-policy: ${contentSecurityPolicy}\r\ncontent-length: ${Buffer.byteLength(html)}`;
    return Buffer.from(`HTTP/1.1 ${status} X\r\n${headers}\r\n\r\n${html}`);
  };
  judgeRefusal(Buffer.from('GET'), page('unknown'));
  t.throws(() => judgeRefusal(Buffer.from('GET'), page('denied')), { name: 'Failure' });
});

t.test('growth is found', async (t) => {
  const first = measured();
  t.ok(first.heap > 0 && first.resident > first.heap);
  assertNotGrown(first, { ...first, heap: first.heap + MOST_GROWTH.heap }, 'x');
  t.throws(
    () => assertNotGrown(first, { ...first, heap: first.heap + MOST_GROWTH.heap + 1 }, 'x'),
    /heap of x grew/,
  );
  t.throws(
    () => assertNotGrown(first, { ...first, descriptors: first.descriptors + 17 }, 'x'),
    /descriptors of x grew/,
  );
});

t.test('a failure names its iteration, which fails again alone', async (t) => {
  const target: Target = {
    name: 'x',
    count: 0,
    every: 100,
    atOnce: 4,
    open: async () => ({
      run: (random) => {
        if (random.below(300) === 7) throw new Failure('found', 'sent');
      },
      check: async () => measured(),
      close: async () => {},
    }),
  };
  const found = await fuzz(target, { seed: 1, from: 1_000, count: 5_000 }).catch((error: unknown) => error);
  if (!(found instanceof FoundFailure)) throw found;
  t.match(found, { message: 'found', count: 1, failure: { sent: '"sent"' } });
  await t.rejects(fuzz(target, { seed: 1, from: found.from, count: 1 }), {
    message: 'found',
    from: found.from,
  });
});
