import t from 'tap';
import {
  backOffCeilingMs,
  chooseAnswer,
  isBackingOff,
  isUsable,
  lastExchangeAt,
  lifeLeftMs,
  refreshDueAt,
} from '../../../daemon/aws/refresh-policy.ts';
import { TIMING } from '../../../daemon/timing.ts';
import { fakeClock } from '../../../tools/support/daemon-edges.ts';
import { awsCredentialsFor, HOUR, MINUTE } from '../fixtures/tokens.ts';

const clock = fakeClock();
const ISSUED = clock.now();
const hour = awsCredentialsFor(clock);
const DUE = ISSUED + HOUR - TIMING.refreshAtMs;

t.test('credentials are usable while they outlast their way to the caller', async (t) => {
  t.equal(lifeLeftMs(hour, ISSUED + MINUTE), HOUR - MINUTE);
  t.equal(lifeLeftMs(undefined, ISSUED), 0);
  t.equal(isUsable(hour, ISSUED + HOUR - TIMING.usableLifeMs - 1), true);
  t.equal(isUsable(hour, ISSUED + HOUR - TIMING.usableLifeMs), false);
  t.equal(isUsable(undefined, ISSUED), false);
});

t.test('a refresh is due ahead of the end, spread by the jitter', async (t) => {
  const state = { idTokenUsableUntil: null, now: ISSUED };
  t.equal(refreshDueAt(hour, { ...state, jitter: 0 }), DUE);
  t.equal(refreshDueAt(hour, { ...state, jitter: 1 }), DUE - TIMING.refreshJitterMs);
  t.equal(refreshDueAt(hour, { ...state, jitter: -1 }), DUE + TIMING.refreshJitterMs);
});

t.test('credentials that gained time are refreshed at once: the clock was set back', async (t) => {
  const now = ISSUED - TIMING.clockJumpMs - 1;
  t.equal(refreshDueAt(hour, { jitter: 0, idTokenUsableUntil: null, now }), now);
  const soon = ISSUED - TIMING.clockJumpMs;
  t.equal(refreshDueAt(hour, { jitter: 0, idTokenUsableUntil: null, now: soon }), DUE);
});

t.test('the ID token is used once more before its end if that saves a refresh token', async (t) => {
  const until = ISSUED + 30 * MINUTE;
  t.equal(lastExchangeAt(hour, DUE, until, ISSUED), until - TIMING.lastExchangeMs);
  t.equal(
    refreshDueAt(hour, { jitter: 0, idTokenUsableUntil: until, now: ISSUED }),
    until - TIMING.lastExchangeMs,
  );
});

t.test('no last exchange is made without need, without gain or without an ID token', async (t) => {
  t.equal(lastExchangeAt(hour, DUE, null, ISSUED), undefined, 'no ID token');
  t.equal(lastExchangeAt(hour, DUE, ISSUED + 30 * MINUTE, ISSUED + 30 * MINUTE), undefined, 'too late');
  t.equal(lastExchangeAt(hour, DUE, DUE, ISSUED), undefined, 'the due refresh comes before its end');
  const least = ISSUED + TIMING.lastExchangeGainMs + TIMING.lastExchangeMs;
  t.equal(lastExchangeAt(hour, DUE, least, ISSUED), ISSUED + TIMING.lastExchangeGainMs);
  t.equal(lastExchangeAt(hour, DUE, least - 1, ISSUED), undefined, 'too little gain');
});

t.test('a back-off longer than any that is set comes from a clock set back', async (t) => {
  t.equal(isBackingOff(ISSUED + 1, ISSUED), true);
  t.equal(isBackingOff(ISSUED, ISSUED), false);
  t.equal(isBackingOff(ISSUED + TIMING.backOffLastMs, ISSUED), true);
  t.equal(isBackingOff(ISSUED + TIMING.backOffLastMs + 1, ISSUED), false);
});

t.test('a passing fault is retried soon while that is worth it', async (t) => {
  const failure = { retryable: true, hasUsableCredentials: false, failingForMs: 0 };
  t.equal(backOffCeilingMs(failure), TIMING.backOffSoonMs);
  const long = TIMING.backOffPatienceMs;
  t.equal(backOffCeilingMs({ ...failure, failingForMs: long }), TIMING.backOffLastMs);
  t.equal(backOffCeilingMs({ ...failure, failingForMs: -long }), TIMING.backOffLastMs, 'by a changed clock');
  t.equal(
    backOffCeilingMs({ ...failure, failingForMs: long, hasUsableCredentials: true }),
    TIMING.backOffSoonMs,
  );
  t.equal(
    backOffCeilingMs({ retryable: false, hasUsableCredentials: true, failingForMs: 0 }),
    TIMING.backOffLastMs,
  );
});

t.test('a caller gets what memory holds, and a refresh when that is due', async (t) => {
  const state = { refreshDueAt: DUE, backingOff: false, failedAt: undefined };
  t.equal(chooseAnswer(hour, { ...state, now: ISSUED }), 'memory');
  t.equal(chooseAnswer(hour, { ...state, now: DUE }), 'memory-and-refresh');
  t.equal(chooseAnswer(hour, { ...state, now: DUE, backingOff: true }), 'memory');
  const short = ISSUED + HOUR - TIMING.answerLifeMs;
  t.equal(chooseAnswer(hour, { ...state, now: short }), 'refresh-briefly');
  t.equal(chooseAnswer(hour, { ...state, now: short, backingOff: true }), 'memory', 'never an error');
});

t.test(
  'a caller without usable credentials waits for a refresh unless one failed a moment ago',
  async (t) => {
    const state = { refreshDueAt: null, backingOff: true, failedAt: ISSUED };
    t.equal(chooseAnswer(undefined, { ...state, now: ISSUED }), 'error');
    t.equal(chooseAnswer(undefined, { ...state, now: ISSUED + TIMING.retryOnDemandMs }), 'refresh');
    t.equal(chooseAnswer(undefined, { ...state, now: ISSUED, backingOff: false }), 'refresh');
    t.equal(chooseAnswer(undefined, { ...state, now: ISSUED, failedAt: undefined }), 'refresh');
    t.equal(chooseAnswer(hour, { ...state, now: ISSUED + HOUR, failedAt: undefined }), 'refresh', 'expired');
  },
);
