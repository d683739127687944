import t from 'tap';
import type {
  Credentials,
  ExpirationReply,
  IdTokenReply,
  SignInReply,
  SignOutReply,
  VersionReply,
} from '../../../protocol/api.ts';
import { BUILD_VERSION, PROTOCOL_VERSION } from '../../../protocol/version.ts';
import { signInOverHttp } from '../../../sandbox/browser/browserless.ts';
import { codeOf, exactClock, rejection } from '../../../tools/support/daemon-edges.ts';
import { runDaemon } from '../fixtures/daemon.ts';

type Running = Awaited<ReturnType<typeof runDaemon>>;

const params = { profile: 'A' };

async function startSignIn({ client }: Running, canOpenPage = true) {
  const body = { automatic: false, canOpenPage };
  const reply = await client.ask<SignInReply>({ route: 'signIn', params, body });
  if (reply.state !== 'pending') throw new Error(JSON.stringify(reply));
  return reply;
}

async function signIn(running: Running): Promise<void> {
  const { url, signIn: id } = await startSignIn(running);
  await signInOverHttp(url);
  await running.client.ask({ route: 'awaitSignIn', params: { signIn: id }, query: { wait: 5_000 } });
}

t.test('the version route returns the versions of protocol and program', async (t) => {
  const { client } = await runDaemon(t);
  const reply = await client.ask<VersionReply>({ route: 'version' });
  t.match(reply, { protocol: PROTOCOL_VERSION, build: BUILD_VERSION, pid: process.pid });
  t.match(reply.startedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

t.test('routes that need a session return 401 without one', async (t) => {
  const { client, provider } = await runDaemon(t);
  for (const route of ['credentials', 'idToken', 'otelHeaders'] as const)
    t.equal(await codeOf(client.ask({ route, params })), 'ERR_LOGIN_REQUIRED', route);
  t.same(await client.ask<ExpirationReply>({ route: 'expiration', params }), {
    valid: false,
    expiration: null,
  });
  t.same(await client.ask({ route: 'forgetCredentials', params }), { forgotten: false });
  t.equal(provider.counts.authorizationRequests, 0, 'and none of them starts a sign-in');
});

t.test('a sign-in leads from the page to credentials', async (t) => {
  const running = await runDaemon(t);
  const { client } = running;
  const pending = await startSignIn(running);
  t.equal(pending.openPage, true);
  t.equal((await startSignIn(running)).signIn, pending.signIn, 'a second caller joins');
  const id = { signIn: pending.signIn };
  t.same(await client.ask({ route: 'pageOpened', params: id, body: { opened: true } }), { noted: true });
  const waiting = client.ask<SignInReply>({ route: 'awaitSignIn', params: id, query: { wait: 5_000 } });
  t.equal((await signInOverHttp(pending.url)).status, 200);
  const user = 'demo@example.com';
  t.match(await waiting, { state: 'signed-in' });
  const credentials = await client.ask<Credentials>({ route: 'credentials', params });
  t.match(credentials, {
    Version: 1,
    AccessKeyId: 'ASIAEXAMPLE',
    SecretAccessKey: 'aws-secret',
    SessionToken: 'aws-session',
    Expiration: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  });
  t.same(Object.keys(credentials), [
    'Version',
    'AccessKeyId',
    'SecretAccessKey',
    'SessionToken',
    'Expiration',
  ]);
  t.same(await client.ask({ route: 'expiration', params }), {
    valid: true,
    expiration: credentials.Expiration,
  });
  const { idToken, expiration } = await client.ask<IdTokenReply>({ route: 'idToken', params });
  t.match(idToken, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  t.ok(Date.parse(expiration) > Date.now());
  t.match(await client.ask({ route: 'otelHeaders', params }), { 'x-user-id': /^[0-9a-f-]{36}$/ });
  const again = await client.ask<SignInReply>({
    route: 'signIn',
    params,
    body: { automatic: true, canOpenPage: true },
  });
  t.match(again, { state: 'signed-in' }, user);
});

t.test('forgetting credentials keeps the session', async (t) => {
  const running = await runDaemon(t);
  const { client, aws } = running;
  await signIn(running);
  await client.ask({ route: 'credentials', params });
  t.same(await client.ask({ route: 'forgetCredentials', params }), { forgotten: true });
  t.match(await client.ask({ route: 'expiration', params }), { valid: false });
  const asked = aws.calls.length;
  t.ok(await client.ask({ route: 'credentials', params }));
  t.ok(aws.calls.length > asked);
});

t.test('signing out ends everything', async (t) => {
  const running = await runDaemon(t);
  const { client, store } = running;
  await signIn(running);
  t.same(await client.ask<SignOutReply>({ route: 'signOut', params }), { wasSignedIn: true, revoked: true });
  t.equal(await codeOf(client.ask({ route: 'credentials', params })), 'ERR_LOGIN_REQUIRED');
  t.equal(await codeOf(client.ask({ route: 'idToken', params })), 'ERR_LOGIN_REQUIRED');
  t.equal(await codeOf(client.ask({ route: 'otelHeaders', params })), 'ERR_LOGIN_REQUIRED');
  t.equal(store.items.size, 0);
  t.same(await client.ask({ route: 'signOut', params }), { wasSignedIn: false, revoked: false });
});

t.test('telemetry gets an answer at once, even when the ID token has expired', async (t) => {
  const offset = { ms: 0 };
  const running = await runDaemon(t, { clock: exactClock(() => Date.now() + offset.ms) });
  await signIn(running);
  running.provider.setFault('token', { kind: 'slow', ms: 2_000 });
  offset.ms = 2 * 3_600_000;
  t.equal(
    await codeOf(running.client.ask({ route: 'otelHeaders', params })),
    'ERR_LOGIN_REQUIRED',
    'without waiting for the provider',
  );
  running.provider.clearFaults();
});

t.test(
  'headers with the ID token are a secret: for programs that may have it, and in the audit log',
  async (t) => {
    const running = await runDaemon(t);
    const { client, writeConfig, fields, audit } = running;
    const sending = {
      otel_collector_endpoint: 'https://telemetry.example.com',
      otel_collector_validates_token: true,
    };
    writeConfig({
      A: fields(sending),
      Fenced: fields({ ...sending, allowed_programs: ['/nowhere/program'] }),
      Plain: fields({ allowed_programs: ['/nowhere/program'] }),
    });
    await client.ask({ route: 'status' });
    await signIn(running);
    const ask = (profile: string) =>
      client.ask<Record<string, string>>({ route: 'otelHeaders', params: { profile } });
    const { idToken } = await client.ask<IdTokenReply>({ route: 'idToken', params });
    const given = audit.records.length;
    t.equal((await ask('A')).authorization, `Bearer ${idToken}`);
    t.match(audit.records.slice(given), [{ profile: 'A', what: 'id-token' }]);
    t.equal(await codeOf(ask('Fenced')), 'ERR_REQUEST_REFUSED');
    t.match(audit.records.slice(given + 1), [{ profile: 'Fenced', refused: true }]);
    t.match(await ask('Plain'), { 'x-department': 'Research' });
    t.equal(audit.records.length, given + 2, 'headers alone are no secret');
  },
);

t.test('the error for an unknown profile lists the known ones', async (t) => {
  const { client } = await runDaemon(t);
  for (const route of [
    'credentials',
    'expiration',
    'idToken',
    'otelHeaders',
    'signOut',
    'forgetCredentials',
  ] as const) {
    const error = await rejection(client.ask({ route, params: { profile: 'B' } }));
    t.match(error, { code: 'ERR_PROFILE_UNKNOWN', message: /it has A/ }, route);
  }
});

t.test('an unknown sign-in is an error', async (t) => {
  const { client } = await runDaemon(t);
  const id = { signIn: 'none' };
  t.equal(
    await codeOf(client.ask({ route: 'awaitSignIn', params: id, query: { wait: 1_000 } })),
    'ERR_NOT_FOUND',
  );
  t.same(await client.ask({ route: 'pageOpened', params: id, body: { opened: true } }), { noted: false });
});

t.test('fifty callers with nobody signed in share one page', async (t) => {
  const running = await runDaemon(t);
  const started = await Promise.all(Array.from({ length: 50 }, () => startSignIn(running)));
  t.equal(started.filter(({ openPage }) => openPage).length, 1);
  t.equal(new Set(started.map(({ signIn: id }) => id)).size, 1);
});

t.test('two hundred callers with a session cause one exchange', async (t) => {
  const running = await runDaemon(t);
  await signIn(running);
  await running.client.ask({ route: 'forgetCredentials', params });
  const before = running.aws.calls.filter(({ operation }) => operation !== 'GetId').length;
  const replies = await Promise.all(
    Array.from({ length: 200 }, () => running.client.ask<Credentials>({ route: 'credentials', params })),
  );
  t.ok(replies.every(({ AccessKeyId }) => AccessKeyId === 'ASIAEXAMPLE'));
  const exchanges = running.aws.calls.filter(({ operation }) => operation !== 'GetId').length - before;
  t.equal(exchanges, 1);
});
