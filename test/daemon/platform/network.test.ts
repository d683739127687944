import { readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import type { NetworkSettings } from '../../../common/network-settings.ts';
import { createNetworkAccess, neverSent } from '../../../daemon/platform/network.ts';
import { CcwbError } from '../../../protocol/errors.ts';
import { codeOf, memoryLog, rejection } from '../../../tools/support/daemon-edges.ts';
import { CA, listen, proxy, tlsServer as startTls } from '../../fixtures/tls-proxy.ts';

function open(settings: NetworkSettings | (() => NetworkSettings) = {}) {
  const seen: number[] = [];
  const read = typeof settings === 'function' ? settings : () => settings;
  return { seen, ...createNetworkAccess(read, memoryLog().log, (at) => seen.push(at)) };
}

const hello = (_: IncomingMessage, response: ServerResponse): void => void response.end('hello');

const tlsServer = (t: Parameters<typeof startTls>[0]): Promise<number> => startTls(t, hello);

t.test('a private certificate authority is trusted only if it is configured', async (t) => {
  const port = await tlsServer(t);
  const url = `https://localhost:${port}/`;
  const error = await rejection(open().fetch(url));
  t.ok(neverSent(error), 'a server nobody vouches for was told nothing');
  const trusting = open({ NODE_EXTRA_CA_CERTS: CA });
  t.equal(await (await trusting.fetch(url)).text(), 'hello');
  t.ok(trusting.status().certificates.includes(CA));
});

t.test('NODE_TLS_REJECT_UNAUTHORIZED=0 switches no check off', async (t) => {
  const port = await tlsServer(t);
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  t.teardown(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED);
  t.ok(neverSent(await rejection(open().fetch(`https://localhost:${port}/`))));
  const { url } = await proxy(t, port);
  t.ok(
    neverSent(await rejection(open({ HTTPS_PROXY: url }).fetch('https://idp.example/'))),
    'nor behind a proxy',
  );
});

t.test(
  'a file of certificates that is missing or is none is told, and takes no other trust away',
  async (t) => {
    const missing = open({ NODE_EXTRA_CA_CERTS: '/nowhere/ca.pem' });
    t.match(await rejection(missing.fetch('https://localhost:1/')), {
      code: 'ERR_CONFIG_INVALID',
      message: /\/nowhere\/ca\.pem/,
    });
    const file = join(t.testdir({ 'ca.pem': 'no certificate' }), 'ca.pem');
    const error = await rejection(open({ NODE_EXTRA_CA_CERTS: file }).fetch('https://127.0.0.1:1/'));
    t.notOk(error instanceof CcwbError, 'the call is made');
  },
);

t.test('HTTPS uses the proxy by name, with its password', async (t) => {
  const target = await tlsServer(t);
  const { asked, url } = await proxy(t, target);
  const network = open({
    HTTPS_PROXY: url.replace('http://', 'http://user:p%40ss@'),
    NODE_EXTRA_CA_CERTS: CA,
  });
  t.equal(
    await (await network.fetch('https://idp.test/token', { method: 'POST', body: 'x' })).text(),
    'hello',
  );
  t.same(asked, [
    { to: 'idp.test:443', authorization: `Basic ${Buffer.from('user:p@ss').toString('base64')}` },
  ]);
  t.notMatch(JSON.stringify(network.status()), /p%40ss|p@ss|user/, 'status shows no password');
  t.match(network.status().proxy, /127\.0\.0\.1/);
});

t.test('excluded hosts and this machine are reached without the proxy', async (t) => {
  const port = await tlsServer(t);
  const plain = await listen(t, createHttp(hello));
  const { asked, url } = await proxy(t, port);
  const network = open({
    HTTPS_PROXY: url,
    HTTP_PROXY: url,
    NO_PROXY: '.corp.test',
    NODE_EXTRA_CA_CERTS: CA,
  });
  t.equal(await (await network.fetch(`https://localhost:${port}/`)).text(), 'hello');
  t.equal(await (await network.fetch(`http://127.0.0.1:${plain}/`)).text(), 'hello');
  await rejection(network.fetch('https://idp.corp.test/'));
  t.same(asked, []);
});

t.test('a proxy that is down is a request that was never sent', async (t) => {
  const network = open({ HTTPS_PROXY: 'http://127.0.0.1:1' });
  t.ok(neverSent(await rejection(network.fetch('https://idp.test/'))));
});

t.test('each call throws the error of wrong settings until they are corrected', async (t) => {
  const path = join(t.testdir({}), 'settings');
  writeFileSync(path, 'wrong');
  const network = open(() => {
    if (readFileSync(path, 'utf8') === 'wrong')
      throw new CcwbError('ERR_CONFIG_INVALID', 'network.json: wrong', 'correct it');
    return {};
  });
  const port = await listen(t, createHttp(hello));
  const url = `http://127.0.0.1:${port}/`;
  t.equal(await codeOf(network.fetch(url)), 'ERR_CONFIG_INVALID');
  t.same(network.status(), { proxy: null, certificates: [] });
  writeFileSync(path, 'right');
  t.equal(await (await network.fetch(url)).text(), 'hello');
});

t.test('the time of a reply is reported, including its age in a cache', async (t) => {
  const date = 'Fri, 02 Jan 2026 03:04:05 GMT';
  const headers: Record<string, string>[] = [{ date }, { date, age: '60' }, { date: 'nonsense' }];
  const port = await listen(
    t,
    createHttp((_, response) => response.writeHead(200, headers.shift() ?? {}).end()),
  );
  const network = open();
  for (const _ of [1, 2, 3]) await (await network.fetch(`http://127.0.0.1:${port}/`)).text();
  t.same(network.seen, [Date.parse(date), Date.parse(date) + 60_000, Number.NaN]);
});

t.test('an endless reply is cut off', async (t) => {
  const port = await listen(
    t,
    createHttp((_, response) => {
      const more = (): void =>
        void (response.write(Buffer.alloc(100_000)) ? setImmediate(more) : response.once('drain', more));
      more();
    }),
  );
  const response = await open().fetch(`http://127.0.0.1:${port}/`);
  t.ok(await rejection(response.text()));
});

t.test('requests that were never sent are distinguished from those that may have arrived', async (t) => {
  const failed = (code: string): Error =>
    Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error(code), { code }) });
  for (const code of ['ENOTFOUND', 'ECONNREFUSED', 'UND_ERR_CONNECT_TIMEOUT'])
    t.ok(neverSent(failed(code)), code);
  for (const code of ['ECONNRESET', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT', 'EPIPE'])
    t.notOk(neverSent(failed(code)), code);
  const addresses = (...codes: string[]): Error =>
    new AggregateError(codes.map((code) => Object.assign(new Error(code), { code })));
  t.ok(neverSent(addresses('ECONNREFUSED', 'ENETUNREACH')));
  t.notOk(neverSent(addresses('ECONNREFUSED', 'ECONNRESET')));
  t.notOk(neverSent(undefined));
});
