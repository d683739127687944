import t from 'tap';
import { UNKNOWN_SUBJECT } from '../../../daemon/oidc/tokens.ts';
import {
  addRefusal,
  hasEnoughLife,
  idTokenUsableUntil,
  isEndOfSession,
  isRefusalProven,
  lostReplyPauseMs,
  mayBringIdToken,
  newIdentity,
  noIdTokenError,
} from '../../../daemon/session/id-token-policy.ts';
import { TIMING } from '../../../daemon/timing.ts';
import { CcwbError } from '../../../protocol/errors.ts';
import { fakeClock } from '../../../tools/support/daemon-edges.ts';
import { storedSession } from '../fixtures/memory-store.ts';
import { HOUR, idTokenFor, MINUTE } from '../fixtures/tokens.ts';

const clock = fakeClock();
const NOW = clock.now();

t.test('an ID token is used until its margin before the end', async (t) => {
  const idToken = idTokenFor(clock);
  const until = NOW + HOUR - TIMING.idTokenLifeMs;
  t.equal(idTokenUsableUntil(idToken), until);
  t.equal(hasEnoughLife(idToken, 0, until - 1), true);
  t.equal(hasEnoughLife(idToken, 0, until), false);
});

t.test('a caller may ask for more time left', async (t) => {
  const idToken = idTokenFor(clock);
  t.equal(hasEnoughLife(idToken, 29 * MINUTE, NOW + HOUR - 29 * MINUTE), true);
  t.equal(hasEnoughLife(idToken, 29 * MINUTE, NOW + HOUR - 29 * MINUTE + 1), false);
});

t.test('refusals are proven by the time between the first and the last', async (t) => {
  const first = addRefusal(undefined, NOW);
  t.same(first, { first: NOW, last: NOW });
  t.equal(isRefusalProven(first, NOW), false);
  const later = addRefusal(first, NOW + TIMING.refusalProofMs);
  t.same(later, { first: NOW, last: NOW + TIMING.refusalProofMs });
  t.equal(isRefusalProven(later, later.last), true);
  t.equal(isRefusalProven(addRefusal(first, NOW + TIMING.refusalProofMs - 1), NOW), false);
  t.equal(isRefusalProven(undefined, NOW), false);
});

t.test('time alone proves no refusal, and the proof expires', async (t) => {
  const once = addRefusal(undefined, NOW);
  t.equal(isRefusalProven(once, NOW + TIMING.refusalProofMs), false);
  const proven = { first: NOW, last: NOW + TIMING.refusalProofMs };
  t.equal(isRefusalProven(proven, proven.last + TIMING.refusalMemoryMs - 1), true);
  t.equal(isRefusalProven(proven, proven.last + TIMING.refusalMemoryMs), false);
});

t.test('only invalid_grant for a token that was sent ends a session', async (t) => {
  const refused = { code: 'ERR_LOGIN_REQUIRED', wasSent: true, signedInOrOutMeanwhile: false } as const;
  t.equal(isEndOfSession(refused), true);
  t.equal(isEndOfSession({ ...refused, wasSent: false }), false);
  t.equal(isEndOfSession({ ...refused, signedInOrOutMeanwhile: true }), false);
  for (const code of ['ERR_PROVIDER_UNREACHABLE', 'ERR_PROVIDER_INVALID', 'ERR_ID_TOKEN_INVALID'] as const)
    t.equal(isEndOfSession({ ...refused, code }), false, code);
});

t.test('the same token is sent again at once, then after a pause, then no more', async (t) => {
  t.equal(lostReplyPauseMs(1), 0);
  t.equal(lostReplyPauseMs(2), TIMING.lostReplyRetryMs);
  t.equal(lostReplyPauseMs(TIMING.lostReplyTries), undefined);
});

t.test('a refresh is worth trying unless it is known to bring no ID token', async (t) => {
  const session = storedSession('rt-1', { subject: 'user-1' });
  const state = { subjectWithoutIdToken: undefined, refusals: undefined, now: NOW };
  t.equal(mayBringIdToken(session, state), true);
  t.equal(mayBringIdToken(undefined, state), false, 'without a refresh token');
  t.equal(mayBringIdToken(session, { ...state, subjectWithoutIdToken: 'user-1' }), false);
  t.equal(mayBringIdToken(session, { ...state, subjectWithoutIdToken: 'user-2' }), true);
  const refusals = { first: NOW - TIMING.refusalProofMs, last: NOW };
  t.equal(mayBringIdToken(session, { ...state, refusals }), false);
  t.equal(mayBringIdToken(session, { ...state, refusals: addRefusal(undefined, NOW) }), true);
});

t.test('the first ID token of an imported session shows its user', async (t) => {
  const idToken = idTokenFor(clock, { sub: 'user-7', claims: { email: 'ada@example.com' } });
  const imported = storedSession('rt-1', { subject: UNKNOWN_SUBJECT });
  t.same(newIdentity(imported, idToken), { subject: 'user-7', user: 'ada@example.com' });
  t.equal(newIdentity(storedSession('rt-1', { subject: 'user-7' }), idToken), undefined);
});

t.test('a locked keyring is reported instead of a missing sign-in', async (t) => {
  const locked = new CcwbError('ERR_STORE_LOCKED', 'the keyring is locked', 'unlock it');
  t.equal(noIdTokenError({ isRestored: false, problem: locked }), locked);
  t.equal(noIdTokenError({ isRestored: true, problem: locked }).code, 'ERR_LOGIN_REQUIRED');
  t.equal(noIdTokenError({ isRestored: false, problem: undefined }).code, 'ERR_LOGIN_REQUIRED');
  const failed = new CcwbError('ERR_STORE_FAILED', 'disk full', 'make room');
  t.equal(noIdTokenError({ isRestored: false, problem: failed }).code, 'ERR_LOGIN_REQUIRED');
});
