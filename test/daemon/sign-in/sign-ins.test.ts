import t from 'tap';
import type { CallbackHandler, LoopbackRedirect } from '../../../daemon/sign-in/loopback-redirect.ts';
import { resultPage } from '../../../daemon/sign-in/result-page.ts';
import { createSignIns, type SignInDependencies, type SignIns } from '../../../daemon/sign-in/sign-ins.ts';
import { TIMING } from '../../../daemon/timing.ts';
import { PAGE_LEASE_MS, type SignInReply, type SignInRequest } from '../../../protocol/api.ts';
import { CcwbError, loginRequired } from '../../../protocol/errors.ts';
import {
  codeOf,
  fakeClock,
  gate,
  memoryLog,
  rejection,
  settled,
} from '../../../tools/support/daemon-edges.ts';
import { holdLongTimers, type LongTimers } from '../fixtures/long-timers.ts';
import { deviceAuthorization, fakeOidc, HOUR, idTokenFor } from '../fixtures/tokens.ts';

const PORT = 8400;
const never = new AbortController().signal;
const person = { automatic: false, canOpenPage: true };
const tool = { automatic: true, canOpenPage: true };
const blind = { automatic: true, canOpenPage: false };
const remote = { automatic: false, canOpenPage: false, screen: false };
const remoteTool = { automatic: true, canOpenPage: false, screen: false };
const byCode = { automatic: false, canOpenPage: false, device: true };

type T = { teardown(action: () => unknown): void };

/** A redirect without a port: the test is the browser. */
function fakeRedirect() {
  const handlers = new Map<string, CallbackHandler>();
  const browser = {
    handlers,
    problem: undefined as CcwbError | undefined,
    comesBack: (query: string) => {
      const url = new URL(`http://localhost:${PORT}/callback?${query}`);
      const handler = handlers.get(url.searchParams.get('state') ?? '');
      if (!handler) throw new Error(`nobody waits for ${query}`);
      return handler(url);
    },
  };
  const redirect: LoopbackRedirect = {
    register: async (_, state, handler) => {
      if (browser.problem) throw browser.problem;
      handlers.set(state, handler);
      return {
        release: async () => {
          handlers.delete(state);
        },
      };
    },
  };
  return { browser, redirect };
}

function open(t: T, change: Partial<SignInDependencies> = {}) {
  const timers: LongTimers = holdLongTimers(t, 1_000);
  const clock = fakeClock();
  const oidc = fakeOidc(clock);
  const { browser, redirect } = fakeRedirect();
  const { log, lines, events } = memoryLog();
  const state = { user: undefined as string | undefined };
  const all: SignIns = createSignIns(PORT, {
    oidc,
    redirect,
    clock,
    log,
    currentUser: async () => state.user,
    complete: async () => {
      state.user = 'ada@example.com';
      return state.user;
    },
    successPage: async (profile) => resultPage({ outcome: 'signed-in', user: state.user ?? '', profile }),
    ...change,
  });
  const logins = { ...all, start: (request: SignInRequest) => all.start('ClaudeCode', request) };
  const wait = (id: string, canOpenPage = false, waitMs = 60_000): Promise<SignInReply | undefined> =>
    logins.wait(id, { waitMs, canOpenPage, signal: never });
  return { timers, clock, oidc, browser, lines, events, state, logins, wait };
}

async function pending(reply: Promise<SignInReply | undefined>) {
  const answer = await reply;
  if (answer?.state !== 'pending') throw new Error(`not pending: ${JSON.stringify(answer)}`);
  return answer;
}

t.test('fifty starts make one sign-in and one page', async (t) => {
  const { logins, oidc } = open(t);
  const provider = gate();
  oidc.onStart = () => provider.promise;
  const starts = Array.from({ length: 50 }, (_, caller) => pending(logins.start(caller % 2 ? tool : person)));
  await settled();
  provider.open();
  const replies = await Promise.all(starts);
  t.equal(oidc.started.length, 1);
  t.same(oidc.started, ['http://localhost:8400/callback']);
  t.equal(new Set(replies.map(({ signIn }) => signIn)).size, 1);
  t.equal(new Set(replies.map(({ url }) => url)).size, 1);
  t.equal(replies.filter(({ openPage }) => openPage).length, 1, 'one caller opens it');
  t.equal(logins.isPending(), true);
});

t.test('a caller without a screen is never asked to open the page', async (t) => {
  const { logins, wait } = open(t);
  const { signIn, openPage } = await pending(logins.start(blind));
  t.equal(openPage, false);
  t.equal((await pending(wait(signIn, false, 0))).openPage, false);
  t.equal((await pending(logins.start(tool))).openPage, true, 'the first that can is');
});

t.test('the end wakes every waiting caller', async (t) => {
  const { logins, wait, browser, oidc, timers } = open(t);
  const { signIn } = await pending(logins.start(person));
  logins.pageOpened(signIn, true);
  const waiters = [wait(signIn), wait(signIn, true), wait(signIn)];
  const page = await browser.comesBack('state=state-1&code=c');
  const end = { state: 'signed-in', user: 'ada@example.com' };
  t.same(await Promise.all(waiters), [end, end, end]);
  t.match(page, { status: 200, html: /ada@example\.com/ });
  t.same(oidc.redeemed, ['http://localhost:8400/callback?state=state-1&code=c']);
  t.equal(logins.isPending(), false);
  t.same(await wait(signIn), end, 'and is told to whoever asks a moment later');
  t.equal(browser.handlers.size, 1, 'a browser that asks again gets its page again');
  timers.fire(TIMING.callbackLingerMs);
  t.equal(browser.handlers.size, 0, 'and then nothing listens any more');
});

t.test('a page that one caller has opened is not opened by another', async (t) => {
  const { logins, wait, clock } = open(t);
  const { signIn } = await pending(logins.start(person));
  t.equal(logins.pageOpened(signIn, true), true);
  clock.advance(PAGE_LEASE_MS * 10);
  t.equal((await pending(logins.start(tool))).openPage, false);
  t.equal((await pending(wait(signIn, true, 0))).openPage, false);
});

t.test('another caller opens the page if the first one dies', async (t) => {
  const { logins, wait, clock } = open(t);
  const { signIn, openPage } = await pending(logins.start(tool));
  t.equal(openPage, true);
  clock.advance(PAGE_LEASE_MS - 1);
  t.equal((await pending(logins.start(tool))).openPage, false, 'not while the lease runs');
  clock.advance(1);
  const polls = [0, 1, 2].map(() => pending(wait(signIn, true, 5)));
  await settled();
  clock.advance(5);
  const heirs = await Promise.all(polls);
  t.equal(heirs.filter((heir) => heir.openPage).length, 1, 'by one');
});

t.test('a waiter is woken when the lease ends', async (t) => {
  const { logins, wait, clock } = open(t);
  const { signIn } = await pending(logins.start(tool));
  clock.advance(PAGE_LEASE_MS - 20);
  const heir = pending(wait(signIn, true));
  setTimeout(() => clock.advance(20), 5);
  t.equal((await heir).openPage, true, 'long before its poll would end');
});

t.test('a caller that cannot open the page hands it on at once', async (t) => {
  const { logins, wait } = open(t);
  const { signIn } = await pending(logins.start(tool));
  const waiters = [pending(wait(signIn, true)), wait(signIn, false)];
  await settled();
  t.equal(logins.pageOpened(signIn, false), true);
  t.match(await waiters[0], { openPage: true }, 'a waiter with a screen takes over');
  logins.cancel(loginRequired());
  await rejection(waiters[1] ?? Promise.resolve());
});

t.test('one of several waiters takes over the page', async (t) => {
  const { logins, wait } = open(t);
  const { signIn } = await pending(logins.start(tool));
  let opening = 0;
  const waiters = Array.from({ length: 10 }, () =>
    wait(signIn, true).then((reply) => {
      if (reply?.state === 'pending' && reply.openPage) opening += 1;
    }),
  );
  await settled();
  logins.pageOpened(signIn, false);
  await settled();
  t.equal(opening, 1);
  logins.pageOpened(signIn, true);
  logins.cancel(loginRequired());
  await Promise.allSettled(waiters);
});

t.test('a long poll ends by itself, with the sign-in still pending', async (t) => {
  const { logins, wait, clock } = open(t);
  const { signIn } = await pending(logins.start(blind));
  t.equal((await pending(wait(signIn, false, 0))).signIn, signIn);
  const poll = pending(wait(signIn, false, 20));
  setTimeout(() => clock.advance(20), 5);
  t.equal((await poll).signIn, signIn);
});

t.test('a waiter that disconnects ends only its own wait', async (t) => {
  const { logins, wait, browser } = open(t);
  const { signIn } = await pending(logins.start(person));
  logins.pageOpened(signIn, true);
  const abort = new AbortController();
  const leaving = logins.wait(signIn, { waitMs: 60_000, canOpenPage: true, signal: abort.signal });
  const staying = wait(signIn);
  await settled();
  abort.abort();
  t.match(await leaving, { state: 'pending', openPage: false });
  await browser.comesBack('state=state-1&code=c');
  t.match(await staying, { state: 'signed-in' });
});

t.test('a waiter that has disconnected does not get the page', async (t) => {
  const { logins, clock } = open(t);
  const { signIn } = await pending(logins.start(tool));
  clock.advance(PAGE_LEASE_MS);
  const signal = AbortSignal.abort();
  const gone = await pending(logins.wait(signIn, { waitMs: 1_000, canOpenPage: true, signal }));
  t.equal(gone.openPage, false);
  t.equal((await pending(logins.start(tool))).openPage, true);
});

t.test('an unknown sign-in returns undefined', async (t) => {
  const { logins, wait } = open(t);
  t.equal(await wait('none'), undefined);
  t.equal(logins.pageOpened('none', true), false);
  await pending(logins.start(person));
  t.equal(await wait('none'), undefined);
});

t.test('a user who is signed in already gets no page', async (t) => {
  const { logins, oidc, state } = open(t);
  state.user = 'ada@example.com';
  t.same(await logins.start(person), { state: 'signed-in', user: 'ada@example.com' });
  t.same(oidc.started, []);
});

t.test('cancelling ends every wait with the reason', async (t) => {
  const { logins, wait, browser } = open(t);
  const { signIn } = await pending(logins.start(person));
  const waiters = [wait(signIn), wait(signIn, true)].map((waiter) => codeOf(waiter));
  await settled();
  logins.cancel(new CcwbError('ERR_LOGIN_CANCELLED', 'logout', 'login'));
  t.same(await Promise.all(waiters), ['ERR_LOGIN_CANCELLED', 'ERR_LOGIN_CANCELLED']);
  t.equal(logins.isPending(), false);
  t.equal(browser.handlers.size, 0);
  logins.cancel(new CcwbError('ERR_LOGIN_CANCELLED', 'again', 'login'));
  const next = await pending(logins.start(person));
  t.not(next.signIn, signIn, 'the next start begins anew');
});

t.test('a sign-in whose code is being redeemed is not cancelled but ends by itself', async (t) => {
  const { logins, browser, oidc, wait, state } = open(t);
  const { signIn } = await pending(logins.start(person));
  const provider = gate();
  const redeem = oidc.onRedeem;
  oidc.onRedeem = async () => {
    await provider.promise;
    return redeem();
  };
  const page = browser.comesBack('state=state-1&code=c');
  const waiter = wait(signIn);
  await settled();
  logins.cancel(new CcwbError('ERR_LOGIN_CANCELLED', 'logout', 'login'));
  t.equal(logins.isPending(), true);
  let quiet = false;
  const ending = logins.settled().then(() => {
    quiet = true;
  });
  await settled();
  t.equal(quiet, false, 'whoever wants to sign out waits for it');
  provider.open();
  await ending;
  t.equal(state.user, 'ada@example.com', 'what the provider gave has been taken over by then');
  t.match(await waiter, { state: 'signed-in' });
  t.equal((await page).status, 200);
});

t.test('sign-ins without a code to redeem are settled at once', async (t) => {
  const { logins } = open(t);
  await logins.settled();
  await pending(logins.start(person));
  await logins.settled();
  t.pass('also while the browser is awaited');
});

t.test('an unfinished sign-in expires', async (t) => {
  const { logins, wait, timers, clock, browser } = open(t);
  const { signIn, expiresAt } = await pending(logins.start(person));
  t.equal(Date.parse(expiresAt), clock.now() + TIMING.signInLifeMs);
  const waiter = codeOf(wait(signIn));
  await settled();
  timers.fire();
  t.equal(await waiter, 'ERR_LOGIN_EXPIRED');
  t.equal(logins.isPending(), false);
  t.equal(browser.handlers.size, 0);
  t.equal(await codeOf(wait(signIn)), 'ERR_LOGIN_EXPIRED', 'remembered for a poll on its way');
  timers.fire();
  t.equal(await wait(signIn), undefined, 'and then forgotten');
});

t.test('tools open at most three pages in a row that nobody answers', async (t) => {
  const { logins, timers, clock, events } = open(t);
  for (let page = 0; page < TIMING.unansweredPages; page += 1) {
    const { signIn } = await pending(logins.start(tool));
    logins.pageOpened(signIn, true);
    timers.fire();
    clock.advance(60_000);
  }
  const error = await rejection(logins.start(tool));
  t.match(error, { code: 'ERR_LOGIN_CAPPED', fix: /bedrock-auth login/ });
  t.equal(await codeOf(logins.start(blind)), 'ERR_LOGIN_CAPPED');
  t.match(await logins.start(person), { state: 'pending' }, 'a person may');
  t.match(await logins.start(tool), { state: 'pending', openPage: false }, 'and a tool may join');
  timers.fire();
  clock.advance(24 * HOUR);
  t.equal(await codeOf(logins.start(tool)), 'ERR_LOGIN_CAPPED', 'all night');
  t.ok(events().includes('sign-in started'));
});

t.test('a page that was never opened does not count', async (t) => {
  const { logins, timers } = open(t);
  for (let page = 0; page < 10; page += 1) {
    await pending(logins.start(blind));
    timers.fire();
  }
  t.match(await logins.start(tool), { state: 'pending' });
});

t.test('an answered page resets the count', async (t) => {
  const { logins, timers, browser, state } = open(t);
  const unanswered = async () => {
    const { signIn } = await pending(logins.start(tool));
    logins.pageOpened(signIn, true);
    timers.fire();
  };
  await unanswered();
  await unanswered();
  const { url } = await pending(logins.start(tool));
  await browser.comesBack(`code=c&state=${new URL(url).searchParams.get('state')}`);
  state.user = undefined;
  await unanswered();
  t.match(await logins.start(tool), { state: 'pending' });
});

t.test('concurrent callers share a failure to start, which is not cached', async (t) => {
  const { logins, oidc, browser } = open(t);
  const provider = gate();
  oidc.onStart = () => provider.promise;
  const starts = [logins.start(person), logins.start(tool)].map((start) => codeOf(start));
  await settled();
  provider.fail(new CcwbError('ERR_PROVIDER_UNREACHABLE', 'down', 'wait'));
  t.same(await Promise.all(starts), ['ERR_PROVIDER_UNREACHABLE', 'ERR_PROVIDER_UNREACHABLE']);
  t.equal(oidc.started.length, 1);
  oidc.onStart = async () => {};
  browser.problem = new CcwbError('ERR_REDIRECT_PORT_TAKEN', 'port 8400', 'free it');
  t.equal(await codeOf(logins.start(person)), 'ERR_REDIRECT_PORT_TAKEN');
  browser.problem = undefined;
  t.match(await logins.start(person), { state: 'pending', openPage: true });
});

t.test('a code is redeemed once even if the browser asks twice', async (t) => {
  const { logins, browser, oidc } = open(t);
  await pending(logins.start(person));
  const provider = gate();
  const redeem = oidc.onRedeem;
  oidc.onRedeem = async () => {
    await provider.promise;
    return redeem();
  };
  const pages = [browser.comesBack('state=state-1&code=c'), browser.comesBack('state=state-1&code=c')];
  provider.open();
  const [first, second] = await Promise.all(pages);
  t.equal(first, second);
  t.equal(oidc.redeemed.length, 1);
});

t.test('callers and browser get the reason of a failed sign-in', async (t) => {
  const denied = new CcwbError('ERR_LOGIN_DENIED', 'idp did not let you in (access_denied)', 'ask');
  const cases: [Error, string, number, RegExp][] = [
    [denied, 'ERR_LOGIN_DENIED', 403, /Not signed in/],
    [loginRequired(), 'ERR_LOGIN_DENIED', 403, /Not signed in/],
    [
      new CcwbError('ERR_PROVIDER_UNREACHABLE', 'idp is down', 'wait'),
      'ERR_PROVIDER_UNREACHABLE',
      502,
      /Idp is down\./,
    ],
    [
      new CcwbError('ERR_ID_TOKEN_INVALID', 'bad <b>', 'look'),
      'ERR_ID_TOKEN_INVALID',
      502,
      /Bad &#60;b&#62;\./,
    ],
    [new TypeError('quotes a secret'), 'ERR_INTERNAL', 502, /Unexpected TypeError\./],
  ];
  for (const [fault, code, status, html] of cases) {
    const { logins, browser, oidc, wait, lines } = open(t);
    oidc.onRedeem = async () => {
      throw fault;
    };
    const { signIn } = await pending(logins.start(person));
    const waiter = codeOf(wait(signIn));
    t.match(await browser.comesBack('state=state-1&code=c'), { status, html }, fault.message);
    t.equal(await waiter, code);
    t.match(
      lines.find(({ event }) => event === 'sign-in failed'),
      { level: 'warn', fields: { code } },
    );
    t.match(await logins.start(person), { state: 'pending' }, 'and another can be started at once');
  }
});

t.test('callers get the result before the last page is ready', async (t) => {
  const aws = gate<ReturnType<typeof resultPage>>();
  const { logins, browser, wait } = open(t, { successPage: () => aws.promise });
  const { signIn } = await pending(logins.start(person));
  const page = browser.comesBack('state=state-1&code=c');
  t.match(await wait(signIn), { state: 'signed-in' });
  aws.open(resultPage({ outcome: 'signed-in', user: 'u', profile: 'p' }));
  t.equal((await page).status, 200);
});

t.test('no code, state or verifier reaches the log', async (t) => {
  const { logins, browser, lines } = open(t);
  await pending(logins.start(person));
  await browser.comesBack('state=state-1&code=planted-code');
  t.same(
    lines.map(({ event }) => event),
    ['sign-in started', 'sign-in ended'],
  );
  t.notMatch(JSON.stringify(lines), /planted|state-1|verifier|refresh-token/);
});

t.test('a sign-in names the profile it was started for', async (t) => {
  const seen: string[] = [];
  const { browser, lines, logins } = open(t, {
    successPage: async (profile) => {
      seen.push(profile);
      return resultPage({ outcome: 'signed-in', user: 'u', profile });
    },
  });
  await pending(logins.start(person));
  await browser.comesBack('state=state-1&code=c');
  t.same(seen, ['ClaudeCode']);
  t.match(lines[0], { fields: { profile: 'ClaudeCode', port: PORT } });
});

/** As {@link open}, at a provider that has sign-in by code. */
function openWithCodes(t: T, change: Partial<SignInDependencies> = {}) {
  const opened = open(t, change);
  const { oidc, timers, clock } = opened;
  oidc.onDevice = async () => deviceAuthorization({ deviceCode: `device-code-${oidc.devices}` });
  /** Lets the interval pass; the provider answers what `onPoll` says. */
  const poll = async () => {
    timers.fire(5_000);
    await settled();
  };
  const approve = async () => {
    oidc.onPoll = async () => ({ tokens: { idToken: idTokenFor(clock), refreshToken: 'by-code' } });
    await poll();
  };
  return { ...opened, poll, approve };
}

t.test('a caller without a screen gets a code if the provider offers codes', async (t) => {
  const { logins, oidc, wait, approve } = openWithCodes(t);
  const starts = Array.from({ length: 20 }, (_, caller) =>
    pending(logins.start([remote, remoteTool, byCode][caller % 3] ?? remote)),
  );
  const replies = await Promise.all(starts);
  t.equal(oidc.devices, 1, 'twenty callers, one code');
  t.same(oidc.started, [], 'and no page');
  t.equal(new Set(replies.map(({ signIn }) => signIn)).size, 1);
  t.match(replies[0], {
    url: 'https://idp.example/device',
    device: { userCode: 'WDJB-MJHT', verificationUriComplete: /\?user_code=WDJB-MJHT$/ },
    openPage: false,
  });
  const waiters = replies.map(({ signIn }) => wait(signIn, true));
  await approve();
  const end = { state: 'signed-in', user: 'ada@example.com' };
  for (const waiter of waiters) t.same(await waiter, end);
  t.equal(logins.isPending(), false);
});

t.test('a caller with a screen gets a page even if the provider offers codes', async (t) => {
  const { logins, oidc } = openWithCodes(t);
  for (const request of [person, tool, blind, { ...blind, screen: true }, { ...person, device: false }])
    t.equal((await pending(logins.start(request))).device, undefined);
  t.equal(oidc.devices, 0);
  t.equal(oidc.started.length, 1);
});

t.test('without codes a caller without a screen gets the address of the page', async (t) => {
  const { logins, oidc } = open(t);
  t.match(await pending(logins.start(remote)), { url: /authorize/, openPage: false });
  oidc.onDevice = async () => {
    throw new CcwbError('ERR_PROVIDER_REJECTED', 'not for this application', 'ask');
  };
  logins.cancel(loginRequired());
  t.match(await pending(logins.start(remote)), { url: /authorize/ }, 'offered, but not to this application');
});

t.test('a caller that demands a code gets the reason why there is none', async (t) => {
  const { logins, oidc } = open(t);
  t.match(await rejection(logins.start(byCode)), {
    code: 'ERR_PROVIDER_REJECTED',
    message: /device_authorization_endpoint/,
    fix: /login --no-browser/,
  });
  oidc.onDevice = async () => {
    throw new CcwbError('ERR_PROVIDER_REJECTED', 'not for this application', 'ask');
  };
  t.match(await rejection(logins.start(byCode)), { message: /not for this application/ });
  t.same(oidc.started, [], 'and gets no page instead');
});

t.test('a provider that cannot be reached is not asked for a page as well', async (t) => {
  const { logins, oidc } = open(t);
  oidc.onDevice = async () => {
    throw new CcwbError('ERR_PROVIDER_UNREACHABLE', 'down', 'wait');
  };
  t.equal(await codeOf(logins.start(remote)), 'ERR_PROVIDER_UNREACHABLE');
  t.same(oidc.started, []);
});

t.test('page and code run side by side, and a success of one ends both', async (t) => {
  for (const faster of ['page', 'code'] as const) {
    const { logins, wait, browser, approve, timers, oidc, clock } = openWithCodes(t);
    const page = await pending(logins.start(person));
    logins.pageOpened(page.signIn, true);
    const code = await pending(logins.start(byCode));
    t.not(code.signIn, page.signIn);
    clock.advance(PAGE_LEASE_MS * 2);
    t.match(await pending(logins.start(tool)), { signIn: page.signIn, openPage: false }, 'no second page');
    t.match(await pending(logins.start(remote)), { signIn: code.signIn }, 'no second code');
    const waiters = [wait(page.signIn, true), wait(code.signIn)];
    if (faster === 'page') await browser.comesBack('state=state-1&code=c');
    else await approve();
    const end = { state: 'signed-in', user: 'ada@example.com' };
    t.same(await Promise.all(waiters), [end, end], faster);
    t.equal(logins.isPending(), false);
    timers.fire();
    t.equal(browser.handlers.size, 0);
    await settled();
    t.equal(oidc.polled.length, faster === 'page' ? 0 : 1, 'nothing is asked any more');
  }
});

t.test('a refusal of one does not end the other', async (t) => {
  const { logins, wait, browser, oidc, approve } = openWithCodes(t);
  const page = await pending(logins.start(person));
  const code = await pending(logins.start(byCode));
  const redeem = oidc.onRedeem;
  oidc.onRedeem = async () => {
    throw new CcwbError('ERR_LOGIN_DENIED', 'no', 'ask');
  };
  const waiters = [codeOf(wait(page.signIn)), wait(code.signIn)];
  await browser.comesBack('state=state-1&error=access_denied');
  t.equal(await waiters[0], 'ERR_LOGIN_DENIED');
  oidc.onRedeem = redeem;
  t.equal(logins.isPending(), true);
  await approve();
  t.match(await waiters[1], { state: 'signed-in' });
});

t.test('tokens that both methods bring at the same moment are stored once', async (t) => {
  const taking = gate();
  const taken: (string | undefined)[] = [];
  const { logins, wait, browser, approve } = openWithCodes(t, {
    complete: async ({ refreshToken }) => {
      taken.push(refreshToken);
      await taking.promise;
      return 'ada@example.com';
    },
  });
  const page = await pending(logins.start(person));
  const code = await pending(logins.start(byCode));
  const visited = browser.comesBack('state=state-1&code=c');
  await settled();
  await approve();
  taking.open();
  t.equal((await visited).status, 200);
  for (const { signIn } of [page, code]) t.match(await wait(signIn), { state: 'signed-in' });
  t.strictSame(taken, ['refresh-token-1'], 'the first one\u2019s');
});

t.test('cancelling ends both, and a sign-in that is starting', async (t) => {
  const { logins, wait, oidc, timers, browser } = openWithCodes(t);
  const page = await pending(logins.start(person));
  const code = await pending(logins.start(byCode));
  const waiters = [codeOf(wait(page.signIn)), codeOf(wait(code.signIn))];
  await settled();
  logins.cancel(new CcwbError('ERR_LOGIN_CANCELLED', 'logout', 'login'));
  t.same(await Promise.all(waiters), ['ERR_LOGIN_CANCELLED', 'ERR_LOGIN_CANCELLED']);
  timers.fire();
  await settled();
  t.same(oidc.polled, [], 'the provider is not asked any more');

  const provider = gate();
  oidc.onStart = () => provider.promise;
  const starting = codeOf(logins.start(person));
  await settled();
  logins.cancel(new CcwbError('ERR_LOGIN_CANCELLED', 'logout', 'login'));
  provider.open();
  t.equal(await starting, 'ERR_LOGIN_CANCELLED');
  await settled();
  t.equal(browser.handlers.size, 0);
  t.equal(logins.isPending(), false);
});

t.test('a sign-in without waiting callers continues and can be joined again', async (t) => {
  const { logins, oidc, approve, wait } = openWithCodes(t);
  const { signIn } = await pending(logins.start(byCode));
  const abort = new AbortController();
  const leaving = logins.wait(signIn, { waitMs: 60_000, canOpenPage: false, signal: abort.signal });
  abort.abort();
  t.match(await leaving, { state: 'pending' });
  const again = await pending(logins.start(byCode));
  t.match(again, { signIn, device: { userCode: 'WDJB-MJHT' } });
  t.equal(oidc.devices, 1, 'with the same code');
  await approve();
  t.match(await wait(signIn), { state: 'signed-in' });
});

t.test('unused codes count like unanswered pages', async (t) => {
  const { logins, timers, oidc, approve, state } = openWithCodes(t);
  const life = deviceAuthorization().lifeMs;
  for (let code = 0; code < TIMING.unansweredPages; code += 1) {
    await pending(logins.start(remoteTool));
    timers.fire(life);
  }
  t.equal(await codeOf(logins.start(remoteTool)), 'ERR_LOGIN_CAPPED');
  t.equal(await codeOf(logins.start(tool)), 'ERR_LOGIN_CAPPED', 'nor does a page open');
  t.equal(oidc.devices, TIMING.unansweredPages);
  t.match(await pending(logins.start(remote)), { device: { userCode: /./ } }, 'a person may');
  for (const joining of [remoteTool, tool])
    t.match(await pending(logins.start(joining)), { device: { userCode: /./ } }, 'and a tool may join');
  t.same(oidc.started, [], 'but opens no page beside it');
  await approve();
  state.user = undefined;
  t.match(await pending(logins.start(tool)), { openPage: true }, 'an answer wipes the count');
});

t.test('after a sleep longer than its life a sign-in is no longer pending', async (t) => {
  const { logins, wait, clock, browser } = openWithCodes(t);
  const page = await pending(logins.start(tool));
  logins.pageOpened(page.signIn, true);
  const code = await pending(logins.start(byCode));
  clock.advance(TIMING.signInLifeMs);
  t.equal(await codeOf(wait(page.signIn)), 'ERR_LOGIN_EXPIRED');
  t.equal(browser.handlers.size, 0, 'the port is given back on wake-up');
  t.match(await wait(code.signIn, false, 0), { state: 'pending' }, 'a code lives as long as it says');
  clock.advance(HOUR);
  t.equal(logins.isPending(), false);
  t.equal(await codeOf(wait(code.signIn)), 'ERR_LOGIN_EXPIRED');
  t.match(await logins.start(person), { state: 'pending', openPage: true });
});

t.test('a clock that is set back does not prolong a long poll', async (t) => {
  const { logins, wait, clock } = open(t);
  const { signIn } = await pending(logins.start(person));
  const poll = wait(signIn, false, 30);
  clock.advance(-HOUR);
  t.match(await poll, { state: 'pending' });
});
