import t from 'tap';
import { asSignInError, createLifetime } from '../../../daemon/sign-in/sign-in.ts';
import { CcwbError, loginRequired } from '../../../protocol/errors.ts';
import { fakeClock, settled } from '../../../tools/support/daemon-edges.ts';
import { holdLongTimers } from '../fixtures/long-timers.ts';
import { HOUR, MINUTE } from '../fixtures/tokens.ts';

const gone = new CcwbError('ERR_LOGIN_EXPIRED', 'over', 'again');

function begin(t: { teardown(action: () => unknown): void }) {
  const timers = holdLongTimers(t);
  const clock = fakeClock();
  const seen = { expired: 0 };
  const life = createLifetime(clock, 5 * MINUTE, () => {
    seen.expired += 1;
    life.finish({ error: gone });
  });
  return { timers, clock, life, seen };
}

t.test('the first end counts and wakes the waiting callers once', async (t) => {
  const { life, timers } = begin(t);
  let woken = 0;
  void life.changed.promise.then(() => {
    woken += 1;
  });
  t.equal(life.end, undefined);
  life.finish({ user: 'ada' });
  life.finish({ error: gone });
  await settled();
  t.strictSame(life.end, { user: 'ada' });
  t.equal(woken, 1);
  await life.ended;
  t.equal(timers.waiting, 0, 'its timer is gone');
});

t.test('waking without an end lets the waiting callers check again', async (t) => {
  const { life } = begin(t);
  const first = life.changed;
  life.wake();
  await first.promise;
  t.not(life.changed, first, 'the next change is another one');
  t.equal(life.end, undefined);
});

t.test('a sign-in expires by the timer, or by the clock after a sleep', async (t) => {
  const timed = begin(t);
  timed.timers.fire();
  t.equal(timed.seen.expired, 1);
  const slept = begin(t);
  slept.clock.advance(5 * MINUTE - 1);
  slept.life.expireIfOver();
  t.equal(slept.life.end, undefined);
  slept.clock.advance(1);
  slept.life.expireIfOver();
  slept.life.expireIfOver();
  t.equal(slept.seen.expired, 1);
  t.equal(slept.timers.waiting, 0);
});

t.test('a clock set back does not prolong a sign-in', async (t) => {
  const { life, clock, timers } = begin(t);
  clock.advance(-HOUR);
  life.expireIfOver();
  t.equal(life.end, undefined);
  timers.fire();
  t.strictSame(life.end, { error: gone });
});

t.test('every sign-in has its own id', async (t) => {
  t.not(begin(t).life.id, begin(t).life.id);
});

t.test('a refused code does not count as the end of a session', async (t) => {
  t.match(asSignInError(loginRequired()), { code: 'ERR_LOGIN_DENIED' });
  t.equal(asSignInError(gone), gone);
  t.match(asSignInError(new TypeError('x')), { code: 'ERR_INTERNAL' });
});
