import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { createContainerServer } from '../../../daemon/container/container-server.ts';
import type { Profile } from '../../../daemon/profiles/profile.ts';
import { memoryAudit, memoryLog, realClock } from '../../../tools/support/daemon-edges.ts';
import { freePort } from '../../../tools/support/free-port.ts';
import { awsCredentialsFor } from '../fixtures/tokens.ts';

const PATH = '/v1/profiles/A/container-credentials';
const TOKEN = 'the-right-token';

type T = { teardown(action: () => unknown): void };
type Sent = { method?: string; path?: string; headers?: Record<string, string | string[]> };

/** An endpoint with one profile, A, whose credentials, session and list of programs the test decides. */
async function serve(t: T) {
  const audit = memoryAudit();
  const { log, lines } = memoryLog();
  const state = {
    credentials: awsCredentialsFor(realClock) as ReturnType<typeof awsCredentialsFor> | undefined,
    signedIn: true,
    allowedPrograms: undefined as string[] | undefined,
    refreshes: 0,
  };
  const profile = {
    config: {
      name: 'A',
      get allowedPrograms() {
        return state.allowedPrograms;
      },
    },
    session: { view: () => ({ signedIn: state.signedIn }) },
    credentials: {
      peek: () => state.credentials,
      get: async () => {
        state.refreshes += 1;
        throw new Error('the provider is down');
      },
    },
  } as unknown as Profile;
  const token = { matches: (sent: string) => sent === TOKEN, remove: () => {} };
  const find = (name: string): Profile | undefined => (name === 'A' ? profile : undefined);
  // The port is in what it compares with, so it must be known before.
  const port = await freePort();
  const server = createContainerServer(port, { profile: find, token, clock: realClock, log, audit });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const ask = ({ method = 'GET', path = PATH, headers = {} }: Sent = {}) =>
    new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
      const { port: bound } = server.address() as AddressInfo;
      const options = { host: '127.0.0.1', port: bound, method, path, agent: false };
      const request = httpRequest(
        { ...options, headers: { authorization: TOKEN, ...headers } },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          response.once('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
          );
        },
      );
      request.once('error', reject);
      request.end();
    });
  return { ask, state, audit, lines, port };
}

t.test('credentials are returned from memory in the format of SDKs', async (t) => {
  const { ask, state, audit } = await serve(t);
  const { status, headers, text } = await ask();
  t.equal(status, 200);
  t.equal(headers['content-type'], 'application/json');
  t.equal(headers['cache-control'], 'no-store');
  t.notOk(
    Object.keys(headers).some((name) => name.startsWith('access-control-')),
    'no page may read it',
  );
  const body = JSON.parse(text) as Record<string, unknown>;
  t.same(Object.keys(body), ['AccessKeyId', 'SecretAccessKey', 'Token', 'Expiration']);
  t.match(body, {
    AccessKeyId: state.credentials?.accessKeyId,
    SecretAccessKey: state.credentials?.secretAccessKey,
    Token: state.credentials?.sessionToken,
    Expiration: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  });
  t.match(audit.records, [{ profile: 'A', what: 'container-credentials', requester: { caller: null } }]);
  t.equal(audit.records[0]?.keyId, state.credentials?.accessKeyId.slice(-4));
});

t.test('no caller waits: due credentials are refreshed for the next one', async (t) => {
  const { ask, state } = await serve(t);
  t.equal((await ask()).status, 200, 'while the provider is down');
  t.equal(state.refreshes, 1);
  state.credentials = undefined;
  t.match(await ask(), { status: 504, text: /^{"code":"ERR_REFRESH_PENDING","message":".+"}$/ });
  state.signedIn = false;
  t.match(await ask(), {
    status: 401,
    text: /^{"code":"ERR_LOGIN_REQUIRED","message":".+bedrock-auth login"}$/,
  });
});

t.test('a wrong token, none, or two of them are refused', async (t) => {
  const { ask, audit } = await serve(t);
  for (const authorization of ['', 'wrong', `Bearer ${TOKEN}`, `${TOKEN}, ${TOKEN}`]) {
    const { status, text } = await ask({ headers: { authorization } });
    t.equal(status, 403, authorization);
    t.match(text, /^{"code":"ERR_REQUEST_REFUSED","message":"/);
    t.notMatch(text, TOKEN);
  }
  t.equal((await ask({ headers: { authorization: [TOKEN, TOKEN] } })).status, 403, 'twice');
  t.same(audit.records, []);
});

t.test('web pages are refused even with the right token', async (t) => {
  const { ask } = await serve(t);
  const headers: Record<string, string>[] = [
    { origin: 'http://127.0.0.1' },
    { origin: 'null' },
    { referer: 'http://evil.example/' },
    { 'sec-fetch-site': 'cross-site' },
  ];
  for (const header of headers) {
    const { status, headers: reply } = await ask({ headers: header });
    t.equal(status, 403, JSON.stringify(header));
    t.notOk(Object.keys(reply).some((name) => name.startsWith('access-control-')));
  }
});

t.test('a foreign host name that points here is refused (DNS rebinding)', async (t) => {
  const { ask, port } = await serve(t);
  for (const host of [`127.0.0.1:${port}`, '127.0.0.1', 'localhost', `LOCALHOST:${port}`])
    t.equal((await ask({ headers: { host } })).status, 200, host);
  const others = [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1.evil.example',
    '127.0.0.1:1',
    '0.0.0.0',
    '[::1]',
  ];
  for (const host of others) t.equal((await ask({ headers: { host } })).status, 403, host);
});

t.test('there is one method and one path', async (t) => {
  const { ask, state } = await serve(t);
  for (const method of ['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'])
    t.equal((await ask({ method })).status, 403, method);
  const paths = [
    '/',
    '/v1/profiles/A/credentials',
    `${PATH}?x`,
    `${PATH}/`,
    '/v1/profiles/B/container-credentials',
  ];
  for (const path of paths) {
    const { status, text } = await ask({ path });
    t.equal(status, 404, path);
    t.match(text, /^{"code":"ERR_NOT_FOUND"/);
  }
  t.equal(state.refreshes, 0);
});

t.test('a profile with allowed_programs refuses every caller, because none is identified', async (t) => {
  const { ask, state, audit } = await serve(t);
  state.allowedPrograms = ['/usr/bin/python3'];
  t.match(await ask(), { status: 403, text: /ERR_REQUEST_REFUSED/ });
  t.match(audit.records, [{ refused: true, what: 'container-credentials' }]);
});

t.test('a defect is reported without its message', async (t) => {
  const { ask, state, lines } = await serve(t);
  Object.defineProperty(state, 'credentials', {
    get: () => {
      throw new Error('planted secret');
    },
  });
  const { status, text } = await ask();
  t.equal(status, 500);
  t.notMatch(text + JSON.stringify(lines), 'planted');
  t.match(lines, [{ level: 'error', event: 'defect' }]);
});
