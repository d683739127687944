import t from 'tap';
import { createRotationWatch } from '../../../daemon/oidc/rotation-watch.ts';
import type { Fetch } from '../../../network/transport.ts';

const TOKEN = 'https://id.example.com/token';
const grant = (type: string): RequestInit => ({
  method: 'POST',
  body: new URLSearchParams({ grant_type: type, refresh_token: 'old' }),
});

function replying(body: string, status = 200): Fetch {
  return (async () => new Response(body, { status })) as Fetch;
}

/** Returns the tokens the observer got for one reply, and if the reply counts as an answer. */
async function told(body: string, { status = 200, type = 'refresh_token' } = {}) {
  const rotation = createRotationWatch(replying(body, status));
  const tokens: string[] = [];
  const watched = rotation.watch(async (token) => void tokens.push(token));
  const response = await rotation.fetch(TOKEN, grant(type));
  return { tokens, answered: watched.answered(), body: await response.text() };
}

t.test('the observer gets the successor before the library gets the reply', async (t) => {
  const order: string[] = [];
  const rotation = createRotationWatch(replying('{"refresh_token":"new","id_token":"x"}'));
  rotation.watch(async (token) => {
    await new Promise((resolve) => setImmediate(resolve));
    order.push(`stored ${token}`);
  });
  const response = await rotation.fetch(TOKEN, grant('refresh_token'));
  order.push('given on');
  t.same(order, ['stored new', 'given on']);
  t.same(await response.json(), { refresh_token: 'new', id_token: 'x' }, 'whole');
});

t.test('the observer is not called without a successor', async (t) => {
  t.same(await told('{"id_token":"x"}'), { tokens: [], answered: true, body: '{"id_token":"x"}' });
  for (const value of ['7', 'null', '["new"]', '{"a":1}']) {
    const body = `{"refresh_token":${value}}`;
    t.same(await told(body), { tokens: [], answered: true, body });
  }
  for (const body of ['', '<html>', 'null', '"text"'])
    t.same(await told(body), { tokens: [], answered: false, body });
  const refusal = '{"error":"invalid_grant","refresh_token":"new"}';
  t.same(await told(refusal, { status: 400 }), { tokens: [], answered: false, body: refusal });
  const code = '{"refresh_token":"new"}';
  t.same(await told(code, { type: 'authorization_code' }), { tokens: [], answered: false, body: code });
});

t.test('the observer is not called after its end', async (t) => {
  const rotation = createRotationWatch(replying('{"refresh_token":"new"}'));
  const tokens: string[] = [];
  rotation.watch(async (token) => void tokens.push(token)).end();
  await rotation.fetch(TOKEN, grant('refresh_token'));
  t.same(tokens, []);
});

t.test('the library gets no reply whose successor could not be stored', async (t) => {
  const rotation = createRotationWatch(replying('{"refresh_token":"new"}'));
  rotation.watch(async () => Promise.reject(new Error('disk full')));
  await t.rejects(rotation.fetch(TOKEN, grant('refresh_token')), { message: 'disk full' });
});
