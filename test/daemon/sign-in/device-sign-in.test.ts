import t from 'tap';
import type { DevicePoll } from '../../../daemon/oidc/device-grant.ts';
import { pollDelayMs, startDeviceSignIn } from '../../../daemon/sign-in/device-sign-in.ts';
import type { SignInEdges } from '../../../daemon/sign-in/sign-in.ts';
import { TIMING } from '../../../daemon/timing.ts';
import { CcwbError, loginRequired } from '../../../protocol/errors.ts';
import { fakeClock, gate, memoryLog, settled } from '../../../tools/support/daemon-edges.ts';
import { holdLongTimers } from '../fixtures/long-timers.ts';
import { deviceAuthorization, fakeOidc, idTokenFor, MINUTE } from '../fixtures/tokens.ts';

const SECOND = 1_000;

/** A sign-in by code whose timers the test fires and whose provider the test plays. */
async function begin(t: { teardown(action: () => unknown): void }, change = {}) {
  const timers = holdLongTimers(t, SECOND);
  const clock = fakeClock();
  const oidc = fakeOidc(clock);
  const device = deviceAuthorization(change);
  oidc.onDevice = async () => device;
  const { log, lines, events } = memoryLog();
  const counts = { signedIn: 0, pages: 0, answered: 0, unanswered: 0 };
  const edges: SignInEdges = {
    oidc,
    clock,
    log,
    signedIn: async () => {
      counts.signedIn += 1;
      signIn?.finish({ user: 'ada@example.com' });
    },
    successPage: async () => {
      counts.pages += 1;
      throw new Error('AWS is down');
    },
    answered: () => {
      counts.answered += 1;
    },
    unanswered: (count) => {
      counts.unanswered += count;
    },
  };
  const signIn = await startDeviceSignIn('ClaudeCode', edges);
  if (!signIn) throw new Error('no sign-in');
  /** Lets the time until the next poll pass, and tells how long that was. */
  const nextPoll = async (): Promise<number> => {
    const delay = timers.delays.find((ms) => ms !== device.lifeMs);
    if (delay === undefined) throw new Error('no poll is planned');
    clock.advance(delay);
    timers.fire(delay);
    await settled();
    return delay;
  };
  return { timers, clock, oidc, device, lines, events, counts, signIn, nextPoll, edges };
}

const tokens = (clock: { now(): number }): DevicePoll => ({
  tokens: { idToken: idTokenFor(clock), refreshToken: 'refresh-token-1' },
});

const unreachable = new CcwbError('ERR_PROVIDER_UNREACHABLE', 'down', 'wait');

t.test('a caller gets the code and its address, and never the task to open a page', async (t) => {
  const { signIn, clock } = await begin(t);
  t.strictSame(signIn.reply(true), {
    state: 'pending',
    signIn: signIn.id,
    url: 'https://idp.example/device',
    device: {
      userCode: 'WDJB-MJHT',
      verificationUriComplete: 'https://idp.example/device?user_code=WDJB-MJHT',
    },
    openPage: false,
    expiresAt: `${new Date(clock.now() + 10 * MINUTE).toISOString().slice(0, 19)}Z`,
  });
  t.equal(signIn.pageFreeInMs(), Number.POSITIVE_INFINITY);
  const plain = await begin(t, { verificationUriComplete: undefined });
  t.match(plain.signIn.reply(false), { device: { verificationUriComplete: null } });
});

t.test('nothing starts at a provider without the grant', async (t) => {
  const { edges, oidc, timers } = await begin(t);
  oidc.onDevice = async () => undefined;
  const before = timers.waiting;
  t.equal(await startDeviceSignIn('ClaudeCode', edges), undefined);
  t.equal(timers.waiting, before);
});

t.test('the provider is asked at its interval until the tokens come', async (t) => {
  const { signIn, oidc, nextPoll, counts, clock, timers } = await begin(t);
  t.same(oidc.polled, [], 'not at once');
  for (let poll = 0; poll < 3; poll += 1) t.equal(await nextPoll(), 5 * SECOND);
  t.equal(signIn.end, undefined);
  oidc.onPoll = async () => tokens(clock);
  await nextPoll();
  t.strictSame(signIn.end, { user: 'ada@example.com' });
  t.strictSame(oidc.polled, Array(4).fill('planted-device-code'));
  t.match(counts, { signedIn: 1, answered: 1, unanswered: 0 });
  t.equal(counts.pages, 1, 'the first AWS credentials are asked for at once');
  t.equal(timers.waiting, 0, 'and is asked no more');
});

t.test('slow_down adds five seconds each time, for good', async (t) => {
  const { oidc, nextPoll } = await begin(t);
  const answers = [true, true, false, false];
  oidc.onPoll = async () => ({ slowDown: answers.shift() ?? false });
  const delays: number[] = [];
  for (let poll = 0; poll < 5; poll += 1) delays.push(await nextPoll());
  t.strictSame(
    delays,
    [5, 10, 15, 15, 15].map((seconds) => seconds * SECOND),
  );
});

t.test('a passing fault only doubles the interval', async (t) => {
  const { signIn, oidc, nextPoll, clock, lines } = await begin(t);
  oidc.onPoll = async () => {
    throw unreachable;
  };
  const delays: number[] = [];
  for (let poll = 0; poll < 5; poll += 1) delays.push(await nextPoll());
  t.strictSame(
    delays,
    [5, 10, 20, 30, 30].map((seconds) => seconds * SECOND),
  );
  t.match(lines.at(-1), { level: 'warn', fields: { code: 'ERR_PROVIDER_UNREACHABLE' } });
  oidc.onPoll = async () => ({ slowDown: false });
  await nextPoll();
  t.equal(await nextPoll(), 5 * SECOND, 'an answer ends the back-off');
  oidc.onPoll = async () => tokens(clock);
  await nextPoll();
  t.match(signIn.end, { user: 'ada@example.com' });
});

t.test('the back-off is never shorter than the interval', async (t) => {
  t.equal(pollDelayMs(60 * SECOND, 0), 60 * SECOND);
  t.equal(pollDelayMs(60 * SECOND, 3), 60 * SECOND);
  t.equal(pollDelayMs(1 * SECOND, 3), 8 * SECOND);
  t.equal(pollDelayMs(1 * SECOND, 2_000), TIMING.deviceBackOffMs);
});

t.test('a denial, a wrong ID token or a refusal of the grant ends it at once', async (t) => {
  const cases: [Error, string, number][] = [
    [new CcwbError('ERR_LOGIN_DENIED', 'no', 'ask'), 'ERR_LOGIN_DENIED', 1],
    [loginRequired(), 'ERR_LOGIN_DENIED', 1],
    [new CcwbError('ERR_ID_TOKEN_INVALID', 'bad', 'look'), 'ERR_ID_TOKEN_INVALID', 0],
    [new CcwbError('ERR_PROVIDER_REJECTED', 'not allowed', 'ask'), 'ERR_PROVIDER_REJECTED', 0],
    [new TypeError('quotes a secret'), 'ERR_INTERNAL', 0],
  ];
  for (const [fault, code, answered] of cases) {
    const { signIn, oidc, nextPoll, timers, counts, lines } = await begin(t);
    oidc.onPoll = async () => {
      throw fault;
    };
    await nextPoll();
    t.match(signIn.end, { error: { code } }, fault.message);
    t.equal(timers.waiting, 0);
    t.match(counts, { answered, unanswered: 0 });
    t.match(lines.at(-1), { event: 'sign-in failed', fields: { code } });
  }
});

t.test('a code nobody enters expires by the provider, by the timer or by the clock', async (t) => {
  const byProvider = await begin(t);
  byProvider.oidc.onPoll = async () => {
    throw new CcwbError('ERR_LOGIN_EXPIRED', 'expired', 'again');
  };
  await byProvider.nextPoll();
  const byTimer = await begin(t);
  byTimer.timers.fire(byTimer.device.lifeMs);
  const byClock = await begin(t);
  byClock.clock.advance(byClock.device.lifeMs);
  byClock.signIn.expireIfOver();
  const asleep = await begin(t);
  asleep.clock.advance(3 * 60 * MINUTE);
  await asleep.nextPoll();
  t.same(asleep.oidc.polled, [], 'a computer that slept too long asks no more');
  for (const { signIn, counts, timers } of [byProvider, byTimer, byClock, asleep]) {
    t.match(signIn.end, { error: { code: 'ERR_LOGIN_EXPIRED', fix: /\S/ } });
    t.match(counts, { answered: 0, unanswered: 1 });
    await settled();
    t.equal(timers.waiting, 0);
    signIn.expireIfOver();
    t.equal(counts.unanswered, 1, 'counted once');
  }
});

t.test('a clock that is set back ends nothing, and prolongs nothing', async (t) => {
  const { signIn, clock, nextPoll, oidc, timers, device } = await begin(t);
  clock.advance(-24 * 60 * MINUTE);
  await nextPoll();
  t.equal(oidc.polled.length, 1);
  t.equal(signIn.end, undefined);
  timers.fire(device.lifeMs);
  t.match(signIn.end, { error: { code: 'ERR_LOGIN_EXPIRED' } });
});

t.test('an expiry or cancellation during a poll waits for its answer', async (t) => {
  const reason = new CcwbError('ERR_LOGIN_CANCELLED', 'logout', 'login');
  for (const interrupt of ['cancel', 'expire'] as const) {
    for (const approved of [true, false]) {
      const { signIn, oidc, nextPoll, clock, timers, device } = await begin(t);
      const provider = gate<DevicePoll>();
      oidc.onPoll = () => provider.promise;
      await nextPoll();
      if (interrupt === 'cancel') signIn.cancel(reason);
      else {
        clock.advance(device.lifeMs);
        timers.fire(device.lifeMs);
      }
      let quiet = false;
      const ending = signIn.settled().then(() => {
        quiet = true;
      });
      await settled();
      t.equal(signIn.end, undefined, 'the tokens may be on their way');
      t.equal(quiet, false);
      provider.open(approved ? tokens(clock) : { slowDown: false });
      await ending;
      const code = interrupt === 'cancel' ? 'ERR_LOGIN_CANCELLED' : 'ERR_LOGIN_EXPIRED';
      t.match(signIn.end, approved ? { user: 'ada@example.com' } : { error: { code } }, interrupt);
      t.equal(timers.waiting, 0);
    }
  }
  const { signIn, timers } = await begin(t);
  signIn.cancel(reason);
  t.match(signIn.end, { error: { code: 'ERR_LOGIN_CANCELLED' } }, 'at once when nothing is asked');
  await signIn.settled();
  t.equal(timers.waiting, 0);
});

t.test('tokens that come after the end are ignored', async (t) => {
  const { signIn, oidc, nextPoll, clock, counts } = await begin(t);
  const provider = gate<DevicePoll>();
  oidc.onPoll = () => provider.promise;
  await nextPoll();
  signIn.finish({ user: 'somebody faster' });
  provider.open(tokens(clock));
  await signIn.settled();
  t.equal(counts.signedIn, 0);
  t.strictSame(signIn.end, { user: 'somebody faster' });
  t.same(oidc.revoked, [], 'at some providers that would end the session of the other too');
});

t.test('tokens that cannot be stored end the sign-in with the reason', async (t) => {
  const { oidc, nextPoll, clock, signIn, edges } = await begin(t);
  edges.signedIn = async () => {
    throw new CcwbError('ERR_STORE_FAILED', 'full', 'space');
  };
  oidc.onPoll = async () => tokens(clock);
  await nextPoll();
  t.match(signIn.end, { error: { code: 'ERR_STORE_FAILED' } });
  t.equal(oidc.polled.length, 1, 'a code is redeemed once');
});

t.test('neither code reaches the log', async (t) => {
  const { nextPoll, oidc, lines, clock } = await begin(t);
  oidc.onPoll = async () => tokens(clock);
  await nextPoll();
  t.match(lines[0], {
    event: 'sign-in by code started',
    fields: { profile: 'ClaudeCode', host: 'idp.example' },
  });
  t.notMatch(JSON.stringify(lines), /planted|WDJB|refresh-token/);
});
