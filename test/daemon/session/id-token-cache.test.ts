import t from 'tap';
import { UnexplainedRefusal } from '../../../daemon/oidc/provider-errors.ts';
import { createIdTokenCache } from '../../../daemon/session/id-token-cache.ts';
import { createRefreshTokenSpender } from '../../../daemon/session/refresh-token-spender.ts';
import { TIMING } from '../../../daemon/timing.ts';
import { CcwbError, loginRequired } from '../../../protocol/errors.ts';
import { codeOf, fakeClock, memoryLog, noLocks, rejection } from '../../../tools/support/daemon-edges.ts';
import { memoryStore, storedSession } from '../fixtures/memory-store.ts';
import { fakeOidc, HOUR, idTokenFor } from '../fixtures/tokens.ts';

const KEY = 'key';

async function create() {
  const clock = fakeClock();
  const oidc = fakeOidc(clock);
  const store = memoryStore({ [KEY]: storedSession('rt-1') });
  const { log, events } = memoryLog();
  const spender = createRefreshTokenSpender(KEY, store, { clock, log, lockCredential: noLocks });
  await spender.restore();
  return { clock, oidc, store, events, cache: createIdTokenCache(oidc, spender, 'session', { clock, log }) };
}

t.test('a refresh brings an ID token that is used until its margin before the end', async (t) => {
  const { cache, clock } = await create();
  t.equal(cache.usableUntil(), null);
  await cache.refresh();
  const idToken = cache.last();
  t.ok(idToken);
  t.equal(cache.usable(undefined), idToken);
  t.equal(cache.usableUntil(), clock.now() + HOUR - TIMING.idTokenLifeMs);
  clock.advance(HOUR - TIMING.idTokenLifeMs);
  t.equal(cache.usable(undefined), undefined);
  t.equal(cache.unexpired(undefined), idToken);
  clock.advance(TIMING.idTokenLifeMs);
  t.equal(cache.unexpired(undefined), undefined);
  t.equal(cache.last(), idToken);
});

t.test('an ID token that AWS rejected is not returned again', async (t) => {
  const { cache } = await create();
  await cache.refresh();
  t.equal(cache.usable(cache.last()), undefined);
  t.equal(cache.unexpired(cache.last()), undefined);
});

t.test('a refresh that brings no ID token is not repeated before another sign-in', async (t) => {
  const { cache, oidc, clock } = await create();
  oidc.onRefresh = async () => ({ idToken: undefined, refreshToken: undefined });
  t.equal(cache.canRefresh(), true);
  await cache.refresh();
  t.equal(cache.canRefresh(), false);
  cache.replace(idTokenFor(clock));
  t.equal(cache.canRefresh(), true);
});

t.test('refusals without a reason keep the refresh token and are proven by time', async (t) => {
  const { cache, oidc, clock, store } = await create();
  oidc.onRefresh = async () => {
    throw new UnexplainedRefusal(new CcwbError('ERR_PROVIDER_UNREACHABLE', 'refused', 'wait'));
  };
  t.equal(await codeOf(cache.refresh()), 'ERR_PROVIDER_UNREACHABLE');
  t.equal(cache.isRefused(), true);
  clock.advance(TIMING.refusalProofMs);
  t.equal(await codeOf(cache.refresh()), 'ERR_LOGIN_REQUIRED');
  t.equal(cache.canRefresh(), false);
  t.equal(store.session(KEY)?.refreshToken, 'rt-1');
  clock.advance(TIMING.refusalMemoryMs);
  t.equal(cache.canRefresh(), true);
});

t.test('invalid_grant forgets the tokens here and in the store', async (t) => {
  const { cache, oidc, store, events } = await create();
  await cache.refresh();
  oidc.onRefresh = async () => {
    throw loginRequired();
  };
  await rejection(cache.refresh());
  t.equal(cache.last(), undefined);
  t.equal(store.items.size, 0);
  t.ok(events().includes('refresh failed'));
});
