import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { ApiRequest, RouteHandler } from '../../../daemon/api/routes.ts';
import { createDaemonClient } from '../../../protocol/client.ts';
import { CcwbError, loginRequired } from '../../../protocol/errors.ts';
import { BUILD_VERSION, PROTOCOL_VERSION, VERSION_HEADER } from '../../../protocol/version.ts';
import { codeOf, gate } from '../../../tools/support/daemon-edges.ts';
import { serve } from '../fixtures/api.ts';
import { ask, type RawRequest, type Reply, talk } from '../fixtures/sockets.ts';

const VERSION = { protocol: 1, build: '0.1.0', pid: 7, startedAt: '2026-01-02T03:04:05Z' };
const version: RouteHandler = async () => VERSION;
const host = 'localhost';

function errorIn(reply: Reply): { code: unknown; message: unknown; fix: unknown } {
  const body: unknown = JSON.parse(reply.body);
  if (typeof body !== 'object' || body === null || !('error' in body)) throw new Error(reply.body);
  return body.error as { code: unknown; message: unknown; fix: unknown };
}

t.test('a handler\u2019s reply is the body of a 200', async (t) => {
  const { socket } = await serve(t, { version });
  const reply = await ask(socket);
  t.equal(reply.status, 200);
  t.match(reply.headers['content-type'], /^application\/json/);
  t.same(JSON.parse(reply.body), VERSION);
});

t.test('every reply has the version and must not be cached', async (t) => {
  const { socket } = await serve(t, { version });
  const requests: RawRequest[] = [
    {},
    { path: '/v1/nothing' },
    { path: '/v1/profiles/%zz/credentials' },
    { path: `/v1/profiles/${'x'.repeat(5_000)}/credentials` },
    { headers: { host, origin: 'https://evil.example' } },
    { method: 'POST', path: '/v1/profiles/A/sign-in' },
    { path: '/v1/status' },
  ];
  for (const request of requests) {
    const reply = await ask(socket, request);
    t.equal(reply.headers[VERSION_HEADER], `${PROTOCOL_VERSION}/${BUILD_VERSION}`, request.path ?? 'version');
    t.equal(reply.headers['cache-control'], 'no-store');
  }
  const odd = await talk(socket, 'PRI /\r\n\r\n');
  t.match(odd, `\r\n${VERSION_HEADER}: ${PROTOCOL_VERSION}/${BUILD_VERSION}\r\n`, 'no method of HTTP');
});

t.test('a path that cannot be read is not quoted', async (t) => {
  const { socket } = await serve(t, { version });
  for (const path of ['/v1/profiles/%zz/planted', `/v1/profiles/${'planted'.repeat(50)}/credentials`]) {
    const reply = await ask(socket, { path });
    t.equal(reply.status, 400);
    t.match(errorIn(reply), { code: 'ERR_USAGE', message: /its path cannot be read$/ });
    t.notMatch(reply.body, /planted/);
  }
});

t.test('a reply contains only the fields of its schema', async (t) => {
  const { socket } = await serve(t, { version: async () => ({ ...VERSION, refreshToken: 'planted' }) });
  t.notMatch((await ask(socket)).body, /planted/);
});

t.test('a request with a header only a web page sends is refused', async (t) => {
  const { socket } = await serve(t, { version });
  const headers: [string, string][] = [
    ['Origin', 'https://evil.example'],
    ['origin', 'null'],
    ['oRiGiN', ''],
    ['referer', 'http://localhost/'],
    ['Sec-Fetch-Site', 'none'],
    ['sec-fetch-mode', 'cors'],
  ];
  for (const [name, value] of headers) {
    for (const path of ['/v1/version', '/v1/none']) {
      const reply = await ask(socket, { path, headers: { host, [name]: value } });
      t.equal(reply.status, 403, `${name}: ${value} ${path}`);
      t.equal(errorIn(reply).code, 'ERR_REQUEST_REFUSED');
    }
  }
});

t.test('a request for another host is refused', async (t) => {
  const { socket } = await serve(t, { version });
  for (const name of ['evil.example', 'localhost.evil.example', 'localhost:80', '127.0.0.1', '']) {
    const reply = await ask(socket, { headers: { host: name } });
    t.equal(reply.status, 403, name);
    t.equal(errorIn(reply).code, 'ERR_REQUEST_REFUSED');
  }
  for (const names of ['localhost\r\nhost: evil.example', 'localhost\r\nHost: localhost']) {
    const several = await talk(
      socket,
      `GET /v1/version HTTP/1.1\r\nhost: ${names}\r\nconnection: close\r\n\r\n`,
    );
    t.match(several, /^HTTP\/1\.1 403 /, 'more than one');
  }
  const whole = await ask(socket, { path: 'http://evil.example/v1/version' });
  t.equal(whole.status, 403, 'in the request line');
  const old = await talk(socket, 'GET /v1/version HTTP/1.0\r\n\r\n');
  t.match(old, /^HTTP\/1\.1 403 /, 'none at all');
  const none = await talk(socket, 'GET /v1/version HTTP/1.1\r\nconnection: close\r\n\r\n');
  t.match(none, /^HTTP\/1\.1 4\d\d /);
  const two = `GET /v1/version HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\nconnection: close\r\n\r\n`;
  t.match(await talk(socket, two), /^HTTP\/1\.1 (4\d\d|200) /);
});

t.test('the error for an unknown route has a fix', async (t) => {
  const { socket } = await serve(t, { version });
  const requests: RawRequest[] = [
    { path: '/' },
    { path: '/v1/versions' },
    { path: '/v1/version/' },
    { path: '/v2/version' },
    { path: `/v1/${'x'.repeat(2_000)}` },
    { method: 'POST', path: '/v1/version' },
    { method: 'DELETE', path: '/v1/version' },
    { method: 'PUT', path: '/v1/profiles/A/session' },
    { method: 'OPTIONS', path: '/v1/version' },
  ];
  for (const request of requests) {
    const reply = await ask(socket, request);
    t.equal(reply.status, 404, `${request.method ?? 'GET'} ${request.path?.slice(0, 40)}`);
    const { code, message, fix } = errorIn(reply);
    t.equal(code, 'ERR_NOT_FOUND');
    t.ok(String(message).length < 200);
    t.match(fix, /bedrock-auth status/);
  }
  const head = await ask(socket, { method: 'HEAD' });
  t.equal(head.status, 404, 'HEAD is no other GET');
  t.equal(head.body, '');
});

t.test('the query of an unknown route is not repeated', async (t) => {
  const { socket } = await serve(t, {});
  const reply = await ask(socket, { path: '/v1/none?token=planted' });
  t.notMatch(reply.body, /planted/);
});

t.test('a malformed path is an error of this API', async (t) => {
  const { socket } = await serve(t, {});
  const reply = await ask(socket, { path: '/v1/profiles/%E0%A4%A/credentials' });
  t.equal(reply.status, 400);
  const body: unknown = JSON.parse(reply.body);
  t.match(body, { error: { code: 'ERR_USAGE' } }, 'in our shape');
});

t.test('a profile\u2019s name is decoded and has a maximum length', async (t) => {
  const seen: string[] = [];
  const expiration: RouteHandler = async ({ params }: ApiRequest) => {
    seen.push(params.profile);
    return { valid: false, expiration: null };
  };
  const { socket } = await serve(t, { expiration });
  const status = async (name: string) =>
    (await ask(socket, { path: `/v1/profiles/${name}/expiration` })).status;
  t.equal(await status('A%20b%2Fc'), 200);
  t.equal(await status('x'.repeat(64)), 200);
  t.equal(await status('x'.repeat(65)), 400);
  t.not(await status('x'.repeat(200)), 200);
  t.not(await status(''), 200);
  t.same(seen, ['A b/c', 'x'.repeat(64)]);
});

t.test('a body has exactly the fields of its route', async (t) => {
  const bodies: unknown[] = [];
  const signIn: RouteHandler = async ({ body }) => {
    bodies.push(body);
    return { state: 'signed-in', user: null };
  };
  const { socket } = await serve(t, { signIn });
  const post = (body: string, type = 'application/json') =>
    ask(socket, {
      method: 'POST',
      path: '/v1/profiles/A/sign-in',
      headers: { host, 'content-type': type, 'content-length': String(Buffer.byteLength(body)) },
      body,
    });
  t.equal((await post('{"automatic":true,"canOpenPage":false}')).status, 200);
  const wrong: [string, string, string?][] = [
    ['a field is missing', '{"automatic":true}'],
    ['a field is unknown', '{"automatic":true,"canOpenPage":true,"extra":1}'],
    ['a field has another type', '{"automatic":"perhaps","canOpenPage":true}'],
    ['null', 'null'],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['half a document', '{"automatic":true,'],
    ['nothing', ''],
    ['a prototype', '{"automatic":true,"canOpenPage":true,"__proto__":{"x":1}}'],
    ['another type of content', 'automatic=true', 'application/x-www-form-urlencoded'],
    ['plain text', '{"automatic":true,"canOpenPage":false}', 'text/plain'],
  ];
  for (const [name, body, type] of wrong) {
    const reply = await post(body, type);
    t.equal(reply.status, 400, name);
    t.equal(errorIn(reply).code, 'ERR_USAGE');
  }
  t.same(bodies, [{ automatic: true, canOpenPage: false }]);
});

t.test('a long poll\u2019s query is checked, converted and has defaults', async (t) => {
  const seen: unknown[] = [];
  const awaitSignIn: RouteHandler = async ({ query, params }) => {
    seen.push({ ...query, ...params });
    return { state: 'signed-in', user: 'u' };
  };
  const { socket } = await serve(t, { awaitSignIn });
  const status = async (query: string) => (await ask(socket, { path: `/v1/sign-ins/s1${query}` })).status;
  t.equal(await status(''), 200);
  t.equal(await status('?wait=60000&canOpenPage=true'), 200);
  for (const query of [
    '?wait=60001',
    '?wait=-1',
    '?wait=x',
    '?wait=1.5',
    '?canOpenPage=7',
    '?other=1',
    '?wait=1&wait=2',
  ])
    t.equal(await status(query), 400, query);
  t.same(seen, [
    { wait: 0, canOpenPage: false, signIn: 's1' },
    { wait: 60_000, canOpenPage: true, signIn: 's1' },
  ]);
});

t.test('an error keeps its code, status, message and fix', async (t) => {
  const { socket } = await serve(t, {
    credentials: async () => {
      throw loginRequired();
    },
    status: async () => {
      throw new CcwbError('ERR_AWS_UNREACHABLE', 'm', 'f', { cause: new Error('planted') });
    },
  });
  const refused = await ask(socket, { path: '/v1/profiles/A/credentials' });
  t.equal(refused.status, 401);
  t.same(JSON.parse(refused.body), loginRequired().toBody());
  const passing = await ask(socket, { path: '/v1/status' });
  t.equal(passing.status, 502);
  t.same(JSON.parse(passing.body), { error: { code: 'ERR_AWS_UNREACHABLE', message: 'm', fix: 'f' } });
});

t.test('a defect is logged by name, and its message is not returned', async (t) => {
  const { socket, lines } = await serve(t, {
    status: async () => {
      throw new TypeError('planted secret', { cause: new RangeError('planted too') });
    },
  });
  const reply = await ask(socket, { path: '/v1/status' });
  t.equal(reply.status, 500);
  t.equal(errorIn(reply).code, 'ERR_INTERNAL');
  t.notMatch(reply.body, /planted/);
  t.match(lines, [
    { level: 'error', event: 'defect', fields: { route: '/v1/status', cause: /TypeError < RangeError/ } },
  ]);
  t.notMatch(JSON.stringify(lines), /planted/);
});

t.test('a caller that disconnects during its body causes no defect', async (t) => {
  const { socket, lines } = await serve(t, { version });
  const head =
    'POST /v1/profiles/A/sign-in HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
  await new Promise<void>((resolve) => {
    const caller = connect(socket, () => void caller.end(`${head}content-length: 40\r\n\r\n{"automatic"`));
    caller.resume().once('close', () => resolve());
  });
  t.equal((await ask(socket)).status, 200);
  t.same(lines, []);
});

t.test('a reply that does not fit its schema is a defect, not an incomplete reply', async (t) => {
  const { socket } = await serve(t, { version: async () => ({ protocol: 1 }) });
  const reply = await ask(socket);
  t.equal(reply.status, 500);
  t.equal(errorIn(reply).code, 'ERR_INTERNAL');
});

t.test('an oversize header is refused', async (t) => {
  const { socket } = await serve(t, { version });
  const big = `GET /v1/version HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(9_000)}\r\n\r\n`;
  t.match(await talk(socket, big), /^HTTP\/1\.1 431 /);
  t.equal((await ask(socket)).status, 200, 'and the next request is served');
});

t.test('ten megabytes of header do not fill the memory', async (t) => {
  const { socket } = await serve(t, { version });
  const flood = 'x-flood: y\r\n'.repeat(10_000);
  const reply = talk(socket, 'GET /v1/version HTTP/1.1\r\nhost: localhost\r\n', ...Array(90).fill(flood));
  t.match(await reply, /^(HTTP\/1\.1 4\d\d |$)/);
  t.equal((await ask(socket)).status, 200);
});

t.test('an oversize body is refused', async (t) => {
  const { socket } = await serve(t, {});
  const body = JSON.stringify({ automatic: true, canOpenPage: true, pad: 'x'.repeat(20_000) });
  const reply = await ask(socket, {
    method: 'POST',
    path: '/v1/profiles/A/sign-in',
    headers: { host, 'content-type': 'application/json', 'content-length': String(body.length) },
    body,
  });
  t.equal(reply.status, 400);
  t.equal(errorIn(reply).code, 'ERR_USAGE');
  const announced = `POST /v1/profiles/A/sign-in HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99999999\r\n\r\n{`;
  t.match(await talk(socket, announced), /^HTTP\/1\.1 4\d\d /, 'already when it is announced');
});

t.test('bytes that are not HTTP are refused', async (t) => {
  const { socket } = await serve(t, { version });
  t.match(await talk(socket, 'HELO there\r\n\r\n'), /^HTTP\/1\.1 400 /);
  t.equal((await ask(socket)).status, 200);
});

t.test('slow and silent clients are cut off and delay no other client', async (t) => {
  const { socket } = await serve(t, { version });
  const silent = talk(socket);
  const half = talk(socket, 'GET /v1/version HTTP/1.1\r\nhost: loc');
  const stalled = talk(
    socket,
    'POST /v1/profiles/A/sign-in HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 40\r\n\r\n{"auto',
  );
  for (let request = 0; request < 20; request += 1) t.equal((await ask(socket)).status, 200);
  t.match(await half, /^(HTTP\/1\.1 408 |$)/);
  t.match(await stalled, /^(HTTP\/1\.1 4\d\d |$)/);
  t.match(await silent, /^(HTTP\/1\.1 408 |$)/);
  t.equal((await ask(socket)).status, 200);
});

t.test('two hundred callers at once are all served', async (t) => {
  const { socket } = await serve(t, { version });
  const replies = await Promise.all(Array.from({ length: 200 }, () => ask(socket)));
  t.ok(replies.every(({ status, body }) => status === 200 && body === JSON.stringify(VERSION)));
});

t.test('a slow handler delays no other', async (t) => {
  const slow = gate<unknown>();
  const { socket } = await serve(t, { version, status: () => slow.promise });
  const waiting = codeOf(createDaemonClient(socket).ask({ route: 'status', answerMs: 60_000 }));
  for (let request = 0; request < 10; request += 1) t.equal((await ask(socket)).status, 200);
  slow.fail(loginRequired());
  t.equal(await waiting, 'ERR_LOGIN_REQUIRED');
});

t.test('the signal of a handler aborts when its caller disconnects', async (t) => {
  const arrived = gate<AbortSignal>();
  const awaitSignIn: RouteHandler = async ({ signal }) => {
    arrived.open(signal);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return { state: 'signed-in', user: null };
  };
  const { socket } = await serve(t, { awaitSignIn });
  const caller = connect(socket, () =>
    caller.write('GET /v1/sign-ins/s1?wait=60000 HTTP/1.1\r\nhost: localhost\r\n\r\n'),
  );
  const signal = await arrived.promise;
  t.equal(signal.aborted, false);
  caller.destroy();
  while (!signal.aborted) await sleep(5);
  t.equal(signal.aborted, true);
});

t.test('the client receives the errors that handlers throw', async (t) => {
  const thrown = new CcwbError('ERR_PROFILE_UNKNOWN', 'no profile "B"', 'use --profile A');
  const { socket } = await serve(t, {
    credentials: async () => {
      throw thrown;
    },
  });
  const error = await createDaemonClient(socket)
    .ask({ route: 'credentials', params: { profile: 'B' } })
    .catch((caught: unknown) => caught);
  t.match(error, { code: thrown.code, message: thrown.message, fix: thrown.fix });
});
