import t from 'tap';
import { createReplyReader, withoutEmptyFields } from '../../../daemon/oidc/provider-reply.ts';
import type { Fetch } from '../../../network/transport.ts';

t.test('an empty field and a null field are absent', async (t) => {
  t.same(withoutEmptyFields({ refresh_token: '', id_token: null, scope: undefined, access_token: 'a' }), {
    access_token: 'a',
  });
});

t.test('an optional text of another type is absent', async (t) => {
  for (const value of [7, true, ['rt'], { a: 1 }])
    t.same(withoutEmptyFields({ refresh_token: value, id_token: value, scope: value }), {});
});

t.test('times in seconds are numbers that are not negative, or absent', async (t) => {
  t.same(withoutEmptyFields({ expires_in: '60', interval: 5, refresh_expires_in: 0 }), {
    expires_in: 60,
    interval: 5,
    refresh_expires_in: 0,
  });
  for (const value of [-1, '-1', 'soon', '', null, Number.POSITIVE_INFINITY, [60], '9'.repeat(400)])
    t.same(withoutEmptyFields({ expires_in: value }), {}, String(value));
});

t.test('a reply keeps its status, its other headers and what is no JSON object', async (t) => {
  const replyTo = async (body: string) => {
    const through = (async () =>
      new Response(body, { status: 201, headers: { date: 'now', 'content-length': '99' } })) as Fetch;
    return createReplyReader(through)('https://id.example');
  };
  const read = await replyTo('{"a":"","b":1}');
  t.same([read.status, read.headers.get('date'), read.headers.get('content-length')], [201, 'now', null]);
  t.equal(await read.text(), '{"b":1}');
  for (const body of ['', '<html>', '[""]', 'null', '"text"', '{"a":""'])
    t.equal(await (await replyTo(body)).text(), body, body);
});

t.test('a body that breaks off is left to the library', async (t) => {
  const body = new ReadableStream({
    pull: (controller) => controller.error(new Error('cut')),
  });
  const read = await createReplyReader((async () => new Response(body)) as Fetch)('https://id.example');
  await t.rejects(read.text(), { message: 'cut' });
});
