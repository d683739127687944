import t from 'tap';
import { startBrowserSignIn } from '../../../daemon/sign-in/browser-sign-in.ts';
import type { CallbackHandler } from '../../../daemon/sign-in/loopback-redirect.ts';
import { resultPage } from '../../../daemon/sign-in/result-page.ts';
import { TIMING } from '../../../daemon/timing.ts';
import { PAGE_LEASE_MS } from '../../../protocol/api.ts';
import { CcwbError } from '../../../protocol/errors.ts';
import { fakeClock, gate, memoryLog, settled } from '../../../tools/support/daemon-edges.ts';
import { holdLongTimers } from '../fixtures/long-timers.ts';
import { fakeOidc, HOUR } from '../fixtures/tokens.ts';

// How its callers are served, and how it fails, is in login.test.ts.

async function begin(t: { teardown(action: () => unknown): void }) {
  const timers = holdLongTimers(t, 1_000);
  const clock = fakeClock();
  const oidc = fakeOidc(clock);
  const counts = { signedIn: 0, unanswered: 0, released: 0 };
  let handler: CallbackHandler | undefined;
  const signIn = await startBrowserSignIn('ClaudeCode', 8400, {
    oidc,
    clock,
    log: memoryLog().log,
    redirect: {
      register: async (_port, _state, given) => {
        handler = given;
        return {
          release: async () => {
            counts.released += 1;
          },
        };
      },
    },
    signedIn: async () => {
      counts.signedIn += 1;
      signIn.finish({ user: 'ada' });
    },
    answered: () => {},
    unanswered: (count) => {
      counts.unanswered += count;
    },
    successPage: async (profile) => resultPage({ outcome: 'signed-in', user: 'ada', profile }),
  });
  const comesBack = () =>
    handler?.(new URL('http://localhost:8400/callback?code=c&state=state-1')) ?? Promise.reject(new Error());
  return { timers, clock, oidc, counts, signIn, comesBack };
}

const logout = new CcwbError('ERR_LOGIN_CANCELLED', 'logout', 'login');

t.test('a browser that asks again a moment later gets its page again', async (t) => {
  const { comesBack, timers, counts, oidc } = await begin(t);
  const first = await comesBack();
  await settled();
  t.equal(counts.released, 0);
  t.equal(await comesBack(), first);
  t.equal(oidc.redeemed.length, 1);
  t.strictSame(timers.delays, [TIMING.callbackLingerMs]);
  timers.fire();
  t.equal(counts.released, 1, 'then nothing listens any more');
});

t.test('a cancellation does not wait for a browser that asks again', async (t) => {
  const { comesBack, signIn, counts } = await begin(t);
  await comesBack();
  signIn.cancel(logout);
  t.equal(counts.released, 1);
  t.strictSame(signIn.end, { user: 'ada' });
});

t.test('without a page to deliver nothing listens after the end', async (t) => {
  for (const end of ['cancelled', 'expired', 'signed in by code'] as const) {
    const { signIn, timers, counts } = await begin(t);
    if (end === 'cancelled') signIn.cancel(logout);
    if (end === 'expired') timers.fire(TIMING.signInLifeMs);
    if (end === 'signed in by code') signIn.finish({ user: 'ada' });
    await settled();
    t.ok(counts.released > 0, end);
  }
});

t.test(
  'a code redeemed after another sign-in succeeded is ignored, and its page reports success',
  async (t) => {
    const { comesBack, signIn, counts, oidc } = await begin(t);
    const provider = gate();
    const redeem = oidc.onRedeem;
    oidc.onRedeem = async () => {
      await provider.promise;
      return redeem();
    };
    const page = comesBack();
    await settled();
    signIn.finish({ user: 'ada' });
    provider.open();
    t.match(await page, { status: 200, html: /You are signed in/ });
    t.equal(counts.signedIn, 0);
    t.same(oidc.revoked, []);
  },
);

t.test('a browser that returned in time does not expire while its code is redeemed', async (t) => {
  const { comesBack, signIn, timers, clock, oidc, counts } = await begin(t);
  const provider = gate();
  const redeem = oidc.onRedeem;
  oidc.onRedeem = async () => {
    await provider.promise;
    return redeem();
  };
  const page = comesBack();
  clock.advance(TIMING.signInLifeMs);
  timers.fire(TIMING.signInLifeMs);
  signIn.expireIfOver();
  t.equal(signIn.end, undefined);
  provider.open();
  t.match(await page, { status: 200 });
  t.match(signIn.end, { user: 'ada' });
  t.equal(counts.unanswered, 0);
});

t.test('another caller can open the page after the clock was set back', async (t) => {
  const { signIn, clock } = await begin(t);
  t.match(signIn.reply(true), { openPage: true });
  t.match(signIn.reply(true), { openPage: false });
  t.equal(signIn.pageFreeInMs(), PAGE_LEASE_MS);
  clock.advance(-HOUR);
  t.equal(signIn.pageFreeInMs(), 0);
  t.match(signIn.reply(true), { openPage: true });
  signIn.pageOpened(true);
  clock.advance(-HOUR);
  t.match(signIn.reply(true), { openPage: false }, 'a page that is open stays it');
});
