import { existsSync } from 'node:fs';
import t from 'tap';
import type { Credentials, SignInReply, SignInRequest } from '../../protocol/api.ts';
import { isListening } from '../../protocol/client.ts';
import { signInOverHttp } from '../../sandbox/browser/browserless.ts';
import { codeOf, exactClock, gate } from '../../tools/support/daemon-edges.ts';
import { runDaemon } from './fixtures/daemon.ts';

const params = { profile: 'A' };
type Running = Awaited<ReturnType<typeof runDaemon>>;

async function startSignIn({ client }: Running, change: Partial<SignInRequest> = {}) {
  const body: SignInRequest = { automatic: false, canOpenPage: true, ...change };
  const reply = await client.ask<SignInReply>({ route: 'signIn', params, body });
  if (reply.state !== 'pending') throw new Error(JSON.stringify(reply));
  return reply;
}

t.test('the daemon starts, serves, stops and leaves no files', async (t) => {
  const { socket, client, stop, events } = await runDaemon(t);
  t.ok(await client.ask({ route: 'version' }));
  t.ok(events().includes('daemon started'));
  await stop();
  t.equal(await isListening(socket), false);
  t.notOk(existsSync(socket));
  t.equal(events().at(-1), 'daemon stopped');
});

t.test('a second daemon on the same socket is refused', async (t) => {
  const { start, client } = await runDaemon(t);
  t.equal(await codeOf(start()), 'ERR_DAEMON_RUNNING');
  t.ok(await client.ask({ route: 'version' }));
});

t.test('a session survives a restart', async (t) => {
  const running = await runDaemon(t);
  const { url } = await startSignIn(running);
  await signInOverHttp(url);
  const pages = running.provider.counts.authorizationRequests;
  await running.stop();
  const next = await running.start();
  t.teardown(() => next.stop());
  const { AccessKeyId } = await running.client.ask<Credentials>({
    route: 'credentials',
    params,
    startingMs: 2_000,
  });
  t.equal(AccessKeyId, 'ASIAEXAMPLE');
  t.equal(running.provider.counts.authorizationRequests, pages, 'without another page');
});

t.test('stopping answers the requests in progress and accepts no new ones', async (t) => {
  const running = await runDaemon(t);
  const { url } = await startSignIn(running);
  await signInOverHttp(url);
  await running.client.ask({ route: 'forgetCredentials', params });
  const arrived = gate();
  const reply = gate();
  const { answer } = running.aws;
  running.aws.answer = async (call) => {
    arrived.open();
    await reply.promise;
    return answer(call);
  };
  const inFlight = running.client.ask<Credentials>({ route: 'credentials', params });
  await arrived.promise;
  const stopping = running.stop();
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal(await codeOf(running.client.ask({ route: 'version' })), 'ERR_DAEMON_UNREACHABLE');
  reply.open();
  t.match(await inFlight, { AccessKeyId: 'ASIAEXAMPLE' });
  await stopping;
});

t.test('stopping ends long polls with the reason', async (t) => {
  const running = await runDaemon(t);
  const byCode = await startSignIn(running, { canOpenPage: false, device: true });
  t.match(byCode, { device: { userCode: /./ } });
  const polls = [await startSignIn(running), byCode].map(({ signIn }) =>
    codeOf(
      running.client.ask({
        route: 'awaitSignIn',
        params: { signIn },
        query: { wait: 60_000 },
        answerMs: 60_000,
      }),
    ),
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  await running.stop();
  t.same(await Promise.all(polls), ['ERR_LOGIN_CANCELLED', 'ERR_LOGIN_CANCELLED']);
});

t.test('a token that was rotated while stopping is stored', async (t) => {
  const offset = { ms: 0 };
  const running = await runDaemon(t, { clock: exactClock(() => Date.now() + offset.ms) });
  const { url } = await startSignIn(running);
  await signInOverHttp(url);
  const [before] = running.store.items.values();
  offset.ms = 2 * 3_600_000;
  const arrived = gate();
  const remove = running.provider.onTokenRequest(async () => {
    arrived.open();
    await new Promise((resolve) => setTimeout(resolve, 100));
  });
  const caller = running.client.ask({ route: 'idToken', params }).catch(() => undefined);
  await arrived.promise;
  await running.stop();
  remove();
  await caller;
  const [after] = running.store.items.values();
  t.ok(after);
  t.not(after, before, 'the new one, not the spent one');
});

t.test('stopping closes the redirect port', async (t) => {
  const running = await runDaemon(t);
  await startSignIn(running);
  const visit = () => codeOf(fetch(`http://127.0.0.1:${running.port}/other`));
  t.equal(await visit(), 'no error');
  await running.stop();
  t.not(await visit(), 'no error');
});

t.test('no secret reaches the log, from start to stop', async (t) => {
  const running = await runDaemon(t);
  const { url } = await startSignIn(running);
  await signInOverHttp(url);
  const { SecretAccessKey, SessionToken } = await running.client.ask<Credentials>({
    route: 'credentials',
    params,
  });
  const [stored = ''] = running.store.items.values();
  const { refreshToken } = JSON.parse(stored) as { refreshToken: string };
  running.provider.setFault('token', { kind: 'html' });
  await running.client.ask({ route: 'signOut', params });
  await running.stop();
  const text = JSON.stringify(running.lines);
  t.ok(running.lines.length > 4);
  const state = new URL(url).searchParams.get('state') ?? 'none';
  for (const secret of [SecretAccessKey, SessionToken, refreshToken, state, 'ASIAEXAMPLE', 'eyJ'])
    t.notOk(text.includes(secret));
});
