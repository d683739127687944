import { chownSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { CLIENT_TIMING, createDaemonClient, isListening } from '../../protocol/client.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { BUILD_VERSION, PROTOCOL_VERSION, VERSION_HEADER } from '../../protocol/version.ts';
import { rejection } from '../../tools/support/daemon-edges.ts';
import { httpReply, rawServer, shortDirectory } from '../daemon/fixtures/sockets.ts';

const root = process.getuid?.() === 0;
const needsRoot = root ? false : 'only root can make files of another user';
const STRANGER = 65_534;

const unreachable = (reason: RegExp) => ({ code: 'ERR_DAEMON_UNREACHABLE', message: reason });

async function errorOf(socket: string, request: Parameters<ReturnType<typeof createDaemonClient>['ask']>[0]) {
  const error = await rejection(createDaemonClient(socket).ask(request));
  if (!(error instanceof CcwbError)) throw new Error(`no error of ours: ${String(error)}`);
  return error;
}

t.test('a request returns the body of a 200', async (t) => {
  const socket = join(shortDirectory(t), 'd.sock');
  await rawServer(t, socket, (stream) => stream.end(httpReply(200, '{"valid":true,"expiration":null}')));
  t.same(await createDaemonClient(socket).ask({ route: 'expiration', params: { profile: 'A' } }), {
    valid: true,
    expiration: null,
  });
});

t.test('a request has method and path of its route, with encoded parameters', async (t) => {
  const socket = join(shortDirectory(t), 'd.sock');
  const seen: { method: unknown; url: unknown; host: unknown; type: unknown; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const { method, url, headers } = request;
      seen.push({ method, url, host: headers.host, type: headers['content-type'], body });
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.teardown(() => server.close());
  const client = createDaemonClient(socket);
  await client.ask({ route: 'credentials', params: { profile: 'a/b ?ü' } });
  await client.ask({ route: 'awaitSignIn', params: { signIn: 'x' }, query: { wait: 5, canOpenPage: true } });
  await client.ask({
    route: 'signIn',
    params: { profile: 'A' },
    body: { automatic: true, canOpenPage: false },
  });
  await client.ask({ route: 'signOut', params: { profile: 'A' } });
  const host = 'localhost';
  const type = 'application/json';
  t.same(seen, [
    { method: 'GET', url: '/v1/profiles/a%2Fb%20%3F%C3%BC/credentials', host, type: undefined, body: '' },
    { method: 'GET', url: '/v1/sign-ins/x?wait=5&canOpenPage=true', host, type: undefined, body: '' },
    {
      method: 'POST',
      url: '/v1/profiles/A/sign-in',
      host,
      type,
      body: '{"automatic":true,"canOpenPage":false}',
    },
    { method: 'DELETE', url: '/v1/profiles/A/session', host, type: undefined, body: '' },
  ]);
});

t.test('client and daemon send their versions', async (t) => {
  const socket = join(shortDirectory(t), 'd.sock');
  const seen: unknown[] = [];
  let reply: { status: number; version?: string } = { status: 200, version: '2/1.2.3-rc.1' };
  const server = createServer((request, response) => {
    seen.push(request.headers[VERSION_HEADER]);
    if (reply.version) response.setHeader(VERSION_HEADER, reply.version);
    response.statusCode = reply.status;
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.teardown(() => server.close());
  const client = createDaemonClient(socket);
  t.equal(client.answeredBy(), undefined, 'before the first reply');
  await client.ask({ route: 'version' });
  t.same(client.answeredBy(), { protocol: 2, build: '1.2.3-rc.1' });
  reply = { status: 503, version: '3/2.0.0' };
  await rejection(client.ask({ route: 'version' }));
  t.same(client.answeredBy(), { protocol: 3, build: '2.0.0' }, 'an error is a reply');
  reply = { status: 200 };
  await client.ask({ route: 'version' });
  t.equal(client.answeredBy(), undefined, 'one that tells none');
  t.strictSame([...new Set(seen)], [`${PROTOCOL_VERSION}/${BUILD_VERSION}`]);
});

t.test('a missing daemon is one error that names the socket and a fix', async (t) => {
  const directory = shortDirectory(t);
  t.test('no file', async (t) => {
    const error = await errorOf(join(directory, 'none.sock'), { route: 'version' });
    t.match(error, unreachable(/none\.sock.*ENOENT/));
    t.match(error.fix, /bedrock-auth/);
  });
  t.test('no directory', async (t) => {
    t.match(await errorOf(join(directory, 'no/d.sock'), { route: 'version' }), unreachable(/ENOENT/));
  });
  t.test('a plain file', async (t) => {
    writeFileSync(join(directory, 'file'), '');
    t.match(await errorOf(join(directory, 'file'), { route: 'version' }), unreachable(/ECONNREFUSED/));
  });
});

t.test('a path that leads nowhere is the same error', async (t) => {
  const directory = shortDirectory(t);
  writeFileSync(join(directory, 'file'), '');
  const error = await rejection(
    createDaemonClient(join(directory, 'file', 'd.sock')).ask({ route: 'version' }),
  );
  t.match(error, { code: 'ERR_DAEMON_UNREACHABLE' }, 'below a file');
});

t.test('a daemon that is still starting is waited for', async (t) => {
  const socket = join(shortDirectory(t), 'd.sock');
  const answer = createDaemonClient(socket).ask({ route: 'version', startingMs: 10_000 });
  setTimeout(() => {
    rawServer(t, socket, (stream) => stream.end(httpReply(200, '{"protocol":1}'))).catch(t.error);
  }, 150);
  t.same(await answer, { protocol: 1 });
});

t.test('waiting for a daemon that never starts ends', async (t) => {
  const socket = join(shortDirectory(t), 'd.sock');
  const start = performance.now();
  t.match(await errorOf(socket, { route: 'version', startingMs: 120 }), unreachable(/ENOENT/));
  t.ok(performance.now() - start >= 120, 'after trying for as long as was asked');
});

t.test('a reset before the answer', async (t) => {
  t.test('is tried again when reading', async (t) => {
    const socket = join(shortDirectory(t), 'd.sock');
    const server = await rawServer(t, socket, (stream, connection) => {
      stream.once('data', () => {
        if (connection < 3) stream.destroy();
        else stream.end(httpReply(200, '{"protocol":1}'));
      });
    });
    t.same(await createDaemonClient(socket).ask({ route: 'version', startingMs: 10_000 }), { protocol: 1 });
    t.equal(server.connections, 3);
  });
  t.test('is tried again also when the connection closed before the request was out', async (t) => {
    const socket = join(shortDirectory(t), 'd.sock');
    await rawServer(t, socket, (stream, connection) => {
      if (connection < 3) stream.destroy();
      else stream.end(httpReply(200, '{"protocol":1}'));
    });
    const reply = await createDaemonClient(socket)
      .ask({ route: 'version', startingMs: 10_000 })
      .catch((error: unknown) => error);
    t.same(reply, { protocol: 1 }, 'EPIPE is a reset like ECONNRESET');
  });
  t.test('is never tried again for a request that changes something', async (t) => {
    const socket = join(shortDirectory(t), 'd.sock');
    const server = await rawServer(t, socket, (stream) => stream.once('data', () => stream.destroy()));
    const body = { automatic: true, canOpenPage: true };
    const error = await errorOf(socket, {
      route: 'signIn',
      params: { profile: 'A' },
      body,
      startingMs: 1_000,
    });
    t.match(error, unreachable(/ECONNRESET/));
    t.equal(server.connections, 1);
  });
  t.test('is an error when there is no time left', async (t) => {
    const socket = join(shortDirectory(t), 'd.sock');
    await rawServer(t, socket, (stream) => stream.destroy());
    t.match(await errorOf(socket, { route: 'version' }), unreachable(/ECONNRESET|EPIPE/));
  });
});

t.test('a truncated reply is an error', async (t) => {
  const socket = join(shortDirectory(t), 'd.sock');
  await rawServer(t, socket, (stream) =>
    stream.end(httpReply(200, '{"AccessKeyId":"A', { 'content-length': '400' })),
  );
  t.match(await errorOf(socket, { route: 'credentials', params: { profile: 'A' } }), unreachable(/cut off/));
});

t.test('a reply that is too long is not read to its end', async (t) => {
  const socket = join(shortDirectory(t), 'd.sock');
  const server = await rawServer(t, socket, (stream) => {
    stream.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"');
    const pour = (): void => {
      while (!stream.destroyed && stream.write('x'.repeat(65_536)));
    };
    stream.on('drain', pour);
    pour();
  });
  t.match(await errorOf(socket, { route: 'status' }), unreachable(/too long/));
  await server.close();
});

t.test('a reply that is not JSON or has no known error is an error', async (t) => {
  const cases: [number, string, RegExp][] = [
    [200, '<html>welcome</html>', /status 200/],
    [200, '', /status 200/],
    [204, '', /status 204/],
    [404, '{"error":"Not Found","statusCode":404}', /status 404/],
    [500, 'oops', /status 500/],
    [500, '{"error":{"code":"ERR_FROM_THE_FUTURE","message":"m","fix":"f"}}', /status 500/],
    [500, 'null', /status 500/],
  ];
  for (const [status, body, message] of cases) {
    const socket = join(shortDirectory(t), 'd.sock');
    await rawServer(t, socket, (stream) => stream.end(httpReply(status, body)));
    t.match(await errorOf(socket, { route: 'version' }), unreachable(message), `${status} ${body}`);
  }
});

t.test('a reply that is not HTTP is an error', async (t) => {
  const socket = join(shortDirectory(t), 'd.sock');
  await rawServer(t, socket, (stream) => stream.end('220 mail.example.com ESMTP\r\n'));
  t.match(await errorOf(socket, { route: 'version' }), unreachable(/HPE_/));
});

t.test('an error of the daemon arrives unchanged', async (t) => {
  const socket = join(shortDirectory(t), 'd.sock');
  const sent = new CcwbError('ERR_LOGIN_REQUIRED', 'nobody is signed in', 'run bedrock-auth login');
  await rawServer(t, socket, (stream) =>
    stream.end(httpReply(sent.toReply().status, JSON.stringify(sent.toBody()))),
  );
  const error = await errorOf(socket, { route: 'credentials', params: { profile: 'A' } });
  t.same(error.toBody(), sent.toBody());
});

t.test('a daemon that accepts and never answers is a time-out', async (t) => {
  const socket = join(shortDirectory(t), 'd.sock');
  const server = await rawServer(t, socket, () => {});
  t.match(await errorOf(socket, { route: 'version', answerMs: 100 }), unreachable(/no answer within 0\.1 s/));
  t.equal(server.connections, 1, 'and not asked twice: it is there, only stuck');
  await server.close();
});

t.test('a reply that stops halfway is an error', async (t) => {
  const socket = join(shortDirectory(t), 'd.sock');
  const server = await rawServer(t, socket, (stream) =>
    stream.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{'),
  );
  t.match(await errorOf(socket, { route: 'version', answerMs: 100 }), unreachable(/no answer within/));
  await server.close();
});

t.test('a caller can cancel a request', async (t) => {
  const socket = join(shortDirectory(t), 'd.sock');
  const server = await rawServer(t, socket, () => {});
  t.test('while it waits for an answer', async (t) => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 50);
    const error = await errorOf(socket, { route: 'version', answerMs: 60_000, signal: abort.signal });
    t.match(error, unreachable(/./));
  });
  t.test('while the daemon starts', async (t) => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 50);
    const error = await errorOf(`${socket}.none`, {
      route: 'version',
      startingMs: 60_000,
      signal: abort.signal,
    });
    t.match(error, unreachable(/./));
  });
  t.test('before it began', async (t) => {
    const error = await errorOf(socket, {
      route: 'version',
      startingMs: 60_000,
      signal: AbortSignal.abort(),
    });
    t.match(error, unreachable(/./));
  });
  await server.close();
});

t.test('a socket of another user is not used', async (t) => {
  const cases: [string, (directory: string, socket: string) => void, RegExp][] = [
    ['the socket', (_, socket) => chownSync(socket, STRANGER, STRANGER), /d\.sock belongs to uid 65534/],
    ['the directory', (directory) => chownSync(directory, STRANGER, STRANGER), /belongs to uid 65534/],
  ];
  for (const [name, give, message] of cases) {
    await t.test(name, { skip: needsRoot }, async (t) => {
      const directory = shortDirectory(t);
      const socket = join(directory, 'd.sock');
      const server = await rawServer(t, socket, (stream) => stream.end(httpReply(200, '{}')));
      give(directory, socket);
      t.match(await errorOf(socket, { route: 'version' }), { code: 'ERR_SOCKET_UNSAFE', message });
      t.equal(server.connections, 0);
    });
  }
});

t.test('a symbolic link is not followed', async (t) => {
  const directory = shortDirectory(t);
  const socket = join(directory, 'd.sock');
  const server = await rawServer(t, socket, (stream) => stream.end(httpReply(200, '{}')));
  symlinkSync(socket, join(directory, 'link.sock'));
  symlinkSync(directory, join(directory, 'linked'));
  for (const path of [join(directory, 'link.sock'), join(directory, 'linked', 'd.sock')]) {
    const error = await errorOf(path, { route: 'version', startingMs: 5_000 });
    t.match(error, { code: 'ERR_SOCKET_UNSAFE', message: /symbolic link/ }, path);
  }
  t.equal(server.connections, 0);
});

t.test('isListening is true only if a daemon answers', async (t) => {
  const directory = shortDirectory(t);
  const socket = join(directory, 'd.sock');
  t.equal(await isListening(socket), false);
  await rawServer(t, socket, (stream) => stream.end(httpReply(200, '{"protocol":1}')));
  t.equal(await isListening(socket), true);
  writeFileSync(join(directory, 'stale'), '');
  t.equal(await isListening(join(directory, 'stale')), false);
});

t.test('the time limits of a caller are these', async (t) => {
  t.same(CLIENT_TIMING, { connectMs: 250, startingMs: 2_000, retryMs: 25, answerMs: 5_000 });
});
