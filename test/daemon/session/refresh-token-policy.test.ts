import t from 'tap';
import { UNKNOWN_SUBJECT } from '../../../daemon/oidc/tokens.ts';
import {
  isNewerInStore,
  isStorePaused,
  noteUse,
  rotateTo,
  settleUse,
  storedSessionOf,
} from '../../../daemon/session/refresh-token-policy.ts';
import { TIMING } from '../../../daemon/timing.ts';
import { fakeClock } from '../../../tools/support/daemon-edges.ts';
import { storedSession } from '../fixtures/memory-store.ts';
import { idTokenFor } from '../fixtures/tokens.ts';

const NOW = 1_000_000;

t.test('a sign-in leaves its refresh token and its user', async (t) => {
  const idToken = idTokenFor(fakeClock(), { sub: 'user-7', claims: { email: 'ada@example.com' } });
  t.same(storedSessionOf({ refreshToken: 'rt-1', idToken }), storedSession('rt-1', { subject: 'user-7' }));
});

t.test('a sign-in without a refresh token leaves nothing in the store', async (t) => {
  t.equal(storedSessionOf({ refreshToken: undefined, idToken: idTokenFor(fakeClock()) }), undefined);
});

t.test('a store that failed is left alone until its retry is due', async (t) => {
  t.equal(isStorePaused(NOW + TIMING.storeRetryMs, NOW), true);
  t.equal(isStorePaused(NOW + 1, NOW), true);
  t.equal(isStorePaused(NOW, NOW), false);
});

t.test('a clock that was set back does not keep a store waiting', async (t) => {
  t.equal(isStorePaused(NOW + TIMING.storeRetryMs + 1, NOW), false);
});

t.test('only another refresh token in the store replaces the one in memory', async (t) => {
  t.equal(isNewerInStore(storedSession('rt-2'), storedSession('rt-1')), true);
  t.equal(isNewerInStore(storedSession('rt-1'), undefined), true);
  t.equal(isNewerInStore(storedSession('rt-1', { spentAt: NOW }), storedSession('rt-1')), false);
  t.equal(isNewerInStore(undefined, storedSession('rt-1')), false);
});

t.test('the first use of a token that may rotate is noted', async (t) => {
  t.same(noteUse(storedSession('rt-1'), NOW), storedSession('rt-1', { spentAt: NOW }));
  t.same(noteUse(storedSession('rt-1', { rotates: true }), NOW), {
    ...storedSession('rt-1'),
    rotates: true,
    spentAt: NOW,
  });
});

t.test('a token that never rotates, or is noted already, needs no note', async (t) => {
  t.equal(noteUse(storedSession('rt-1', { rotates: false }), NOW), undefined);
  t.equal(noteUse(storedSession('rt-1', { spentAt: NOW - 1 }), NOW), undefined);
});

t.test('a successor replaces the spent token and its note', async (t) => {
  const spent = storedSession('rt-1', { spentAt: NOW });
  t.same(rotateTo(spent, 'rt-2'), storedSession('rt-2', { rotates: true }));
  t.equal('spentAt' in (rotateTo(spent, 'rt-2') ?? {}), false);
});

t.test('the same token is no successor', async (t) => {
  t.equal(rotateTo(storedSession('rt-1'), 'rt-1'), undefined);
});

t.test('a use without rotation shows that the token does not rotate, and removes the note', async (t) => {
  const spent = storedSession('rt-1', { spentAt: NOW });
  const after = settleUse({ spent, current: spent, rotated: false, identity: undefined });
  t.same(after, storedSession('rt-1', { rotates: false }));
  t.equal('spentAt' in (after ?? {}), false);
});

t.test('a use after which the stored item is right stores nothing', async (t) => {
  const steady = storedSession('rt-1', { rotates: false });
  t.equal(settleUse({ spent: steady, current: steady, rotated: false, identity: undefined }), undefined);
  const current = storedSession('rt-2', { rotates: true });
  const spent = storedSession('rt-1');
  t.equal(settleUse({ spent, current, rotated: true, identity: undefined }), undefined);
});

t.test('the user of an imported token is stored with the token that is current', async (t) => {
  const spent = storedSession('rt-1', { subject: UNKNOWN_SUBJECT, user: null });
  const identity = { subject: 'user-7', user: 'ada@example.com' };
  t.same(
    settleUse({ spent, current: { ...spent, refreshToken: 'rt-2' }, rotated: true, identity }),
    storedSession('rt-2', identity),
  );
  t.same(settleUse({ spent, current: spent, rotated: false, identity }), {
    ...storedSession('rt-1', identity),
    rotates: false,
  });
});
