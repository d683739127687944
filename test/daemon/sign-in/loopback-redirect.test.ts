import { spawnSync } from 'node:child_process';
import { request as httpRequest } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import {
  type CallbackHandler,
  createLoopbackRedirect,
  REDIRECT_PATH,
  redirectUri,
} from '../../../daemon/sign-in/loopback-redirect.ts';
import { resultPage } from '../../../daemon/sign-in/result-page.ts';
import { codeOf, gate, rejection } from '../../../tools/support/daemon-edges.ts';
import { freePort } from '../../../tools/support/free-port.ts';

type Visit = { host?: string; address?: string; method?: string; headers?: Record<string, string> };
type Answer = { status: number; headers: NodeJS.Dict<string | string[]>; body: string };

/** What a browser gets from a path on the port. */
function visit(port: number, path: string, options: Visit = {}): Promise<Answer> {
  const { address = '127.0.0.1', host = `localhost:${port}`, method = 'GET', headers = {} } = options;
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: address, port, path, method, agent: false, headers: { host, ...headers } },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      },
    );
    request.once('error', reject);
    request.end();
  });
}

/** A request as browsers label it when a page elsewhere makes it. */
function from(mode: string, destination: string): Visit {
  const site = { 'sec-fetch-site': 'cross-site', referer: 'https://evil.example/' };
  return { headers: { ...site, 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } };
}

/** A connection that sends what it is told and then holds on. */
async function holdOpen(port: number, sent = ''): Promise<{ socket: Socket; closed: Promise<void> }> {
  const socket = connect(port, '127.0.0.1');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {});
  socket.resume();
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  if (sent) await new Promise<void>((resolve) => socket.write(sent, () => resolve()));
  return { socket, closed };
}

/** Sends bytes as they are and gives back everything that came until the other side closed. */
function talk(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => void socket.write(bytes));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(text));
  });
}

/** A sign-in that remembers its callbacks. */
function waiting(): { handler: CallbackHandler; seen: string[] } {
  const seen: string[] = [];
  const handler: CallbackHandler = async (callback) => {
    seen.push(callback.href);
    return resultPage({ outcome: 'signed-in', user: 'ada', profile: 'ClaudeCode' });
  };
  return { handler, seen };
}

const ipv6 = await new Promise<boolean>((resolve) => {
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen(0, '::1', () => server.close(() => resolve(true)));
});
const needsIpv6 = ipv6 ? false : 'this machine has no ::1';

/** Runs a shell command in a network of its own: loopback, and no IPv6 on it. */
const WITHOUT_IPV6 = 'ip link set lo up && echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6 && exec "$@"';
const inNamespace = (...command: string[]) =>
  spawnSync('unshare', ['--net', '--map-root-user', 'sh', '-c', WITHOUT_IPV6, 'sh', ...command], {
    encoding: 'utf8',
    timeout: 60_000,
  });
const needsNamespace =
  inNamespace('true').status === 0 ? false : 'needs unshare and ip, and leave to make a network namespace';

t.test('the browser is sent back to the registered address', async (t) => {
  t.equal(REDIRECT_PATH, '/callback');
  t.equal(redirectUri(8400), 'http://localhost:8400/callback');
});

t.test('a callback with the expected state gets its page', async (t) => {
  const port = await freePort();
  const { handler, seen } = waiting();
  const registration = await createLoopbackRedirect().register(port, 's1', handler);
  const { status, body, headers } = await visit(port, '/callback?code=c%20d&state=s1&iss=x');
  t.equal(status, 200);
  t.match(body, /You are signed in/);
  t.same(seen, [`http://localhost:${port}/callback?code=c%20d&state=s1&iss=x`]);
  t.match(headers, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'content-security-policy': /default-src 'none'/,
  });
  await registration.release();
});

t.test(
  'localhost is either loopback address, and the redirect URI stays the registered one',
  { skip: needsIpv6 },
  async (t) => {
    const port = await freePort();
    const { handler, seen } = waiting();
    const registration = await createLoopbackRedirect().register(port, 's1', handler);
    const names = [
      ['127.0.0.1', `localhost:${port}`],
      ['::1', `localhost:${port}`],
      ['127.0.0.1', `127.0.0.1:${port}`],
      ['::1', `[::1]:${port}`],
    ] as const;
    for (const [address, host] of names)
      t.equal(
        (await visit(port, '/callback?code=c&state=s1', { address, host })).status,
        200,
        `${host} at ${address}`,
      );
    t.same(new Set(seen), new Set([`http://localhost:${port}/callback?code=c&state=s1`]));
    await registration.release();
  },
);

t.test('an unexpected request gets a polite 400 and ends no sign-in', async (t) => {
  const port = await freePort();
  const { handler, seen } = waiting();
  const registration = await createLoopbackRedirect().register(port, 's1', handler);
  const strangers: [string, Visit?][] = [
    ['/callback?code=c&state=other'],
    ['/callback?code=c&state='],
    ['/callback?code=c'],
    ['/callback'],
    ['/?code=c&state=s1'],
    ['/callback/?code=c&state=s1'],
    ['/Callback?code=c&state=s1'],
    ['/callback/../other?code=c&state=s1'],
    ['/callback%zz?code=c&state=s1'],
    ['/callback?error=access_denied&state=other'],
    ['/callback?error=access_denied'],
    ['/favicon.ico'],
    ['http://evil.example:1/other?state=s1'],
    ['/callback?code=c&state=s1', { host: 'evil.example' }],
    ['/callback?code=c&state=s1', { host: `evil.example:${port}` }],
    ['/callback?code=c&state=s1', { host: 'localhost' }],
    ['/callback?code=c&state=s1', { host: `localhost:${port + 1}` }],
    ['/callback?code=c&state=s1', { host: `localhost.evil.example:${port}` }],
    ['/callback?code=c&state=s1', { method: 'POST' }],
    ['/callback?code=c&state=s1', { method: 'OPTIONS' }],
    ['/callback?code=c&state=constructor'],
    ['/callback?code=c&state=%zz'],
    ['/callback?state=s1'],
    ['/callback?code=&state=s1'],
    ['/callback?code=c&code=d&state=s1'],
    ['/callback?code=c&code=c&state=s1'],
    ['/callback?code=c&state=s1&state=s1'],
    ['/callback?code=c&state=s1&iss=a&iss=b'],
    ['/callback?error=access_denied&error=access_denied&state=s1'],
    ['/callback?code=c&state=s1', from('no-cors', 'image')],
    ['/callback?code=c&state=s1', from('cors', 'empty')],
    ['/callback?code=c&state=s1', from('navigate', 'iframe')],
    ['/callback?code=c&state=s1', { headers: { origin: 'https://evil.example' } }],
    ['/callback?code=c&state=s1', { headers: { origin: 'null' } }],
  ];
  for (const [path, options] of strangers) {
    const { status, body } = await visit(port, path, options);
    t.equal(status, 400, `${options?.method ?? 'GET'} ${options?.host ?? ''} ${path}`);
    t.match(body, /Nothing was waiting for this page/);
    t.notMatch(body, /evil/);
  }
  const head = await visit(port, '/callback?code=c&state=s1', { method: 'HEAD' });
  t.equal(head.status, 400, 'a look ahead of a mail scanner redeems no code');
  t.equal(head.body, '');
  const hosts = `Host: localhost:${port}\r\nHost: evil.example\r\n`;
  t.match(
    await talk(port, `GET /callback?state=s1 HTTP/1.1\r\n${hosts}\r\n`),
    /^HTTP\/1\.1 400 /,
    'two hosts',
  );
  const host = `Host: localhost:${port}\r\n`;
  t.match(
    await talk(port, `GET /callback?code=c&state=s1#x HTTP/1.1\r\n${host}\r\n`),
    /^HTTP\/1\.1 400 /,
    'a fragment, which no browser sends',
  );
  t.same(seen, []);
  t.equal((await visit(port, '/callback?code=c&state=s1')).status, 200, 'the wait goes on');
  await registration.release();
});

t.test('the navigation of a browser that comes from the provider is accepted', async (t) => {
  const port = await freePort();
  const { handler, seen } = waiting();
  const registration = await createLoopbackRedirect().register(port, 's1', handler);
  const visits = [
    from('navigate', 'document'),
    { headers: { referer: 'https://idp.example/authorize' } },
    { headers: { ...from('navigate', 'document').headers, origin: 'null' } },
    { headers: { ...from('navigate', 'document').headers, 'sec-purpose': 'prefetch;prerender' } },
    { headers: { cookie: `left=${'x'.repeat(40_000)}` } },
  ];
  for (const each of visits) t.equal((await visit(port, '/callback?code=c&state=s1', each)).status, 200);
  t.equal((await visit(port, '/callback?error=access_denied&state=s1')).status, 200, 'an error is an answer');
  t.equal(seen.length, visits.length + 1);
  await registration.release();
});

t.test('a request that is too large ends no sign-in', async (t) => {
  const port = await freePort();
  const { handler, seen } = waiting();
  const registration = await createLoopbackRedirect().register(port, 's1', handler);
  const answer = await visit(port, `/callback?code=c&state=s1&x=${'y'.repeat(100_000)}`);
  t.equal(answer.status, 431);
  const post = await visit(port, '/callback?code=c&state=s1', {
    method: 'POST',
    headers: { 'content-length': '1000000000' },
  });
  t.equal(post.status, 400, 'its body is not waited for');
  t.same(seen, []);
  t.equal((await visit(port, '/callback?code=c&state=s1')).status, 200);
  await registration.release();
});

t.test('a slow client delays neither the callback nor the release of the port', async (t) => {
  const port = await freePort();
  const registration = await createLoopbackRedirect().register(port, 's1', waiting().handler);
  const silent = await holdOpen(port);
  const halfway = await holdOpen(port, 'GET /callback?code=c&state=s1 HTTP/1.1\r\nHost: ');
  const body = await holdOpen(
    port,
    `POST / HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Length: 9\r\n\r\n`,
  );
  t.equal((await visit(port, '/callback?code=c&state=s1')).status, 200);
  await registration.release();
  await Promise.all([silent.closed, halfway.closed, body.closed]);
  for (const address of ['127.0.0.1', ...(ipv6 ? ['::1'] : [])]) {
    t.equal(await codeOf(visit(port, '/', { address })), 'ECONNREFUSED', 'nobody listens');
    const other = createServer();
    await new Promise<void>((resolve) => other.listen({ port, host: address, exclusive: true }, resolve));
    await new Promise((resolve) => other.close(resolve));
  }
});

t.test('idle connections never keep the browser out', async (t) => {
  const port = await freePort();
  const arrived = gate();
  const aws = gate();
  const registration = await createLoopbackRedirect().register(port, 's1', async () => {
    arrived.open();
    await aws.promise;
    return resultPage({ outcome: 'signed-in', user: 'ada', profile: 'p' });
  });
  const browser = visit(port, '/callback?code=c&state=s1');
  await arrived.promise;
  const held = await Promise.all(Array.from({ length: 200 }, () => holdOpen(port)));
  await held[0]?.closed;
  t.equal((await visit(port, '/callback?code=c&state=other')).status, 400, 'another comes through');
  aws.open();
  t.equal((await browser).status, 200, 'and the one that was there first keeps its connection');
  await registration.release();
  await Promise.all(held.map(({ closed }) => closed));
});

t.test('a machine without IPv6 is served on IPv4', { skip: needsNamespace }, async (t) => {
  const child = fileURLToPath(new URL('../fixtures/redirect-child.js', import.meta.url));
  const { stdout, stderr } = inNamespace(process.execPath, child, '8400');
  t.equal(stdout, 'EADDRNOTAVAIL 200\n', stderr);
});

t.test('two sign-ins share a port and are told apart', async (t) => {
  const port = await freePort();
  const redirect = createLoopbackRedirect();
  const [one, two] = [waiting(), waiting()];
  const [first, second] = await Promise.all([
    redirect.register(port, 's1', one.handler),
    redirect.register(port, 's2', two.handler),
  ]);
  await visit(port, '/callback?code=c&state=s2');
  t.same([one.seen.length, two.seen.length], [0, 1]);
  await second.release();
  t.equal((await visit(port, '/callback?code=c&state=s2')).status, 400, 'it waits no more');
  t.equal((await visit(port, '/callback?code=c&state=s1')).status, 200, 'the other still does');
  await first.release();
  t.equal(await codeOf(visit(port, '/callback?code=c&state=s1')), 'ECONNREFUSED', 'and then nobody listens');
});

t.test('the port is free again as soon as it is released', async (t) => {
  const port = await freePort();
  const redirect = createLoopbackRedirect();
  for (let round = 0; round < 5; round += 1) {
    const registration = await redirect.register(port, `s${round}`, waiting().handler);
    const releasing = registration.release();
    const next = await redirect.register(port, `t${round}`, waiting().handler);
    t.equal(
      (await visit(port, `/callback?code=c&state=t${round}`)).status,
      200,
      'for the next sign-in at once',
    );
    await Promise.all([releasing, next.release()]);
  }
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  await new Promise((resolve) => other.close(resolve));
});

t.test('a sign-in that starts while the last one ends is not left without a listener', async (t) => {
  const port = await freePort();
  const redirect = createLoopbackRedirect();
  const ending = await redirect.register(port, 's1', waiting().handler);
  const starting = redirect.register(port, 's2', waiting().handler);
  const released = ending.release();
  const registration = await starting;
  const status = await visit(port, '/callback?code=c&state=s2').then(
    (answer) => answer.status,
    (error: NodeJS.ErrnoException) => error.code,
  );
  t.equal(status, 200, 'somebody listens');
  await Promise.all([released, registration.release()]);
});

t.test('the error for a port in use says how to find the program', async (t) => {
  const port = await freePort();
  for (const address of ipv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']) {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, address, resolve));
    const redirect = createLoopbackRedirect();
    const error = await rejection(redirect.register(port, 's1', waiting().handler));
    t.match(error, { code: 'ERR_REDIRECT_PORT_TAKEN', fix: /lsof .*redirect_port/ }, address);
    t.ok(error instanceof Error && error.message.includes(String(port)));
    await new Promise((resolve) => other.close(resolve));
    const registration = await redirect.register(port, 's1', waiting().handler);
    t.equal((await visit(port, '/callback?code=c&state=s1')).status, 200, 'and taken once it is free');
    await registration.release();
  }
});

t.test('a second daemon\u2019s sign-in on the same port is refused, not shared', async (t) => {
  const port = await freePort();
  const registration = await createLoopbackRedirect().register(port, 's1', waiting().handler);
  const error = await rejection(createLoopbackRedirect().register(port, 's2', waiting().handler));
  t.match(error, { code: 'ERR_REDIRECT_PORT_TAKEN' });
  await registration.release();
});

t.test('a page in progress is still delivered after the release', async (t) => {
  const port = await freePort();
  const arrived = gate();
  const aws = gate();
  const registration = await createLoopbackRedirect().register(port, 's1', async () => {
    arrived.open();
    await aws.promise;
    return resultPage({ outcome: 'signed-in', user: 'ada', profile: 'p' });
  });
  const answer = visit(port, '/callback?code=c&state=s1');
  await arrived.promise;
  const releasing = registration.release();
  aws.open();
  t.equal((await answer).status, 200);
  await releasing;
});

t.test('the redirect is settled when every browser has its page', async (t) => {
  const port = await freePort();
  const arrived = gate();
  const aws = gate();
  const redirect = createLoopbackRedirect();
  await redirect.settled();
  const registration = await redirect.register(port, 's1', async () => {
    arrived.open();
    await aws.promise;
    return resultPage({ outcome: 'signed-in', user: 'ada', profile: 'p' });
  });
  const order: string[] = [];
  const answer = visit(port, '/callback?code=c&state=s1').then(() => order.push('page'));
  await arrived.promise;
  void registration.release();
  const settled = redirect.settled().then(() => order.push('settled'));
  aws.open();
  await Promise.all([answer, settled]);
  t.equal(order.length, 2);
  const open = visit(port, '/callback?code=c&state=s1');
  t.equal(await codeOf(open), 'ECONNREFUSED');
});

t.test('a handler that fails still leads to a page', async (t) => {
  const port = await freePort();
  const registration = await createLoopbackRedirect().register(port, 's1', async () => {
    throw new Error('planted');
  });
  const { status, body } = await visit(port, '/callback?code=c&state=s1');
  t.equal(status, 502);
  t.match(body, /The sign-in did not work/);
  t.notMatch(body, /planted/);
  await registration.release();
});

t.test('the redirect listens only on the loopback addresses', async (t) => {
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((each) => each && !each.internal && each.family === 'IPv4');
  const port = await freePort();
  const registration = await createLoopbackRedirect().register(port, 's1', waiting().handler);
  if (outside)
    t.equal(
      await codeOf(visit(port, '/callback?code=c&state=s1', { address: outside.address })),
      'ECONNREFUSED',
    );
  else t.pass('this machine has no other address');
  await registration.release();
});
