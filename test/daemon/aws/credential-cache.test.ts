import t from 'tap';
import { type AwsCredentials, type Federation, StaleIdToken } from '../../../daemon/aws/aws-calls.ts';
import { createCredentialCache } from '../../../daemon/aws/credential-cache.ts';
import type { IdToken } from '../../../daemon/oidc/tokens.ts';
import { createSession } from '../../../daemon/session/session.ts';
import { TIMING } from '../../../daemon/timing.ts';
import { CcwbError, loginRequired } from '../../../protocol/errors.ts';
import {
  codeOf,
  fakeClock,
  gate,
  memoryLog,
  noLocks,
  rejection,
  settled,
} from '../../../tools/support/daemon-edges.ts';
import { memoryStore, storedSession } from '../fixtures/memory-store.ts';
import { awsCredentialsFor, fakeOidc, HOUR, idTokenFor, MINUTE } from '../fixtures/tokens.ts';

const unreachable = () => new CcwbError('ERR_AWS_UNREACHABLE', 'no answer', 'wait');

type Options = { lifetimeMs?: number; random?: number; signedIn?: boolean };

/** A cache over a real session, with a provider and an AWS whose answers the test decides. */
function open({ lifetimeMs = HOUR, random = 0.5, signedIn = true }: Options = {}) {
  const clock = fakeClock();
  const oidc = fakeOidc(clock);
  const store = memoryStore(signedIn ? { key: storedSession('rt-1') } : {});
  const { log, lines } = memoryLog();
  const session = createSession('key', oidc, store, { clock, log, lockCredential: noLocks });
  const asked: IdToken[] = [];
  const aws = {
    answer: async (_: IdToken): Promise<AwsCredentials> => awsCredentialsFor(clock, lifetimeMs),
  };
  const federation: Federation = {
    credentials: async (idToken) => {
      asked.push(idToken);
      return aws.answer(idToken);
    },
  };
  const cache = createCredentialCache('ClaudeCode', session, federation, {
    clock,
    log,
    random: () => random,
  });
  return { clock, oidc, session, store, aws, asked, lines, cache };
}

t.test('fresh credentials come from memory', async (t) => {
  const { cache, asked, oidc } = open();
  const first = await cache.get();
  for (let call = 0; call < 200; call += 1) t.equal(await cache.get(), first);
  t.equal(cache.peek(), first);
  t.equal(asked.length, 1);
  t.equal(oidc.spent.length, 1);
});

t.test('two hundred callers with nothing in memory make one request', async (t) => {
  const { cache, aws, asked, clock } = open();
  const answer = gate();
  const fresh = awsCredentialsFor(clock);
  aws.answer = async () => {
    await answer.promise;
    return fresh;
  };
  const callers = Array.from({ length: 200 }, () => cache.get());
  await settled();
  answer.open();
  for (const credentials of await Promise.all(callers)) t.equal(credentials, fresh);
  t.equal(asked.length, 1);
});

t.test('without a sign-in every caller gets ERR_LOGIN_REQUIRED at once', async (t) => {
  const { cache, asked, lines, clock } = open({ signedIn: false });
  for (let call = 0; call < 3; call += 1) t.equal(await codeOf(cache.get()), 'ERR_LOGIN_REQUIRED');
  t.same(asked, []);
  t.equal(cache.view().problem, undefined, 'waiting for a person is no problem to report');
  t.equal(cache.view().nextRefreshAt, null);
  t.same(lines, []);
  clock.advance(HOUR);
  await cache.refreshIfDue();
  t.same(asked, [], 'and the scheduler has nothing to do');
});

t.test('credentials are refreshed ahead of time while callers get the current ones', async (t) => {
  const { cache, aws, asked, clock } = open();
  const first = await cache.get();
  clock.advance(HOUR - TIMING.refreshAtMs - 1);
  t.equal(await cache.get(), first);
  await settled();
  t.equal(asked.length, 1, 'not before it is due');
  clock.advance(1);
  const answer = gate<AwsCredentials>();
  aws.answer = () => answer.promise;
  t.equal(await cache.get(), first, 'the caller gets what is there');
  await settled();
  t.equal(asked.length, 2, 'while better ones are on their way');
  const second = awsCredentialsFor(clock);
  answer.open(second);
  await settled();
  t.equal(await cache.get(), second);
});

t.test('a caller waits for better credentials when less than twenty minutes are left', async (t) => {
  const { cache, clock } = open();
  const first = await cache.get();
  clock.advance(HOUR - TIMING.answerLifeMs);
  const second = await cache.get();
  t.not(second, first);
  t.equal(second.expiresAt - clock.now(), HOUR);
});

t.test('valid credentials are returned while the refresh fails', async (t) => {
  const { cache, aws, clock, asked } = open({ random: 1 });
  const first = await cache.get();
  aws.answer = async () => {
    throw unreachable();
  };
  clock.advance(50 * MINUTE);
  t.equal(await cache.get(), first);
  t.equal(cache.view().problem?.error.code, 'ERR_AWS_UNREACHABLE', 'status tells what is wrong');
  t.equal(asked.length, 2);
  t.equal(await cache.get(), first, 'during the back-off too');
  t.equal(asked.length, 2, 'without another try');
  clock.set(first.expiresAt - TIMING.usableLifeMs - 1);
  t.equal(await cache.get(), first, 'to the last usable moment');
  clock.advance(1);
  t.equal(await codeOf(cache.get()), 'ERR_AWS_UNREACHABLE', 'an error only when nothing is left');
  t.equal(cache.peek(), undefined);
});

t.test('credentials stay valid after the provider has ended the session', async (t) => {
  const { cache, oidc, clock } = open();
  const first = await cache.get();
  oidc.onRefresh = async () => {
    throw loginRequired();
  };
  clock.advance(57 * MINUTE);
  t.equal(await cache.get(), first);
  clock.advance(3 * MINUTE);
  t.equal(await codeOf(cache.get()), 'ERR_LOGIN_REQUIRED');
});

t.test('a wait for better credentials is bounded', async (t) => {
  const { cache, aws, clock } = open();
  const first = await cache.get();
  const answer = gate<AwsCredentials>();
  aws.answer = () => answer.promise;
  clock.advance(50 * MINUTE);
  t.equal(await cache.get(), first, 'AWS never answers, the caller gets what is there');
  const second = awsCredentialsFor(clock);
  answer.open(second);
  await settled();
  t.equal(await cache.get(), second, 'the late answer is not lost');
});

t.test('all callers share one request', async (t) => {
  const { cache, aws, asked, clock } = open();
  await cache.get();
  clock.advance(50 * MINUTE);
  const answer = gate<AwsCredentials>();
  aws.answer = () => answer.promise;
  const all = [cache.get(), cache.refresh(), cache.refreshIfDue(), cache.get(), cache.refresh()];
  await settled();
  answer.open(awsCredentialsFor(clock));
  await Promise.all(all);
  t.equal(asked.length, 2);
});

t.test(
  'after a sign-in the first caller refreshes and the page of the sign-in waits for nothing',
  async (t) => {
    const { cache, session, asked, clock } = open();
    const former = await cache.get();
    const idToken = idTokenFor(clock);
    await session.completeSignIn({ idToken, refreshToken: 'rt-2' });
    cache.onSignIn(idToken.claims.sub);
    const ofSignIn = await cache.getAfterSignIn();
    t.not(ofSignIn, former, 'those of the former ID token are replaced');
    t.equal(await cache.getAfterSignIn(), ofSignIn);
    t.equal(await cache.get(), ofSignIn);
    t.equal(asked.length, 2);
    cache.clear();
    t.not(await cache.getAfterSignIn(), ofSignIn, 'what was cleared does not come back');
  },
);

t.test('failures are retried at growing intervals, with full jitter', async (t) => {
  const { cache, aws, asked, clock, lines } = open({ random: 1 });
  aws.answer = async () => {
    throw unreachable();
  };
  const waits: number[] = [];
  const retry = async (failure: number): Promise<void> => {
    await cache.refreshIfDue();
    t.equal(asked.length, failure);
    const next = cache.view().nextRefreshAt ?? 0;
    waits.push((next - clock.now()) / 1000);
    clock.set(next - 1);
    await cache.refreshIfDue();
    t.equal(asked.length, failure, 'not a millisecond early');
    clock.advance(1);
  };
  for (let failure = 1; failure <= 8; failure += 1) await retry(failure);
  t.same(waits, [1, 2, 4, 8, 16, 30, 30, 30], 'the end of an outage is noticed soon');
  clock.advance(TIMING.backOffPatienceMs);
  await retry(9);
  await retry(10);
  t.same(waits.slice(8), [256, 300], 'until it has lasted for an hour, with nothing left to lose');
  t.match(lines.at(-1), { level: 'warn', fields: { code: 'ERR_AWS_UNREACHABLE', retryMs: 300_000 } });
  cache.onWakeUp();
  await cache.refreshIfDue();
  t.equal((cache.view().nextRefreshAt ?? 0) - clock.now(), 1_000, 'and all over again after a wake-up');
});

t.test('the end of an outage is noticed soon while valid credentials wait to be renewed', async (t) => {
  const { cache, aws, clock } = open({ random: 1 });
  const { expiresAt } = await cache.get();
  const wait = async (error: CcwbError): Promise<number> => {
    aws.answer = async () => {
      throw error;
    };
    await rejection(cache.refresh());
    return ((cache.view().nextRefreshAt ?? 0) - clock.now()) / 1000;
  };
  clock.set(expiresAt - TIMING.refreshAtMs);
  const waits: number[] = [];
  for (let failure = 1; failure <= 7; failure += 1) waits.push(await wait(unreachable()));
  t.same(waits, [1, 2, 4, 8, 16, 30, 30]);
  clock.advance(TIMING.refreshAtMs - TIMING.usableLifeMs - 1);
  t.equal(await wait(unreachable()), 30, 'to the last usable moment');
  t.equal(
    await wait(new CcwbError('ERR_AWS_DENIED', 'no', 'ask')),
    256,
    'not of what does not pass by itself',
  );
});

t.test('a caller without valid credentials causes a retry, at most once a second', async (t) => {
  const { cache, aws, asked, clock } = open({ random: 1 });
  aws.answer = async () => {
    throw unreachable();
  };
  for (let failure = 0; failure < 5; failure += 1) {
    await cache.refreshIfDue();
    clock.set(cache.view().nextRefreshAt ?? 0);
  }
  await cache.refreshIfDue();
  const before = asked.length;
  t.equal(await codeOf(cache.get()), 'ERR_AWS_UNREACHABLE');
  t.equal(asked.length, before, 'the answer of a moment ago');
  clock.advance(TIMING.retryOnDemandMs);
  t.equal(await codeOf(cache.get()), 'ERR_AWS_UNREACHABLE');
  t.equal(asked.length, before + 1, 'a new try, though the scheduler would still wait');
});

t.test('a success ends the back-off and the problem', async (t) => {
  const { cache, aws, clock } = open({ random: 1 });
  const answer = aws.answer;
  aws.answer = async () => {
    throw unreachable();
  };
  await rejection(cache.get());
  aws.answer = answer;
  clock.advance(TIMING.retryOnDemandMs);
  const fresh = await cache.get();
  t.equal(cache.view().problem, undefined);
  t.equal(cache.view().nextRefreshAt, fresh.expiresAt - TIMING.refreshAtMs - TIMING.refreshJitterMs);
});

t.test('an ID token that AWS finds expired is replaced once', async (t) => {
  t.test('a second answer with credentials counts', async (t) => {
    const { cache, aws, asked, clock, oidc } = open();
    const fresh = awsCredentialsFor(clock);
    aws.answer = async () => {
      if (asked.length === 1) throw new StaleIdToken('expired');
      return fresh;
    };
    t.equal(await cache.get(), fresh);
    t.equal(oidc.spent.length, 2);
    t.not(asked[0]?.jwt, asked[1]?.jwt);
  });
  t.test('a second rejection is an error of the clock or of AWS', async (t) => {
    const { cache, aws, asked } = open();
    aws.answer = async () => {
      throw new StaleIdToken('expired');
    };
    const error = await rejection(cache.get());
    t.match(error, { code: 'ERR_AWS_DENIED', fix: /clock/ });
    t.equal(asked.length, 2);
  });
  t.test('the session is kept', async (t) => {
    const { cache, aws, session, store } = open();
    aws.answer = async () => {
      throw new StaleIdToken('expired');
    };
    await rejection(cache.get());
    t.equal(session.view().signedIn, true);
    t.equal(store.items.size, 1);
  });
});

t.test('credentials that arrive after sign-out belong to nobody', async (t) => {
  const { cache, aws, clock, session } = open();
  const answer = gate<AwsCredentials>();
  aws.answer = () => answer.promise;
  const caller = codeOf(cache.get());
  await settled();
  cache.onSignOut();
  await session.signOut();
  answer.open(awsCredentialsFor(clock));
  t.equal(await caller, 'ERR_LOGIN_REQUIRED');
  t.equal(cache.peek(), undefined);
  t.equal(cache.view().problem, undefined);
});

t.test('a failure that arrives after sign-out does not count', async (t) => {
  const { cache, aws } = open();
  const answer = gate<AwsCredentials>();
  aws.answer = () => answer.promise;
  const caller = rejection(cache.get());
  await settled();
  cache.onSignOut();
  answer.fail(unreachable());
  await caller;
  t.equal(cache.view().problem, undefined);
});

t.test('the next caller after a sign-out during a refresh starts another', async (t) => {
  const { cache, aws, clock, asked } = open();
  const old = gate<AwsCredentials>();
  aws.answer = () => old.promise;
  const first = rejection(cache.get());
  await settled();
  cache.onSignOut();
  const fresh = awsCredentialsFor(clock);
  aws.answer = async () => fresh;
  t.equal(await cache.get(), fresh);
  old.open(awsCredentialsFor(clock));
  await first;
  t.equal(cache.peek(), fresh, 'the older answer does not replace the newer');
  t.equal(asked.length, 2);
});

t.test('clearing removes the credentials in memory and keeps the session', async (t) => {
  const { cache, aws, clock, asked } = open();
  t.equal(cache.clear(), false, 'there was nothing');
  const first = await cache.get();
  t.equal(cache.clear(), true);
  t.equal(cache.peek(), undefined);
  const answer = gate<AwsCredentials>();
  aws.answer = () => answer.promise;
  const caller = cache.get();
  await settled();
  cache.clear();
  const second = awsCredentialsFor(clock);
  answer.open(second);
  t.equal(await caller, second, 'a caller that waits gets what comes');
  t.not(second, first);
  t.equal(asked.length, 2);
});

t.test('credentials of one user are not returned to the next', async (t) => {
  t.test('credentials in memory are removed', async (t) => {
    const { cache, session, clock } = open();
    const first = await cache.get();
    const idToken = idTokenFor(clock, { sub: 'user-2' });
    await session.completeSignIn({ idToken, refreshToken: 'rt-2' });
    cache.onSignIn('user-2');
    t.equal(cache.peek(), undefined);
    t.not(await cache.get(), first);
  });
  t.test('credentials of a refresh in progress are replaced', async (t) => {
    const { cache, aws, session, clock, asked } = open();
    const old = gate<AwsCredentials>();
    aws.answer = () => old.promise;
    const caller = cache.get();
    await settled();
    const idToken = idTokenFor(clock, { sub: 'user-2' });
    await session.completeSignIn({ idToken, refreshToken: 'rt-2' });
    cache.onSignIn('user-2');
    const fresh = awsCredentialsFor(clock);
    aws.answer = async () => fresh;
    old.open(awsCredentialsFor(clock));
    t.equal(await caller, fresh);
    t.equal(cache.peek(), fresh);
    t.same(
      asked.map(({ claims }) => claims.sub),
      ['user-1', 'user-2'],
    );
  });
});

t.test('a user who signs in again keeps valid credentials', async (t) => {
  const { cache, session, clock } = open();
  const first = await cache.get();
  await session.completeSignIn({ idToken: idTokenFor(clock), refreshToken: 'rt-2' });
  cache.onSignIn('user-1');
  t.equal(await cache.get(), first);
});

t.test('a new sign-in of the same user forgets earlier failures', async (t) => {
  const { cache, aws, clock } = open({ random: 1 });
  const answer = aws.answer;
  aws.answer = async () => {
    throw unreachable();
  };
  await rejection(cache.get());
  aws.answer = answer;
  cache.onSignIn('user-1');
  t.equal(cache.view().problem, undefined);
  t.equal(cache.view().nextRefreshAt, clock.now(), 'due at once');
  t.ok(await cache.get());
});

t.test('the scheduler refreshes only credentials that are due', async (t) => {
  const { cache, asked, clock } = open();
  await cache.refreshIfDue();
  t.equal(asked.length, 1, 'a restored session gets credentials before anybody asks');
  clock.advance(35 * MINUTE - 1);
  await cache.refreshIfDue();
  t.equal(asked.length, 1);
  clock.advance(1);
  await cache.refreshIfDue();
  t.equal(asked.length, 2);
  t.equal(cache.view().expiresAt, clock.now() + HOUR);
});

t.test('the jitter of a daemon is constant and within three minutes', async (t) => {
  for (const [random, minutesAhead] of [
    [0, 22],
    [0.5, 25],
    [1, 28],
  ] as const) {
    const { cache } = open({ random });
    const { expiresAt } = await cache.get();
    t.equal(cache.view().nextRefreshAt, expiresAt - minutesAhead * MINUTE);
  }
});

t.test('very short credentials are refreshed at half their life', async (t) => {
  const { cache, asked, clock } = open({ lifetimeMs: MINUTE });
  await cache.get();
  clock.advance(29_999);
  await cache.get();
  await settled();
  t.equal(asked.length, 1);
  clock.advance(1);
  await cache.get();
  await settled();
  t.equal(asked.length, 2);
});

t.test('a caller gets new credentials after a sleep in which the old ones expired', async (t) => {
  const { cache, clock } = open();
  const first = await cache.get();
  clock.advance(9 * HOUR);
  t.equal(cache.view().expiresAt, null);
  const second = await cache.get();
  t.not(second, first);
  t.equal(second.expiresAt, clock.now() + HOUR);
});

t.test('a clock that was set back changes neither retries nor lifetimes', async (t) => {
  t.test('the retries of a failed refresh continue', async (t) => {
    const { cache, aws, asked, clock } = open({ random: 1 });
    aws.answer = async () => {
      throw unreachable();
    };
    await rejection(cache.get());
    clock.advance(-2 * HOUR);
    await rejection(cache.get());
    t.equal(asked.length, 2, 'a caller makes us try again');
    clock.set(cache.view().nextRefreshAt ?? 0);
    clock.advance(-2 * HOUR);
    await cache.refreshIfDue();
    t.equal(asked.length, 3, 'and so does the tick');
  });
  t.test('the credentials do not live longer', async (t) => {
    const { cache, asked, clock } = open();
    await cache.get();
    clock.advance(-2 * HOUR);
    await cache.refreshIfDue();
    t.equal(asked.length, 2, 'more life left than they ever had: the clock moved');
  });
});

t.test('a provider that sends no ID token is not asked at every tick', async (t) => {
  const { cache, oidc, clock } = open({ random: 1 });
  oidc.onRefresh = async () => ({ idToken: undefined, refreshToken: undefined });
  for (let tick = 0; tick < 20; tick += 1) {
    await cache.refreshIfDue();
    clock.advance(TIMING.tickMs);
  }
  t.ok(oidc.spent.length < 10, 'five minutes of ticks');
});

t.test(
  'the log shows profile, duration and the last four characters of the key, and no secret',
  async (t) => {
    const { cache, lines, aws, clock } = open();
    const { accessKeyId, secretAccessKey, sessionToken } = await cache.get();
    t.match(
      lines.find(({ event }) => event === 'credentials refreshed'),
      { fields: { profile: 'ClaudeCode', keyId: accessKeyId.slice(-4), lifeMs: HOUR } },
    );
    aws.answer = async () => {
      throw Object.assign(new Error(`quotes ${sessionToken}`), { name: 'Fault' });
    };
    clock.advance(HOUR);
    t.equal(await codeOf(cache.get()), 'ERR_INTERNAL');
    const text = JSON.stringify(lines);
    for (const secret of [accessKeyId, secretAccessKey, sessionToken, 'id-token-', 'rt-1'])
      t.notOk(text.includes(`${secret}`), secret.slice(0, 4));
  },
);

t.test('a valid ID token is exchanged without a refresh', async (t) => {
  const { cache, session, oidc, clock, asked } = open({ signedIn: false });
  const idToken = idTokenFor(clock, { lifeMs: 24 * HOUR });
  await session.completeSignIn({ idToken, refreshToken: 'rt-1' });
  for (let hour = 0; hour < 5; hour += 1) {
    await cache.refresh();
    clock.advance(HOUR);
  }
  t.equal(asked.length, 5);
  t.same(oidc.spent, []);
});

t.test(
  'the ID token is exchanged once more before its end, to put off the next use of the refresh token',
  async (t) => {
    const { cache, clock, oidc, asked } = open();
    await cache.get();
    const start = clock.now();
    const exchanges: number[] = [];
    const grants: number[] = [];
    for (let now = start; now < start + 3 * HOUR; now += TIMING.tickMs) {
      clock.set(now);
      const before = [asked.length, oidc.spent.length] as const;
      await cache.refreshIfDue();
      if (asked.length > before[0]) exchanges.push((now - start) / MINUTE);
      if (oidc.spent.length > before[1]) grants.push((now - start) / MINUTE);
    }
    t.same(exchanges, [35, 54.5, 89.5, 124.5, 144, 179]);
    t.same(grants, [89.5, 179], 'once in an hour and a half, not in 70 minutes');
  },
);

t.test('an exchange that would gain only a few minutes is not made', async (t) => {
  const { cache, clock, oidc, asked } = open();
  oidc.onRefresh = async () => ({
    idToken: idTokenFor(clock, { lifeMs: 5 * MINUTE }),
    refreshToken: undefined,
  });
  await cache.get();
  const start = clock.now();
  for (let now = start; now < start + 34 * MINUTE; now += TIMING.tickMs) {
    clock.set(now);
    await cache.refreshIfDue();
  }
  t.equal(asked.length, 1);
});

t.test('a wake-up ends the back-off', async (t) => {
  const { cache, aws, clock } = open();
  aws.answer = async () => {
    throw unreachable();
  };
  await rejection(cache.get());
  for (let call = 0; call < 8; call += 1) await rejection(cache.refresh());
  const { nextRefreshAt } = cache.view();
  t.ok(nextRefreshAt !== null && nextRefreshAt > clock.now());
  cache.onWakeUp();
  t.equal(cache.view().nextRefreshAt, clock.now());
});

t.test('a caller without valid credentials gets ERR_REFRESH_PENDING before it gives up', async (t) => {
  const { cache, aws, clock } = open();
  const answer = gate();
  aws.answer = async () => {
    await answer.promise;
    return awsCredentialsFor(clock);
  };
  t.equal(await codeOf(cache.get()), 'ERR_REFRESH_PENDING');
  t.equal(cache.view().problem, undefined, 'nothing has failed yet');
  answer.open();
  t.ok(await cache.get(), 'and the next one gets what was fetched');
});
