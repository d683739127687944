import t from 'tap';
import { preflight } from '../../../daemon/oidc/preflight.ts';
import type { Fetch } from '../../../network/transport.ts';
import { codeOf } from '../../../tools/support/daemon-edges.ts';

const AUTHORIZE = new URL('https://id.example.com/authorize?client_id=a');

/** A provider that answers every address with this status. */
function answering(status: number): Fetch {
  return (async () => new Response(status === 204 ? null : 'a page', { status })) as Fetch;
}

t.test('only a plain refusal stops the browser from opening', async (t) => {
  await t.rejects(preflight(AUTHORIZE, answering(400)), {
    code: 'ERR_PROVIDER_REJECTED',
    message: /id\.example\.com.*unknown client or redirect URI/,
  });
  for (const status of [200, 204, 302, 401, 403, 404, 405, 429, 500, 503])
    await t.resolves(preflight(AUTHORIZE, answering(status)), `${status} is left to the browser`);
});

t.test('the page is neither followed nor read', async (t) => {
  let cancelled = false;
  let asked: RequestInit | undefined;
  const body = new ReadableStream({
    cancel: () => {
      cancelled = true;
    },
  });
  await preflight(AUTHORIZE, (async (_input: unknown, init?: RequestInit) => {
    asked = init;
    return new Response(body, { status: 200 });
  }) as Fetch);
  t.equal(asked?.redirect, 'manual');
  t.ok(cancelled);
});

t.test('a server that cannot be reached is an error at once, and a slow answer is not', async (t) => {
  const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  const down = (async () => Promise.reject(refused)) as Fetch;
  await t.rejects(preflight(AUTHORIZE, down), refused);
  const slow = ((_input: unknown, init?: RequestInit) =>
    new Promise((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      // Nothing else keeps this process alive while the limit runs.
      setTimeout(() => {}, 60_000).unref();
    })) as Fetch;
  const alive = setInterval(() => {}, 1_000);
  t.equal(await codeOf(preflight(AUTHORIZE, slow)), 'no error');
  clearInterval(alive);
});
