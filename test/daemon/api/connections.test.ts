import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { LIMITS } from '../../../daemon/api/connections.ts';
import type { RouteHandler } from '../../../daemon/api/routes.ts';
import { BUILD_VERSION, PROTOCOL_VERSION } from '../../../protocol/version.ts';
import { fakeClock, gate } from '../../../tools/support/daemon-edges.ts';
import { serve } from '../fixtures/api.ts';
import { ask, talk } from '../fixtures/sockets.ts';

const VERSION = { protocol: 1, build: '0.1.0', pid: 7, startedAt: '2026-01-02T03:04:05Z' };
const version: RouteHandler = async () => VERSION;
const GET = 'GET /v1/version HTTP/1.1\r\nhost: localhost\r\n';
const POST = 'POST /v1/profiles/A/sign-in HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
const NO_PEERS =
  process.platform === 'linux' || process.platform === 'darwin' ? false : 'needs peer credentials';

/** One whole reply of ours with that status and code, and nothing after it. */
function isReply(t: Test, raw: string, status: number, code: string, message: string): void {
  const [head = '', body = ''] = raw.split('\r\n\r\n');
  t.match(head, new RegExp(`^HTTP/1\\.1 ${status} `), message);
  t.match(head, new RegExp(`\r\nccwb-version: ${PROTOCOL_VERSION}/${BUILD_VERSION}(\r\n|$)`), message);
  t.match(head, /\r\ncache-control: no-store(\r\n|$)/i, message);
  t.match(head, /\r\nconnection: close(\r\n|$)/i, message);
  t.match(head, new RegExp(`\r\ncontent-length: ${Buffer.byteLength(body)}(\r\n|$)`, 'i'), message);
  t.match(JSON.parse(body), { error: { code, message: /\S/, fix: /\S/ } }, message);
}

t.test('another user is refused before a byte is read', { skip: NO_PEERS }, async (t) => {
  const uid = process.getuid?.() ?? 0;
  const clock = fakeClock();
  const { socket, lines } = await serve(t, {}, { clock, uid: uid + 1 });
  const attempts = [
    [],
    [`${GET}\r\n`],
    ['nonsense\r\n\r\n'],
    [POST, 'content-length: 10000000\r\n\r\n', ...Array<string>(100).fill('x'.repeat(100_000))],
  ];
  for (const parts of attempts) {
    const reply = await talk(socket, ...parts);
    isReply(t, reply, 403, 'ERR_REQUEST_REFUSED', parts[0] ?? 'nothing sent');
    t.match(reply, new RegExp(`serves uid ${uid + 1}; the connection came from uid ${uid}`));
  }
  const refused = { level: 'warn', event: 'connection of another user refused', fields: { uid } };
  t.same(lines, [refused], 'logged once');
  clock.advance(LIMITS.logMs);
  await Promise.all(Array.from({ length: 20 }, () => talk(socket, `${GET}\r\n`)));
  t.same(lines, [refused, refused], 'and once more a minute later');
  clock.set(0);
  await talk(socket, `${GET}\r\n`);
  t.equal(lines.length, 3, 'a clock that was set back silences nothing');
});

t.test('malformed requests get a reply of this API', async (t) => {
  const { socket, lines } = await serve(t, { version });
  const bad: [string, number, string, string][] = [
    ['not HTTP', 400, 'ERR_USAGE', 'HELO there\r\n\r\n'],
    ['TLS', 400, 'ERR_USAGE', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['HTTP/2', 400, 'ERR_USAGE', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['an unknown method', 400, 'ERR_USAGE', 'FETCH / HTTP/1.1\r\nhost: localhost\r\n\r\n'],
    ['a header without a name', 400, 'ERR_USAGE', `${GET}: x\r\n\r\n`],
    ['a control character', 400, 'ERR_USAGE', `${GET}x: a\0b\r\n\r\n`],
    ['two lengths', 400, 'ERR_USAGE', `${POST}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`],
    [
      'length and chunks',
      400,
      'ERR_USAGE',
      `${POST}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}`,
    ],
    ['a negative length', 400, 'ERR_USAGE', `${POST}content-length: -1\r\n\r\n`],
    ['a chunk of no number', 400, 'ERR_USAGE', `${POST}transfer-encoding: chunked\r\n\r\nxyz\r\n`],
    ['too long a header', 431, 'ERR_USAGE', `${GET}x: ${'y'.repeat(9_000)}\r\n\r\n`],
    ['too many headers', 431, 'ERR_USAGE', `${GET}${'x: y\r\n'.repeat(5_000)}\r\n`],
    ['too long a path', 431, 'ERR_USAGE', `GET /${'x'.repeat(9_000)} HTTP/1.1\r\n\r\n`],
    ['another expectation', 400, 'ERR_USAGE', `${GET}expect: miracles\r\n\r\n`],
    ['CONNECT', 400, 'ERR_USAGE', 'CONNECT localhost:22 HTTP/1.1\r\nhost: localhost\r\n\r\n'],
    [
      'an origin behind many',
      403,
      'ERR_REQUEST_REFUSED',
      `${GET}${'x: y\r\n'.repeat(3_000)}origin: x\r\n\r\n`,
    ],
    ['no host', 403, 'ERR_REQUEST_REFUSED', 'GET /v1/version HTTP/1.1\r\n\r\n'],
    ['no host in HTTP/1.0', 403, 'ERR_REQUEST_REFUSED', 'GET /v1/version HTTP/1.0\r\n\r\n'],
    ['two hosts', 403, 'ERR_REQUEST_REFUSED', `${GET}host: evil.example\r\n\r\n`],
    ['the same host twice', 403, 'ERR_REQUEST_REFUSED', `${GET}host: localhost\r\n\r\n`],
    [
      'a whole URL',
      403,
      'ERR_REQUEST_REFUSED',
      `GET http://localhost/v1/version HTTP/1.1\r\nhost: localhost\r\n\r\n`,
    ],
    ['every route at once', 403, 'ERR_REQUEST_REFUSED', 'OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n'],
  ];
  for (const [name, status, code, request] of bad)
    isReply(t, await talk(socket, request), status, code, name);
  t.equal((await ask(socket)).status, 200, 'and the next request is served');
  t.same(lines, []);
});

t.test('an upgrade is ignored', async (t) => {
  const { socket } = await serve(t, { version });
  const headers =
    'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
  t.match(await talk(socket, `${GET}${headers}\r\n`), /^HTTP\/1\.1 200 /);
  t.match(await talk(socket, `${GET}expect: 100-continue\r\n\r\n`), /^HTTP\/1\.1 100 .*HTTP\/1\.1 200 /s);
});

t.test('a connection serves one request', async (t) => {
  const calls: string[] = [];
  const counted: RouteHandler = async () => {
    calls.push('version');
    return VERSION;
  };
  const { socket } = await serve(t, { version: counted });
  const reply = await talk(socket, `${GET}\r\n`.repeat(5));
  t.equal(reply.match(/HTTP\/1\.1/g)?.length, 1, 'what is pipelined gets no reply');
  t.match(reply, /^HTTP\/1\.1 200 .*connection: close/is);
  t.same(calls, ['version']);
  const flood = Array<string>(100).fill(`${GET}\r\n`.repeat(2_000));
  t.equal((await talk(socket, ...flood)).match(/HTTP\/1\.1/g)?.length, 1);
  t.same(calls, ['version', 'version'], 'nor is a flood of ten megabytes looked at');
  t.equal((await ask(socket)).status, 200);
});

t.test('garbage behind a request does not spoil its reply', async (t) => {
  const { socket } = await serve(t, { version });
  t.match(await talk(socket, `${GET}\r\n`, '\0'.repeat(100_000)), /^HTTP\/1\.1 (200|400) .*\}$/s);
});

t.test('a body that is too long is refused without being read', async (t) => {
  const { socket } = await serve(t, {});
  const part = 'x'.repeat(100_000);
  const chunk = `${part.length.toString(16)}\r\n${part}\r\n`;
  const floods: [string, string[]][] = [
    [
      'ten megabytes as announced',
      [POST, 'content-length: 10000000\r\n\r\n', ...Array<string>(100).fill(part)],
    ],
    [
      'ten megabytes in chunks',
      [POST, 'transfer-encoding: chunked\r\n\r\n', ...Array<string>(100).fill(chunk)],
    ],
    [
      'a chunk of 16 megabytes',
      [POST, 'transfer-encoding: chunked\r\n\r\nffffff\r\n', ...Array<string>(100).fill(part)],
    ],
  ];
  for (const [name, parts] of floods) isReply(t, await talk(socket, ...parts), 400, 'ERR_USAGE', name);
  isReply(
    t,
    await talk(socket, `${POST}content-length: 99999999999\r\n\r\n`),
    400,
    'ERR_USAGE',
    'only announced',
  );
});

/** Sends one character after another until the other side has had enough. */
async function drip(path: string, start: string, rest: string): Promise<string> {
  const socket = connect(path);
  let reply = '';
  let closed = false;
  socket.on('data', (chunk) => {
    reply += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.once('close', () => {
    closed = true;
  });
  socket.write(start);
  for (let index = 0; !closed; index += 1) {
    socket.write(rest[index % rest.length] ?? 'x');
    await sleep(50);
  }
  return reply;
}

t.test('slow clients get an error, are cut off and delay no other client', async (t) => {
  const { socket } = await serve(t, { version });
  const slow = Promise.all([
    talk(socket),
    talk(socket, 'GET /v1/version HTTP/1.1\r\nhost: loc'),
    talk(socket, `${POST}content-length: 40\r\n\r\n{"auto`),
    drip(socket, '', `${GET}x-endless: xxxxxxxxxx`.padEnd(7_000, 'x')),
    drip(socket, `${POST}content-length: 15000\r\n\r\n`, 'x'),
    drip(socket, `${POST}transfer-encoding: chunked\r\n\r\n`, '1\r\nx\r\n'),
  ]);
  let answered = 0;
  const names = [
    'silent',
    'half a header',
    'half a body',
    'dripping header',
    'dripping body',
    'dripping chunks',
  ];
  let ended = false;
  void slow.then(() => {
    ended = true;
  });
  while (!ended) {
    t.equal((await ask(socket)).status, 200);
    answered += 1;
    await sleep(250);
  }
  for (const [index, reply] of (await slow).entries())
    isReply(t, reply, 408, 'ERR_USAGE', names[index] ?? '');
  t.ok(answered > 5);
});

t.test('a client that disconnects during its request causes no failure', async (t) => {
  const waiting = gate();
  const expiration: RouteHandler = () => waiting.promise.then(() => ({ valid: false, expiration: null }));
  const { socket, lines } = await serve(t, { version, expiration });
  const starts = [
    '',
    'GET /v1/ver',
    `${GET}\r\n`,
    'nonsense\r\n\r\n',
    `${POST}content-length: 9\r\n\r\n{`,
    `${POST}transfer-encoding: chunked\r\n\r\n1\r\n{`,
    'GET /v1/profiles/A/expiration HTTP/1.1\r\nhost: localhost\r\n\r\n',
  ];
  for (const start of starts) {
    for (const leave of ['destroy', 'end'] as const) {
      const client = connect(socket);
      client.on('error', () => {});
      await new Promise<void>((resolve) => client.once('connect', resolve));
      if (start) await new Promise<void>((resolve) => client.write(start, () => resolve()));
      client.resume()[leave]();
    }
  }
  waiting.open();
  t.equal((await ask(socket)).status, 200);
  t.same(lines, []);
});

/** Connections that are open and say nothing. */
async function open(t: Test, path: string, count: number): Promise<{ sockets: Socket[]; closed(): number }> {
  let closed = 0;
  const sockets = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<Socket>((resolve) => {
          const socket = connect(path, () => resolve(socket));
          socket.resume();
          socket.on('error', () => {});
          socket.once('close', () => {
            closed += 1;
          });
        }),
    ),
  );
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { sockets, closed: () => closed };
}

t.test('two hundred callers are served beside two hundred silent ones', async (t) => {
  const { socket } = await serve(t, { version });
  await open(t, socket, 200);
  const replies = await Promise.all(Array.from({ length: 200 }, () => ask(socket)));
  t.ok(replies.every(({ status }) => status === 200));
});

t.test('the number of connections is limited, and further ones fail at once', async (t) => {
  const { socket, lines } = await serve(t, { version });
  const { closed } = await open(t, socket, LIMITS.connections);
  // Accepting is the server's turn; then all places are taken.
  while (!lines.some(({ event }) => event === 'too many connections')) {
    t.equal(await talk(socket), '');
    await sleep(5);
  }
  t.equal(await talk(socket, `${GET}\r\n`), '');
  t.equal(lines.length, 1, 'logged once');
  while (closed() < LIMITS.connections) await sleep(20);
  t.equal((await ask(socket)).status, 200, 'who says nothing makes room');
});
