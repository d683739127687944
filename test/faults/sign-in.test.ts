import { once } from 'node:events';
import { request } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import type { SignInReply } from '../../protocol/api.ts';
import { signInOverHttp } from '../../sandbox/browser/browserless.ts';
import type { BadIdToken, Fault } from '../../sandbox/provider/identity-provider.ts';
import { until } from '../fixtures/until.ts';
import { pool } from './cycle.ts';
import { type Call, logText, nothingLost, PROFILE, type Running, startRunning } from './running.ts';
import { type Findings, faultGroup } from './table.ts';

const fault = faultGroup(t, 'sign-in and callback', 2);
const worlds = pool(2, () =>
  startRunning(t, {
    signedIn: false,
    installation: { browser: 'notes' },
    moreProfiles: {
      Dns: { issuer: 'https://provider.invalid', client_id: 'a' },
      Tls: { client_id: 'b' },
    },
  }),
);

type Page = { url: string; call: Promise<Call> };

/** A caller that waits, and the page it has opened. */
async function open(running: Running): Promise<Page> {
  const { length } = await running.home.openedPages();
  const call = running.call({ signIn: true });
  const url = await until(async () => (await running.home.openedPages())[length]);
  return { url, call };
}

/**
 * A world where nobody is signed in; afterwards somebody signs in there and out again, so that it is known
 * to work and good for the next test.
 */
const signedOut = (
  name: string,
  body: (t: Test, findings: Findings, running: Running) => Promise<void>,
): void =>
  fault(name, (t, findings) =>
    worlds(async (running) => {
      const { home, sandbox } = running;
      const before = await running.snapshot();
      await body(t, findings, running);
      sandbox.provider.clearFaults();
      const state = (await home.status()).profiles[0]?.state;
      const attempts = (await running.snapshot()).pages - before.pages;
      if (state !== 'signed-in') {
        const { url, call } = await open(running);
        t.equal((await signInOverHttp(url)).status, 200, 'the next sign-in succeeds');
        t.equal((await call).status, 0);
        findings.caller('the next sign-in exit 0');
      }
      const pages = attempts + (state === 'signed-in' ? 0 : 1);
      findings.log(logText(await running.logSince(before)));
      // A code that was not redeemed, or in vain, is no session that was lost.
      const exchanged = sandbox.provider.counts.codeExchanges - before.counts.codeExchanges;
      before.counts.codeExchanges += exchanged - pages;
      const refused = sandbox.provider.counts.refusedGrants - before.counts.refusedGrants;
      const allowed = { pages, refused, restarted: true };
      findings.survived(await nothingLost(t, running, before, allowed));
      t.equal((await home.run(home.program('bedrock-auth'), ['logout'])).status, 0);
    }),
  );

const badIdToken = (kind: BadIdToken): void =>
  signedOut(`ID token at the sign-in: ${kind}`, async (t, findings, running) => {
    running.sandbox.provider.setBadIdToken(kind, 1);
    const { url, call } = await open(running);
    const page = await signInOverHttp(url);
    t.match(page.body, /The sign-in did not work/);
    const { status, code, stdout, text } = await call;
    t.match({ status, code, stdout }, { status: 1, code: 'ERR_ID_TOKEN_INVALID', stdout: '' });
    findings.caller(`${text}; the browser: The sign-in did not work`);
  });
for (const kind of ['wrong-nonce', 'wrong-audience', 'wrong-issuer', 'alg-none', 'expired'] as const)
  badIdToken(kind);

const redeeming = (name: string, made: Fault, code: RegExp): void =>
  signedOut(`redeeming the code: ${name}`, async (t, findings, running) => {
    const { url, call } = await open(running);
    running.sandbox.provider.setFault('token', made, 1);
    t.match((await signInOverHttp(url)).body, /The sign-in did not work/);
    const ended = await call;
    t.match(ended, { status: 1, code, stdout: '' });
    findings.caller(`${ended.text}; the browser: The sign-in did not work`);
  });
redeeming('status 500', { kind: 'status', status: 500 }, /^ERR_PROVIDER_UNREACHABLE$/);
redeeming('HTML of a captive portal', { kind: 'html' }, /^ERR_PROVIDER_INVALID$/);
redeeming('the answer is lost', { kind: 'loseReply' }, /^ERR_PROVIDER_UNREACHABLE$/);
redeeming('connection reset', { kind: 'reset' }, /^ERR_PROVIDER_UNREACHABLE$/);

/** Neither a page nor a listener comes of it. */
const beforeAnyPage = (
  name: string,
  inject: (running: Running, t: Test) => void | Promise<void>,
  code: RegExp,
  profile = PROFILE,
): void =>
  signedOut(name, async (t, findings, running) => {
    const before = await running.snapshot();
    await inject(running, t);
    const ended = await running.call({ signIn: true, profile });
    t.match(ended, { status: 1, code, stdout: '' });
    t.equal((await running.snapshot()).pages, before.pages, 'no page');
    findings.caller(`${ended.text}; no page`);
    running.sandbox.provider.clearFaults();
    await lift.get(running)?.();
    lift.delete(running);
  });
const lift = new Map<Running, () => Promise<void>>();

beforeAnyPage(
  'provider down at the start of a sign-in',
  ({ sandbox }) => sandbox.provider.setFault('all', { kind: 'down' }),
  /^ERR_PROVIDER_UNREACHABLE$/,
);
beforeAnyPage(
  'captive portal at the start of a sign-in',
  async (running) => {
    // A daemon that has met the provider before leaves the portal's page to the browser.
    running.sandbox.provider.setFault('all', { kind: 'html' });
    await running.restartDaemon();
  },
  /^ERR_PROVIDER_INVALID$/,
);
beforeAnyPage(
  'the provider refuses the authorization request',
  ({ sandbox }) => sandbox.provider.setFault('authorization', { kind: 'status', status: 400 }),
  /^ERR_PROVIDER_REJECTED$/,
);
beforeAnyPage('the provider has no address in the DNS', () => {}, /^ERR_PROVIDER_UNREACHABLE$/, 'Dns');
beforeAnyPage(
  'the provider speaks no TLS',
  async (running) => {
    const { home, sandbox, redirectPort } = running;
    const base = sandbox.profile({ redirect_port: redirectPort });
    const issuer = base.issuer.replace('http:', 'https:');
    await home.writeConfig({ [PROFILE]: base, Tls: { ...base, issuer, client_id: 'b' } });
    await until(async () => (await home.status()).profiles.find((profile) => profile.issuer === issuer));
  },
  /^ERR_PROVIDER_UNREACHABLE$/,
  'Tls',
);
for (const address of ['127.0.0.1', '::1']) {
  beforeAnyPage(
    `the redirect port is taken on ${address}`,
    async (running) => {
      const other = await until(() => listenOn(address, running.redirectPort));
      lift.set(running, () => new Promise((resolve) => void other.close(() => resolve())));
    },
    /^ERR_REDIRECT_PORT_TAKEN$/,
  );
}

/** Undefined while the sign-in before still serves its page there. */
async function listenOn(address: string, port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, address);
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
}

/** Something that is not the browser that was sent away: it is turned down, and the sign-in goes on. */
const stranger = (name: string, act: (running: Running, page: Page, t: Test) => Promise<string>): void =>
  signedOut(`callback: ${name}`, async (t, findings, running) => {
    const page = await open(running);
    findings.caller(`the stranger: ${await act(running, page, t)}`);
    t.equal((await signInOverHttp(page.url)).status, 200, 'the right browser is let in');
    const ended = await page.call;
    t.equal(ended.status, 0, ended.stderr);
    findings.caller(`the one who signs in: ${ended.text}`);
  });

/** A request to the redirect port as nobody's browser makes it. */
function knock(
  port: number,
  { method = 'GET', path = '/callback', headers = {} }: Record<string, unknown> = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({
      host: '127.0.0.1',
      port,
      method: method as string,
      path: path as string,
      headers: { host: `localhost:${port}`, ...(headers as object) },
    });
    asked.once('error', reject);
    asked.once('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.end();
  });
}

const stateOf = ({ url }: Page): string => new URL(url).searchParams.get('state') ?? '';

stranger('a wrong state', async ({ redirectPort }, _page, t) => {
  const status = await knock(redirectPort, { path: '/callback?code=x&state=y' });
  t.equal(status, 400);
  return `status ${status}`;
});
stranger('no state at all', async ({ redirectPort }, _page, t) => {
  const status = await knock(redirectPort, { path: '/callback?code=x' });
  t.equal(status, 400);
  return `status ${status}`;
});
stranger('the host name of another page', async ({ redirectPort }, page, t) => {
  const path = `/callback?code=x&state=${stateOf(page)}`;
  const status = await knock(redirectPort, { path, headers: { host: 'evil.example' } });
  t.equal(status, 400);
  return `status ${status}`;
});
stranger('a form that another page sends', async ({ redirectPort }, page, t) => {
  const path = `/callback?code=x&state=${stateOf(page)}`;
  const status = await knock(redirectPort, { method: 'POST', path, headers: { 'content-length': '0' } });
  t.equal(status, 400);
  return `status ${status}`;
});
stranger('other paths', async ({ redirectPort }, _page, t) => {
  const paths = ['/', '/favicon.ico', '/callback/../x', '/callbackx?state=y', '//callback'];
  const statuses = await Promise.all(paths.map((path) => knock(redirectPort, { path })));
  t.ok(statuses.every((status) => status >= 400));
  return `status ${[...new Set(statuses)].join(', ')}`;
});
stranger('a header of 1 MB', async ({ redirectPort }, _page, t) => {
  const outcome = await knock(redirectPort, { headers: { cookie: 'x'.repeat(1e6) } }).catch(
    (error: NodeJS.ErrnoException) => error.code ?? 'cut',
  );
  t.match(String(outcome), /^(431|ECONNRESET|EPIPE)$/);
  return 'refused';
});
stranger('clients that connect and say nothing, or half a request', async (running, _page, t) => {
  const sockets = Array.from({ length: 20 }, () => connect(running.redirectPort, '127.0.0.1'));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  for (const [index, socket] of sockets.entries())
    if (index % 2) socket.write('GET /callback?code=x HTTP/1.1\r\nHo');
  t.teardown(() => sockets.forEach((socket: Socket) => void socket.destroy()));
  return 'nothing, and stays connected';
});

signedOut('callback: the provider reports an error', async (t, findings, running) => {
  for (const [error, code] of [
    ['access_denied', 'ERR_LOGIN_DENIED'],
    ['server_error', 'ERR_PROVIDER_UNREACHABLE'],
    ['invalid_scope', 'ERR_PROVIDER_REJECTED'],
  ] as const) {
    const page = await open(running);
    const query = new URLSearchParams({ error, state: stateOf(page), iss: running.sandbox.provider.issuer });
    await knock(running.redirectPort, { path: `/callback?${query}` });
    const ended = await page.call;
    t.match(ended, { status: 1, code, stdout: '' }, error);
    findings.caller(`${error}: exit 1 ${ended.code}`);
  }
});

signedOut('callback: a code the provider never gave', async (t, findings, running) => {
  const page = await open(running);
  const { issuer } = running.sandbox.provider;
  const query = new URLSearchParams({ code: 'forged', state: stateOf(page), iss: issuer });
  await knock(running.redirectPort, { path: `/callback?${query}` });
  const ended = await page.call;
  t.match(ended, { status: 1, code: 'ERR_LOGIN_DENIED', stdout: '' });
  findings.caller(ended.text);
});

signedOut('callback: the browser asks ten times at once', async (t, findings, running) => {
  const { counts } = running.sandbox.provider;
  const before = counts.codeExchanges;
  const page = await open(running);
  const { callbackUrl = '' } = await signInOverHttp(page.url, {}, { callback: false });
  const { pathname, search } = new URL(callbackUrl);
  const knocks = Array.from({ length: 10 }, () => knock(running.redirectPort, { path: pathname + search }));
  const statuses = await Promise.all(knocks);
  t.ok(statuses.includes(200), 'the page is shown');
  for (const status of statuses) t.ok([200, 400].includes(status), `status ${status}`);
  t.equal(counts.codeExchanges - before, 1, 'the code is redeemed once');
  const ended = await page.call;
  t.equal(ended.status, 0, ended.stderr);
  findings.caller(`${ended.text}; the code is redeemed once`);
});

signedOut('the caller that was to open the page dies before it does', async (t, findings, running) => {
  const { client } = running.home;
  const body = { automatic: true, canOpenPage: true };
  const params = { profile: PROFILE };
  const reply = await client.ask<SignInReply>({ route: 'signIn', params, body, answerMs: 60_000 });
  t.match(reply, { state: 'pending', openPage: true });
  // Nobody confirms: the next caller that waits inherits the task.
  const page = await open(running);
  t.equal((await signInOverHttp(page.url)).status, 200);
  const ended = await page.call;
  t.equal(ended.status, 0, ended.stderr);
  findings.caller(`another caller opens the page: ${ended.text}`);
});
