import t from 'tap';
import type { Federation } from '../../../daemon/aws/aws-calls.ts';
import { createCredentialRefresh } from '../../../daemon/aws/credential-refresh.ts';
import { createSession } from '../../../daemon/session/session.ts';
import { CcwbError } from '../../../protocol/errors.ts';
import { codeOf, fakeClock, gate, memoryLog, noLocks, settled } from '../../../tools/support/daemon-edges.ts';
import { memoryStore, storedSession } from '../fixtures/memory-store.ts';
import { awsCredentialsFor, fakeOidc, HOUR } from '../fixtures/tokens.ts';

function create(refreshToken?: string) {
  const clock = fakeClock();
  const { log, events } = memoryLog();
  const store = memoryStore(refreshToken === undefined ? {} : { key: storedSession(refreshToken) });
  const session = createSession('key', fakeOidc(clock), store, { clock, log, lockCredential: noLocks });
  const federation: Federation = { credentials: async () => awsCredentialsFor(clock) };
  const refresh = createCredentialRefresh('P', session, federation, { clock, log, random: () => 1 });
  return { clock, events, federation, refresh };
}

t.test('concurrent callers share one refresh, and memory keeps its result', async (t) => {
  const { refresh, clock } = create('rt-1');
  const [first, second] = await Promise.all([refresh.run(), refresh.run()]);
  t.equal(first, second);
  t.equal(refresh.usable(), first);
  clock.advance(HOUR);
  t.equal(refresh.usable(), undefined);
  t.equal(refresh.current(), first, 'even if they have expired');
});

t.test('a refresh that a sign-out overtakes leaves nothing', async (t) => {
  const { refresh, federation, clock } = create('rt-1');
  const answer = gate();
  federation.credentials = async () => {
    await answer.promise;
    return awsCredentialsFor(clock);
  };
  const caller = codeOf(refresh.run());
  await settled();
  refresh.onSignOut();
  answer.open();
  t.equal(await caller, 'ERR_LOGIN_REQUIRED');
  t.equal(refresh.current(), undefined);
  t.equal(refresh.failures.problem(), undefined);
});

t.test('a sign-in of another user removes the credentials', async (t) => {
  const { refresh } = create('rt-1');
  const held = await refresh.run();
  refresh.onSignIn('user-1');
  t.equal(refresh.current(), held);
  refresh.onSignIn('user-2');
  t.equal(refresh.current(), undefined);
});

t.test('a failure starts a back-off, and a missing sign-in does not', async (t) => {
  const failing = create('rt-1');
  failing.federation.credentials = async () => {
    throw new CcwbError('ERR_AWS_UNREACHABLE', 'no answer', 'wait');
  };
  t.equal(await codeOf(failing.refresh.run()), 'ERR_AWS_UNREACHABLE');
  t.equal(failing.refresh.failures.isBackingOff(), true);
  t.ok(failing.events().includes('credentials not refreshed'));
  const { refresh } = create();
  t.equal(await codeOf(refresh.run()), 'ERR_LOGIN_REQUIRED');
  t.equal(refresh.failures.isBackingOff(), false);
});
