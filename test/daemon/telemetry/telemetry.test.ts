import t from 'tap';
import type { IdToken } from '../../../daemon/oidc/tokens.ts';
import { createTelemetry } from '../../../daemon/telemetry/telemetry.ts';
import { loginRequired } from '../../../protocol/errors.ts';
import { codeOf, type FakeClock, fakeClock } from '../../../tools/support/daemon-edges.ts';
import { idTokenFor, MINUTE } from '../fixtures/tokens.ts';

/** A session whose provider gives tokens of this life, counted, until it is told to fail or to hang. */
function session(clock: FakeClock, lifeMs: number) {
  const fake = {
    last: undefined as IdToken | undefined,
    refreshes: 0,
    provider: 'answers' as 'answers' | 'fails' | 'hangs',
    restore: async () => {},
    lastIdToken: () => fake.last,
    idToken: async (_rejected?: IdToken, leastLifeMs = 0): Promise<IdToken> => {
      if (fake.last && fake.last.expiresAt - clock.now() >= Math.max(leastLifeMs, 1)) return fake.last;
      fake.refreshes += 1;
      if (fake.provider === 'hangs') await new Promise(() => {});
      if (fake.provider === 'fails') throw loginRequired();
      fake.last = idTokenFor(clock, { lifeMs, claims: { email: 'ada@example.com', squad: 'blue' } });
      return fake.last;
    },
  };
  return fake;
}

function open(lifeMs = 60 * MINUTE, settings = { sendsIdToken: true, claims: {} }) {
  const clock = fakeClock();
  const fake = session(clock, lifeMs);
  const identityProvider = {
    providerType: 'okta',
    issuer: 'https://a.okta.com',
    loginKey: 'a.okta.com',
  } as const;
  return { clock, fake, telemetry: createTelemetry({ telemetry: settings, identityProvider }, fake, clock) };
}

const PLAIN = { sendsIdToken: false, claims: {} };

t.test('headers come from memory, with the claims of the profile', async (t) => {
  const { fake, telemetry } = open(60 * MINUTE, { sendsIdToken: false, claims: { 'x-team-id': ['squad'] } });
  await fake.idToken();
  const headers = await telemetry.headers();
  t.match(headers, { 'x-user-email': 'ada@example.com', 'x-team-id': 'blue', 'x-organization': 'okta' });
  t.notOk('authorization' in headers, 'the ID token does not go along');
  t.equal(fake.refreshes, 1);
});

t.test('the ID token is sent if the profile says so', async (t) => {
  const { fake, telemetry } = open();
  await fake.idToken();
  t.equal((await telemetry.headers()).authorization, `Bearer ${fake.last?.jwt}`);
});

t.test('a caller without a valid token waits once for a short time', async (t) => {
  const { fake, telemetry, clock } = open(60 * MINUTE, PLAIN);
  t.match(await telemetry.headers(), { 'x-user-email': 'ada@example.com' }, 'the provider answers in time');
  clock.advance(61 * MINUTE);
  fake.provider = 'hangs';
  t.equal(await codeOf(telemetry.headers()), 'ERR_LOGIN_REQUIRED', 'an expired token is none');
  fake.provider = 'fails';
  t.equal(await codeOf(telemetry.headers()), 'ERR_LOGIN_REQUIRED');
});

t.test('a token that only provides claims is used until it expires', async (t) => {
  const { fake, telemetry, clock } = open(60 * MINUTE, PLAIN);
  await fake.idToken();
  clock.advance(60 * MINUTE - 1_000);
  await telemetry.headers();
  t.equal(fake.refreshes, 1);
});

t.test('a token that is sent is refreshed before fewer than 29 minutes are left', async (t) => {
  const { fake, telemetry, clock } = open();
  await telemetry.headers();
  clock.advance(31 * MINUTE);
  await telemetry.headers();
  t.equal(fake.refreshes, 1, '29 minutes are enough');
  clock.advance(1_000);
  await telemetry.headers();
  t.equal(fake.refreshes, 2, 'less are not');
  t.equal((await telemetry.headers()).authorization, `Bearer ${fake.last?.jwt}`);
});

t.test('a valid token is sent while the refresh fails', async (t) => {
  const { fake, telemetry, clock } = open();
  await telemetry.headers();
  clock.advance(50 * MINUTE);
  for (const provider of ['fails', 'hangs'] as const) {
    fake.provider = provider;
    t.equal((await telemetry.headers()).authorization, `Bearer ${fake.last?.jwt}`, provider);
  }
});

t.test('tokens that never live that long are renewed at half their life', async (t) => {
  const { fake, telemetry, clock } = open(5 * MINUTE);
  await telemetry.headers();
  clock.advance(2.4 * MINUTE);
  await telemetry.headers();
  t.equal(fake.refreshes, 1);
  clock.advance(0.2 * MINUTE);
  await telemetry.headers();
  t.equal(fake.refreshes, 2);
});

t.test('the scheduler refreshes early if the headers were requested recently', async (t) => {
  const { fake, telemetry, clock } = open();
  await fake.idToken();
  clock.advance(40 * MINUTE);
  await telemetry.refreshIfDue();
  t.equal(fake.refreshes, 1, 'nobody has asked yet');
  await telemetry.headers();
  t.equal(fake.refreshes, 2);
  clock.advance(29.9 * MINUTE);
  await telemetry.refreshIfDue();
  t.equal(fake.refreshes, 2, 'more than a minute to go');
  clock.advance(0.2 * MINUTE);
  await telemetry.refreshIfDue();
  t.equal(fake.refreshes, 3);
  clock.advance(61 * MINUTE);
  await telemetry.refreshIfDue();
  t.equal(fake.refreshes, 3, 'nobody asks any more');
});

t.test('the scheduler tries at most once a minute and never throws', async (t) => {
  const { fake, telemetry, clock } = open();
  await telemetry.headers();
  fake.provider = 'fails';
  clock.advance(35 * MINUTE);
  for (let tick = 0; tick < 8; tick += 1) {
    await telemetry.refreshIfDue();
    clock.advance(15_000);
  }
  t.equal(fake.refreshes, 3, 'one, and two in two minutes');
});

t.test('the scheduler spends nothing for a profile that sends no token', async (t) => {
  const { fake, telemetry, clock } = open(60 * MINUTE, PLAIN);
  await telemetry.headers();
  clock.advance(59 * MINUTE);
  await telemetry.refreshIfDue();
  t.equal(fake.refreshes, 1);
});
