import t from 'tap';
import { createDrain } from '../../../daemon/api/drain.ts';
import type { Profile } from '../../../daemon/profiles/profile.ts';
import type { Credentials, DrainReply, SignInReply } from '../../../protocol/api.ts';
import { signInOverHttp } from '../../../sandbox/browser/browserless.ts';
import { codeOf, exactClock, gate, memoryLog, rejection } from '../../../tools/support/daemon-edges.ts';
import { runDaemon } from '../fixtures/daemon.ts';

const params = { profile: 'A' };
type Running = Awaited<ReturnType<typeof runDaemon>>;

const drain = ({ client }: Running, now = false) => client.ask<DrainReply>({ route: 'drain', body: { now } });

async function startSignIn({ client }: Running) {
  const body = { automatic: false, canOpenPage: true };
  const reply = await client.ask<SignInReply>({ route: 'signIn', params, body });
  if (reply.state !== 'pending') throw new Error(JSON.stringify(reply));
  return reply;
}

async function signedIn(running: Running): Promise<void> {
  const { url } = await startSignIn(running);
  await signInOverHttp(url);
  await running.client.ask({ route: 'credentials', params });
}

t.test('a drained daemon replies, stops and reports its end', async (t) => {
  const running = await runDaemon(t);
  t.same(await drain(running), { state: 'ending' });
  await running.daemon.drained;
  t.equal(await codeOf(running.client.ask({ route: 'version' })), 'ERR_DAEMON_UNREACHABLE');
  t.equal(running.events().at(-1), 'daemon stopped');
  t.equal(running.events().filter((event) => event === 'daemon stopped').length, 1);
  const next = await running.start();
  t.teardown(() => next.stop());
  t.ok(await running.client.ask({ route: 'version' }), 'the next one has the socket');
});

t.test('a drain waits for a sign-in in progress', async (t) => {
  const running = await runDaemon(t);
  const { url, signIn } = await startSignIn(running);
  t.same(await drain(running), { state: 'signing-in' });
  t.same(await drain(running), { state: 'signing-in' }, 'asked again it says the same');
  const poll = running.client.ask<SignInReply>({
    route: 'awaitSignIn',
    params: { signIn },
    query: { wait: 60_000 },
    answerMs: 60_000,
  });
  t.equal((await signInOverHttp(url)).status, 200, 'the browser has its page');
  t.match(await poll, { state: 'signed-in' });
  await running.daemon.drained;
  t.equal(running.store.items.size, 1, 'and the sign-in is kept');
  const next = await running.start();
  t.teardown(() => next.stop());
  t.match(await running.client.ask<Credentials>({ route: 'credentials', params }), { Version: 1 });
});

t.test('a drain waits for the last page even if AWS is slow', async (t) => {
  const running = await runDaemon(t);
  const { url } = await startSignIn(running);
  await drain(running);
  const arrived = gate();
  const reply = gate();
  const { answer } = running.aws;
  running.aws.answer = async (call) => {
    arrived.open();
    await reply.promise;
    return answer(call);
  };
  const page = signInOverHttp(url);
  await arrived.promise;
  let drained = false;
  const draining = running.daemon.drained.then(() => {
    drained = true;
  });
  while (!running.events().includes('sign-in ended')) await new Promise((resolve) => setTimeout(resolve, 10));
  t.equal(drained, false);
  reply.open();
  t.equal((await page).status, 200);
  await draining;
});

t.test('a drain waits for a refresh in progress', async (t) => {
  const offset = { ms: 0 };
  const running = await runDaemon(t, { clock: exactClock(() => Date.now() + offset.ms) });
  await signedIn(running);
  const [before] = running.store.items.values();
  offset.ms = 2 * 3_600_000;
  const arrived = gate();
  const reply = gate();
  const remove = running.provider.onTokenRequest(async () => {
    arrived.open();
    await reply.promise;
  });
  const caller = running.client.ask({ route: 'credentials', params }).catch(() => undefined);
  await arrived.promise;
  t.same(await drain(running), { state: 'ending' });
  t.ok(await running.client.ask({ route: 'version' }), 'others are answered meanwhile');
  reply.open();
  await running.daemon.drained;
  remove();
  await caller;
  const [after] = running.store.items.values();
  t.ok(after);
  t.not(after, before, 'the rotated token is stored');
});

t.test('an immediate drain cancels a sign-in in progress', async (t) => {
  const running = await runDaemon(t);
  const { signIn } = await startSignIn(running);
  const poll = codeOf(
    running.client.ask({
      route: 'awaitSignIn',
      params: { signIn },
      query: { wait: 60_000 },
      answerMs: 60_000,
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.same(await drain(running), { state: 'signing-in' });
  t.same(await drain(running, true), { state: 'ending' });
  t.equal(await poll, 'ERR_LOGIN_CANCELLED');
  await running.daemon.drained;
});

t.test('a signal ends the wait for a sign-in', async (t) => {
  const running = await runDaemon(t);
  const { signIn } = await startSignIn(running);
  t.same(await drain(running), { state: 'signing-in' });
  const poll = codeOf(
    running.client.ask({
      route: 'awaitSignIn',
      params: { signIn },
      query: { wait: 60_000 },
      answerMs: 60_000,
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  await running.stop();
  t.equal(await poll, 'ERR_LOGIN_CANCELLED');
  await running.daemon.drained;
});

t.test('a failure to stop rejects the drain', async (t) => {
  const { log, events } = memoryLog();
  const broken = new Error('planted');
  const profiles = { all: (): Profile[] => [], settled: async () => {} };
  const drain = createDrain(profiles, { log });
  const drained = drain.stopWhenIdle(() => Promise.reject(broken));
  t.same(drain.begin(), { state: 'ending' });
  t.equal(await rejection(drained), broken);
  t.strictSame(events(), ['making room for another daemon']);
});
