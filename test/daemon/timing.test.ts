import t from 'tap';
import {
  answerLifeMs,
  backOffMs,
  headerLifeMs,
  idTokenLifeMs,
  refreshAheadMs,
  TIMING,
} from '../../daemon/timing.ts';
import { CLIENT_TIMING } from '../../protocol/client.ts';
import { HOUR, MINUTE } from './fixtures/tokens.ts';

const SECOND = 1_000;

t.test('the timing constants have their documented values', async (t) => {
  t.same(TIMING, {
    refreshAtMs: 25 * MINUTE,
    refreshJitterMs: 3 * MINUTE,
    answerLifeMs: 20 * MINUTE,
    longAnswerLifeMs: 61 * MINUTE,
    answerWaitMs: 4_500,
    staleWaitMs: 2 * SECOND,
    usableLifeMs: 5 * SECOND,
    idTokenLifeMs: 5 * MINUTE,
    headerLifeMs: 29 * MINUTE,
    telemetryWaitMs: 200,
    telemetryInterestMs: 60 * MINUTE,
    telemetryRetryMs: 1 * MINUTE,
    tickMs: 15 * SECOND,
    lastExchangeMs: 30 * SECOND,
    lastExchangeGainMs: 10 * MINUTE,
    clockJumpMs: 1 * MINUTE,
    backOffFirstMs: 1 * SECOND,
    backOffLastMs: 5 * MINUTE,
    backOffSoonMs: 30 * SECOND,
    backOffPatienceMs: 60 * MINUTE,
    preflightMs: 3 * SECOND,
    callMs: 15 * SECOND,
    connectMs: 5 * SECOND,
    keepAliveMs: 4 * SECOND,
    lostReplyTries: 3,
    lostReplyRetryMs: 1 * SECOND,
    refusalProofMs: 1 * MINUTE,
    refusalMemoryMs: 5 * MINUTE,
    lockMs: 20 * SECOND,
    lockBrieflyMs: 3 * SECOND,
    lockPollMs: 100,
    clockSetMs: 2 * SECOND,
    skewAgreementMs: 5 * SECOND,
    skewMinMs: 15 * SECOND,
    retryOnDemandMs: 1 * SECOND,
    signInLifeMs: 5 * MINUTE,
    deviceLifeMs: 15 * MINUTE,
    deviceIntervalMs: 5 * SECOND,
    deviceSlowDownMs: 5 * SECOND,
    deviceBackOffMs: 30 * SECOND,
    callbackLingerMs: 5 * SECOND,
    signInMemoryMs: 1 * MINUTE,
    unansweredPages: 3,
    keyringMs: 10 * SECOND,
    storeRetryMs: 30 * SECOND,
    drainMs: 5 * SECOND,
    drainPollMs: 250,
  });
});

t.test('a token for telemetry outlives 29 minutes where the provider lets it', async (t) => {
  t.equal(headerLifeMs(), 29 * MINUTE);
  t.equal(headerLifeMs(HOUR), 29 * MINUTE);
  t.equal(headerLifeMs(31 * MINUTE), 15.5 * MINUTE, 'not at every call');
  t.equal(headerLifeMs(5 * MINUTE), 2.5 * MINUTE);
});

t.test('the timing constants fit together', async (t) => {
  t.ok(TIMING.telemetryWaitMs < 300, 'Claude Code\u2019s screen stands still no longer');
  t.ok(TIMING.telemetryInterestMs > TIMING.headerLifeMs, 'it asks again before it is forgotten');
  t.ok(TIMING.telemetryRetryMs > 2 * TIMING.tickMs, 'one tick may be late');
  t.ok(TIMING.refreshAtMs - TIMING.refreshJitterMs > TIMING.answerLifeMs, 'refreshed before an answer waits');
  t.ok(TIMING.answerLifeMs > 15 * MINUTE, 'more than botocore and .NET ask for');
  t.ok(TIMING.answerWaitMs < CLIENT_TIMING.answerMs, 'a caller is told why, rather than that nobody answers');
  t.ok(TIMING.staleWaitMs < CLIENT_TIMING.answerMs, 'a caller gets what is there before it gives up');
  t.ok(60 % (TIMING.tickMs / SECOND) === 0, 'a cron expression can say it');
  t.ok(TIMING.usableLifeMs < 10 * SECOND, 'Rust\u2019s SDK asks again with 10 s left');
  t.ok(TIMING.lastExchangeMs >= 2 * TIMING.tickMs, 'one tick may be late');
  t.ok(
    TIMING.backOffSoonMs + TIMING.callMs < MINUTE,
    'the end of an outage is noticed within a minute, after a last try that was in vain',
  );
  t.ok(TIMING.lockMs > TIMING.callMs, 'another daemon may be in the middle of a call');
  t.ok(
    TIMING.lostReplyTries * TIMING.callMs < 60 * SECOND,
    'the last try is inside the longest grace a provider gives',
  );
});

t.test(
  'credentials of an identity pool are refreshed with 25 minutes left, three more or less',
  async (t) => {
    t.equal(refreshAheadMs(HOUR, 0), 25 * MINUTE);
    t.equal(refreshAheadMs(HOUR, -1), 22 * MINUTE);
    t.equal(refreshAheadMs(HOUR, 1), 28 * MINUTE);
    t.equal(answerLifeMs(HOUR), 20 * MINUTE);
  },
);

t.test('the boundary of short lifetimes is 50 minutes', async (t) => {
  t.equal(refreshAheadMs(50 * MINUTE, 0), 25 * MINUTE);
  t.equal(answerLifeMs(50 * MINUTE), 20 * MINUTE);
  t.equal(refreshAheadMs(50 * MINUTE - 2, 0), 25 * MINUTE - 1, 'half their life');
  t.equal(answerLifeMs(48 * MINUTE), 16 * MINUTE, 'a third of their life');
  t.equal(refreshAheadMs(50 * MINUTE - 2, 1), 25 * MINUTE - 1, 'without jitter');
});

t.test('sessions of many hours keep more than an hour of time left', async (t) => {
  for (const lifetime of [122 * MINUTE, 12 * HOUR]) {
    t.equal(answerLifeMs(lifetime), 61 * MINUTE);
    for (const jitter of [-1, 0, 1]) {
      const ahead = refreshAheadMs(lifetime, jitter);
      t.equal(ahead, (67 + 3 * jitter) * MINUTE);
      t.ok(ahead > answerLifeMs(lifetime), 'nobody waits for it');
      t.ok(ahead < lifetime, 'and not at once');
    }
  }
  t.equal(answerLifeMs(122 * MINUTE - 1), 20 * MINUTE);
  t.equal(refreshAheadMs(122 * MINUTE - 1, 0), 25 * MINUTE);
});

t.test('credentials of a minute are refreshed at half their life', async (t) => {
  t.equal(refreshAheadMs(MINUTE, 0), 30 * SECOND);
  t.equal(answerLifeMs(MINUTE), 20 * SECOND);
});

t.test('for every lifetime the refresh comes before a caller must wait, and not at once', async (t) => {
  for (let lifetime = MINUTE; lifetime <= 12 * HOUR; lifetime += 7 * SECOND) {
    for (const jitter of [-1, 1]) {
      const ahead = refreshAheadMs(lifetime, jitter);
      if (!(ahead > answerLifeMs(lifetime) && ahead < lifetime))
        t.fail(`${lifetime} ms with jitter ${jitter}`);
    }
  }
});

t.test('an ID token is used to its last five minutes, a short one to its last quarter', async (t) => {
  t.equal(idTokenLifeMs(HOUR), 5 * MINUTE);
  t.equal(idTokenLifeMs(20 * MINUTE), 5 * MINUTE);
  t.equal(idTokenLifeMs(5 * MINUTE), 75 * SECOND, 'Keycloak\u2019s');
  t.equal(idTokenLifeMs(MINUTE), 15 * SECOND);
});

t.test('the back-off doubles from one second to five minutes', async (t) => {
  const ceilings = Array.from({ length: 12 }, (_, failure) => backOffMs(failure + 1, 1) / SECOND);
  t.same(ceilings, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
  t.equal(backOffMs(5, 0), 0, 'full jitter begins at nothing');
  t.equal(backOffMs(5, 0.5), 8 * SECOND);
  t.equal(backOffMs(10_000, 1), 5 * MINUTE, 'after days too');
  t.equal(backOffMs(10_000, 1, 30 * SECOND), 30 * SECOND, 'or to another last ceiling');
  t.equal(backOffMs(4, 1, 30 * SECOND), 8 * SECOND);
});
