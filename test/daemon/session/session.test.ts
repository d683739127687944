import t from 'tap';
import { LostReply, UnexplainedRefusal } from '../../../daemon/oidc/provider-errors.ts';
import { UNKNOWN_SUBJECT } from '../../../daemon/oidc/tokens.ts';
import { createSession } from '../../../daemon/session/session.ts';
import { sessionKey } from '../../../daemon/session/stores/secret-store.ts';
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
import { fakeOidc, HOUR, idTokenFor, MINUTE } from '../fixtures/tokens.ts';

const KEY = 'key';

function open(refreshToken?: string) {
  const clock = fakeClock();
  const oidc = fakeOidc(clock);
  const store = memoryStore(refreshToken === undefined ? {} : { [KEY]: storedSession(refreshToken) });
  const { log, lines } = memoryLog();
  return {
    clock,
    oidc,
    store,
    lines,
    session: createSession(KEY, oidc, store, { clock, log, lockCredential: noLocks }),
  };
}

const unreachable = () => new CcwbError('ERR_PROVIDER_UNREACHABLE', 'no answer', 'wait');
const storeFailed = () => new CcwbError('ERR_STORE_FAILED', 'disk full', 'make room');

t.test('concurrent callers share one refresh', async (t) => {
  const { session, oidc, clock } = open('rt-1');
  const answer = gate();
  const fresh = idTokenFor(clock);
  oidc.onRefresh = async () => {
    await answer.promise;
    return { idToken: fresh, refreshToken: undefined };
  };
  const callers = Array.from({ length: 50 }, () => session.idToken());
  await settled();
  answer.open();
  for (const token of await Promise.all(callers)) t.equal(token, fresh);
  t.same(oidc.spent, ['rt-1'], 'one use of the refresh token');
  t.equal(await session.idToken(), fresh, 'and none for later callers while it is good');
  t.equal(oidc.spent.length, 1);
});

t.test('a failed refresh is shared by the callers that wait, and later callers start another', async (t) => {
  const { session, oidc } = open('rt-1');
  const answer = gate();
  oidc.onRefresh = async () => {
    await answer.promise;
    throw unreachable();
  };
  const callers = [session.idToken(), session.idToken()].map(codeOf);
  await settled();
  answer.open();
  t.same(await Promise.all(callers), ['ERR_PROVIDER_UNREACHABLE', 'ERR_PROVIDER_UNREACHABLE']);
  t.equal(oidc.spent.length, 1);
  await rejection(session.idToken());
  t.equal(oidc.spent.length, 2);
});

t.test('a rotated refresh token is stored before the reply is verified', async (t) => {
  const { session, oidc, store } = open('rt-1');
  oidc.onRefresh = async (_, onRefreshToken) => {
    await onRefreshToken('rt-2');
    t.equal(store.session(KEY)?.refreshToken, 'rt-2', 'it is in the store when the observer returns');
    throw new CcwbError('ERR_ID_TOKEN_INVALID', 'bad signature', 'look');
  };
  t.equal(await codeOf(session.idToken()), 'ERR_ID_TOKEN_INVALID');
  t.equal(session.view().signedIn, true, 'a reply that cannot be verified costs no session');
  t.match(store.session(KEY), { refreshToken: 'rt-2', subject: 'user-1', user: 'ada@example.com' });
  await rejection(session.idToken());
  t.same(oidc.spent, ['rt-1', 'rt-2'], 'the next refresh spends the new one');
});

t.test('the reply is held back until the new refresh token is stored', async (t) => {
  const { session, oidc, store, clock } = open('rt-1');
  const disk = gate();
  let written = false;
  store.before = async (operation) => {
    if (operation === 'write') await disk.promise;
  };
  oidc.onRefresh = async (_, onRefreshToken) => {
    await onRefreshToken('rt-2');
    written = true;
    return { idToken: idTokenFor(clock), refreshToken: 'rt-2' };
  };
  const caller = session.idToken();
  await settled();
  t.equal(written, false);
  disk.open();
  await caller;
  t.equal(store.session(KEY)?.refreshToken, 'rt-2');
});

t.test('a refresh token known not to rotate is spent without a write', async (t) => {
  const { session, oidc, store, clock } = open('rt-1');
  oidc.onRefresh = async (spent, onRefreshToken) => {
    await onRefreshToken(spent);
    return { idToken: idTokenFor(clock), refreshToken: spent };
  };
  await session.idToken();
  t.same(store.session(KEY), { ...storedSession('rt-1'), rotates: false });
  store.calls.length = 0;
  clock.advance(HOUR);
  await session.idToken();
  t.same(store.calls, ['read']);
});

t.test('invalid_grant ends the session only after the store was read again', async (t) => {
  t.test(
    'a token that another process has rotated is spent instead, and the session continues',
    async (t) => {
      const { session, oidc, store, clock } = open('rt-1');
      const fresh = idTokenFor(clock);
      oidc.onRefresh = async (spent) => {
        if (spent !== 'rt-1') return { idToken: fresh, refreshToken: undefined };
        store.items.set(KEY, JSON.stringify(storedSession('rt-other')));
        throw loginRequired();
      };
      t.equal(await session.idToken(), fresh);
      t.same(oidc.spent, ['rt-1', 'rt-other']);
      t.equal(session.view().signedIn, true);
      t.equal(store.session(KEY)?.refreshToken, 'rt-other', 'the winner keeps its token');
    },
  );

  t.test('a refused token that is still the stored one clears session and store', async (t) => {
    const { session, oidc, store } = open('rt-1');
    oidc.onRefresh = async () => {
      throw loginRequired();
    };
    t.equal(await codeOf(session.idToken()), 'ERR_LOGIN_REQUIRED');
    t.same(store.calls, ['read', 'read', 'write', 'read', 'remove']);
    t.equal(store.items.size, 0);
    t.equal(session.view().signedIn, false);
    t.equal(await codeOf(session.idToken()), 'ERR_LOGIN_REQUIRED');
    t.same(oidc.spent, ['rt-1'], 'a dead token is not tried again');
  });

  t.test('a second refused token, from another process, ends the session', async (t) => {
    const { session, oidc, store } = open('rt-1');
    oidc.onRefresh = async (spent) => {
      store.items.set(KEY, JSON.stringify(storedSession(`${spent}+`)));
      throw loginRequired();
    };
    t.equal(await codeOf(session.idToken()), 'ERR_LOGIN_REQUIRED');
    t.same(oidc.spent, ['rt-1', 'rt-1+']);
    t.equal(session.view().signedIn, false);
  });
});

t.test('nothing but invalid_grant ends a session', async (t) => {
  const faults: Error[] = [
    unreachable(),
    new CcwbError('ERR_PROVIDER_INVALID', 'html', 'look'),
    new CcwbError('ERR_PROVIDER_REJECTED', 'invalid_client', 'look'),
    new CcwbError('ERR_ID_TOKEN_INVALID', 'expired', 'look'),
    new TypeError('a defect'),
  ];
  for (const fault of faults) {
    const { session, oidc, store, clock } = open('rt-1');
    oidc.onRefresh = async () => {
      throw fault;
    };
    t.equal(await rejection(session.idToken()), fault);
    t.equal(session.view().signedIn, true);
    t.equal(store.session(KEY)?.refreshToken, 'rt-1');
    oidc.onRefresh = async () => ({ idToken: idTokenFor(clock), refreshToken: undefined });
    t.ok(await session.idToken(), `recovers from ${fault.message}`);
  }
});

t.test('an ID token is used until its margin before the end, then refreshed', async (t) => {
  const { session, oidc, clock } = open();
  const first = idTokenFor(clock);
  await session.completeSignIn({ idToken: first, refreshToken: 'rt-1' });
  t.equal(await session.idToken(), first);
  clock.advance(55 * MINUTE - 1);
  t.equal(await session.idToken(), first, 'more than 5 minutes are enough');
  t.same(oidc.spent, []);
  clock.advance(1);
  t.not(await session.idToken(), first, 'exactly 5 are not');
  t.same(oidc.spent, ['rt-1']);
});

t.test(
  'a caller that needs more time left gets a new ID token, or the valid one if the refresh fails',
  async (t) => {
    const { session, oidc, clock } = open('rt-1');
    const first = await session.idToken();
    clock.advance(35 * MINUTE);
    t.equal(await session.idToken(undefined, 25 * MINUTE), first, 'enough is enough');
    oidc.onRefresh = async () => Promise.reject(unreachable());
    t.equal(await session.idToken(undefined, 29 * MINUTE), first, 'while the provider is down');
    oidc.onRefresh = async () => ({ idToken: idTokenFor(clock), refreshToken: undefined });
    const second = await session.idToken(undefined, 29 * MINUTE);
    t.not(second, first);
    t.equal(await session.idToken(), second, 'which serves everybody');
  },
);

t.test('a short-lived ID token is used for three quarters of its life', async (t) => {
  const { session, oidc, clock } = open();
  const first = idTokenFor(clock, { lifeMs: 4 * MINUTE });
  await session.completeSignIn({ idToken: first, refreshToken: 'rt-1' });
  clock.advance(3 * MINUTE - 1);
  t.equal(await session.idToken(), first);
  clock.advance(1);
  await session.idToken();
  t.equal(oidc.spent.length, 1);
});

t.test('an ID token that AWS rejected is not returned again', async (t) => {
  const { session, oidc, clock } = open();
  const first = idTokenFor(clock);
  await session.completeSignIn({ idToken: first, refreshToken: 'rt-1' });
  t.not(await session.idToken(first), first);
  t.equal(oidc.spent.length, 1);
  const alone = open();
  const only = idTokenFor(alone.clock);
  await alone.session.completeSignIn({ idToken: only, refreshToken: undefined });
  t.equal(await codeOf(alone.session.idToken(only)), 'ERR_LOGIN_REQUIRED');
});

t.test('without a refresh token the ID token is used until it expires', async (t) => {
  const { session, clock, oidc, store } = open('rt-of-before');
  const only = idTokenFor(clock);
  await session.completeSignIn({ idToken: only, refreshToken: undefined });
  t.equal(store.items.size, 0, 'the former user\u2019s token does not stay behind');
  clock.advance(HOUR - 1);
  t.equal(await session.idToken(), only);
  t.equal(session.view().signedIn, true);
  clock.advance(1);
  t.equal(await codeOf(session.idToken()), 'ERR_LOGIN_REQUIRED');
  t.equal(session.view().signedIn, false);
  t.same(oidc.spent, []);
});

t.test('a sign-in replaces the former user', async (t) => {
  const { session, clock, store } = open('rt-1');
  for (const sub of ['user-1', 'user-2']) {
    const idToken = idTokenFor(clock, { sub });
    await session.completeSignIn({ idToken, refreshToken: `rt-${sub}` });
    t.equal(await session.idToken(), idToken);
    t.match(store.session(KEY), { refreshToken: `rt-${sub}`, subject: sub });
  }
});

t.test('an imported token belongs to the user of its first refresh', async (t) => {
  for (const successor of ['rt-2', undefined]) {
    const { session, oidc, clock, store } = open();
    store.items.set(KEY, JSON.stringify(storedSession('rt-1', { subject: UNKNOWN_SUBJECT, user: null })));
    oidc.onRefresh = async (_spent, rotated) => {
      if (successor) await rotated(successor);
      const idToken = idTokenFor(clock, { sub: 'user-7', claims: { email: 'ada@example.com' } });
      return { idToken, refreshToken: successor };
    };
    await session.idToken();
    t.same(store.session(KEY), {
      ...storedSession(successor ?? 'rt-1', { subject: 'user-7' }),
      rotates: successor !== undefined,
    });
    t.match(session.view(), { signedIn: true, user: 'ada@example.com' });
  }
});

t.test('the store is read only after the former spender of its token has stopped', async (t) => {
  const clock = fakeClock();
  const store = memoryStore({ [KEY]: storedSession('rt-1') });
  const former = gate();
  const oidc = fakeOidc(clock);
  const session = createSession(
    KEY,
    oidc,
    store,
    { clock, log: memoryLog().log, lockCredential: noLocks },
    () => former.promise,
  );
  const restoring = session.restore();
  await settled();
  t.same(store.calls, []);
  store.items.set(KEY, JSON.stringify(storedSession('rt-2')));
  former.open();
  await restoring;
  await session.idToken();
  t.same(oidc.spent, ['rt-2'], 'what it left there is what is spent');
});

t.test('concurrent callers read the store once', async (t) => {
  const { session, store } = open('rt-1');
  await Promise.all([session.restore(), session.restore(), session.idToken()]);
  await session.restore();
  t.same(store.calls, ['read', 'read', 'write', 'write'], 'once by them, once by who spends the token');
});

t.test('a sign-in that finishes while a slow store is read wins', async (t) => {
  const { session, store, clock } = open('rt-old');
  const keyring = gate();
  store.before = async (operation) => {
    if (operation === 'read') await keyring.promise;
  };
  const restoring = session.restore();
  const fresh = idTokenFor(clock);
  const signingIn = session.completeSignIn({ idToken: fresh, refreshToken: 'rt-new' });
  keyring.open();
  await Promise.all([restoring, signingIn]);
  t.equal(await session.idToken(), fresh);
  t.equal(store.session(KEY)?.refreshToken, 'rt-new');
});

t.test('a store that fails does not end the session', async (t) => {
  const { session, store, oidc, clock, lines } = open('rt-1');
  store.before = async (operation) => {
    if (operation === 'write') throw storeFailed();
  };
  oidc.onRefresh = async (spent, onRefreshToken) => {
    await onRefreshToken(`${spent}+`);
    return { idToken: idTokenFor(clock), refreshToken: `${spent}+` };
  };
  t.ok(await session.idToken());
  t.equal(session.view().storeProblem?.code, 'ERR_STORE_FAILED', 'status shows it');
  t.match(
    lines.find(({ event }) => event === 'secret store failed'),
    { level: 'error', fields: { code: 'ERR_STORE_FAILED' } },
  );
  clock.advance(HOUR);
  await session.idToken();
  t.same(oidc.spent, ['rt-1', 'rt-1+'], 'the token in memory is the one that is spent');
  store.before = async () => {};
  clock.advance(HOUR);
  await session.idToken();
  t.equal(session.view().storeProblem, undefined);
  t.equal(store.session(KEY)?.refreshToken, 'rt-1+++');
});

t.test('a store that could not be read is retried, but not by every caller', async (t) => {
  const { session, store, clock } = open('rt-1');
  store.before = async () => {
    throw new CcwbError('ERR_STORE_LOCKED', 'the keyring is locked', 'unlock it');
  };
  await session.restore();
  t.equal(session.view().storeProblem?.code, 'ERR_STORE_LOCKED');
  t.equal(session.view().signedIn, false);
  await Promise.all([session.restore(), session.restore()]);
  t.same(store.calls, ['read']);
  store.before = async () => {};
  clock.advance(TIMING.storeRetryMs);
  await session.restore();
  t.equal(session.view().signedIn, true, 'once the keyring is unlocked');
  t.equal(session.view().storeProblem, undefined);
});

t.test('callers get the error of a locked keyring, not a request to sign in', async (t) => {
  const { session, store } = open('rt-1');
  store.before = async () => {
    throw new CcwbError('ERR_STORE_LOCKED', 'the keyring is locked', 'unlock it');
  };
  t.equal(await codeOf(session.idToken()), 'ERR_STORE_LOCKED', 'not "nobody is signed in"');
});

t.test('signing out revokes the refresh token and forgets everything', async (t) => {
  const { session, oidc, store, clock } = open();
  await session.completeSignIn({ idToken: idTokenFor(clock), refreshToken: 'rt-1' });
  t.same(await session.signOut(), { wasSignedIn: true, revoked: true });
  t.same(oidc.revoked, ['rt-1']);
  t.equal(store.items.size, 0);
  t.same(
    { ...session.view(), storage: '' },
    {
      signedIn: false,
      doubtful: false,
      user: null,
      idTokenUntil: null,
      storage: '',
      storeProblem: undefined,
    },
  );
  t.equal(session.lastIdToken(), undefined);
  t.equal(await codeOf(session.idToken()), 'ERR_LOGIN_REQUIRED');
  t.same(await session.signOut(), { wasSignedIn: false, revoked: false });
  t.equal(oidc.revoked.length, 1, 'nothing is left to revoke');
});

t.test('signing out works before the store was read, and without the provider', async (t) => {
  const { session, oidc, store } = open('rt-1');
  oidc.onRevoke = async () => {
    t.equal(store.items.size, 0, 'the local part comes first');
    throw unreachable();
  };
  t.same(await session.signOut(), { wasSignedIn: true, revoked: false });
  t.same(oidc.revoked, ['rt-1']);
  const silent = open('rt-1');
  silent.oidc.onRevoke = async () => false;
  t.same(await silent.session.signOut(), { wasSignedIn: true, revoked: false });
});

t.test('signing out during a refresh leaves nobody signed in', async (t) => {
  const { session, oidc, store, clock } = open('rt-1');
  const answer = gate();
  oidc.onRefresh = async (_, onRefreshToken) => {
    await answer.promise;
    await onRefreshToken('rt-2');
    return { idToken: idTokenFor(clock), refreshToken: 'rt-2' };
  };
  const caller = rejection(session.idToken());
  await settled();
  const signingOut = session.signOut();
  await settled();
  answer.open();
  await Promise.all([caller, signingOut]);
  t.equal(session.view().signedIn, false, 'memory');
  t.equal(store.items.size, 0, 'store');
  t.ok(oidc.revoked.includes('rt-2'), 'the token that lives is the one that is revoked');
});

t.test('a refresh does not undo a sign-in of another user that happened meanwhile', async (t) => {
  const { session, oidc, store, clock } = open('rt-1');
  const answer = gate();
  oidc.onRefresh = async (_, onRefreshToken) => {
    await answer.promise;
    await onRefreshToken('rt-2');
    return { idToken: idTokenFor(clock), refreshToken: 'rt-2' };
  };
  const caller = rejection(session.idToken());
  await settled();
  const other = idTokenFor(clock, { sub: 'user-2' });
  await session.completeSignIn({ idToken: other, refreshToken: 'rt-of-user-2' });
  answer.open();
  await caller;
  t.equal(session.lastIdToken()?.claims.sub, 'user-2', 'memory');
  t.equal(store.session(KEY)?.refreshToken, 'rt-of-user-2', 'store');
});

t.test('a sign-in during a refresh that ends in invalid_grant is kept', async (t) => {
  const { session, oidc, store, clock } = open('rt-1');
  const answer = gate();
  oidc.onRefresh = async () => {
    await answer.promise;
    throw loginRequired();
  };
  const caller = rejection(session.idToken());
  await settled();
  const disk = gate();
  store.before = async (operation) => {
    if (operation === 'write') await disk.promise;
  };
  const signingIn = session.completeSignIn({ idToken: idTokenFor(clock), refreshToken: 'rt-new' });
  await settled();
  answer.open();
  await settled();
  disk.open();
  await Promise.all([caller, signingIn]);
  t.equal(session.view().signedIn, true, 'the new sign-in stays');
});

t.test('an ID token with little time left is returned while the refresh fails', async (t) => {
  const { session, oidc, clock } = open();
  const first = idTokenFor(clock);
  await session.completeSignIn({ idToken: first, refreshToken: 'rt-1' });
  clock.advance(HOUR - 2 * MINUTE);
  oidc.onRefresh = async () => {
    throw unreachable();
  };
  const given = await session.idToken().catch((error: unknown) => error);
  t.equal(given, first, 'while the refresh fails');
});

t.test('the ID token of the sign-in is used to its end when refreshes bring none', async (t) => {
  const { session, oidc, clock } = open();
  const first = idTokenFor(clock);
  await session.completeSignIn({ idToken: first, refreshToken: 'rt-1' });
  oidc.onRefresh = async () => ({ idToken: undefined, refreshToken: undefined });
  clock.advance(HOUR - 2 * MINUTE);
  const given = await session.idToken().catch((error: unknown) => error);
  t.equal(given, first, 'the ID token of the sign-in is used to its end');
  clock.advance(2 * MINUTE);
  t.not(await codeOf(session.idToken()), 'no error');
  t.equal(session.view().signedIn, false, 'then a new sign-in is possible');
});

t.test('a user is shown by e-mail, else by name, else by subject', async (t) => {
  const { session, clock } = open('rt-1');
  await session.restore();
  t.equal(session.view().user, 'ada@example.com', 'as stored, before the first refresh');
  const cases: [Record<string, unknown>, string][] = [
    [{ email: 'a@b.example', preferred_username: 'p', name: 'n' }, 'a@b.example'],
    [{ email: '', preferred_username: 'p', name: 'n' }, 'p'],
    [{ email: 7, name: 'n' }, 'n'],
    [{}, 'user-1'],
  ];
  for (const [claims, user] of cases) {
    await session.completeSignIn({ idToken: idTokenFor(clock, { claims }), refreshToken: 'rt' });
    t.equal(session.view().user, user);
  }
});

t.test('no token of any kind reaches the log', async (t) => {
  const { session, oidc, clock, lines, store } = open('rt-planted-1');
  oidc.onRefresh = async (_, onRefreshToken) => {
    await onRefreshToken('rt-planted-2');
    throw new CcwbError('ERR_ID_TOKEN_INVALID', 'quotes rt-planted-3', 'x', {
      cause: new Error('quotes rt-planted-4'),
    });
  };
  await rejection(session.idToken());
  store.before = async () => {
    throw new Error('quotes rt-planted-5');
  };
  await session.completeSignIn({ idToken: idTokenFor(clock), refreshToken: 'rt-planted-6' });
  oidc.onRevoke = async () => {
    throw new Error('quotes rt-planted-7');
  };
  await rejection(session.signOut());
  t.ok(lines.length > 3);
  t.notMatch(JSON.stringify(lines), /planted|id-token-\d/);
});

t.test('a session key depends on issuer and client, and shows neither', async (t) => {
  const keyOf = (issuer: string, clientId: string) =>
    sessionKey({ identityProvider: { providerType: 'generic', issuer, loginKey: '' }, clientId });
  const key = keyOf('https://idp.example', 'client');
  t.match(key, /^[0-9a-f]{32}$/, 'fit for a file name');
  t.equal(keyOf('https://idp.example', 'client'), key);
  t.not(keyOf('https://idp.example/', 'client'), key);
  t.not(keyOf('https://idp.example', 'Client'), key);
});

t.test('the token is spent only after the provider has answered a request without effect', async (t) => {
  const { session, oidc, store } = open('rt-1');
  oidc.onReach = async () => {
    throw unreachable();
  };
  t.equal(await codeOf(session.idToken()), 'ERR_PROVIDER_UNREACHABLE');
  t.same(oidc.spent, []);
  t.equal(store.session(KEY)?.spentAt, undefined, 'nothing was noted either');
  oidc.onReach = async () => {
    t.same(oidc.spent, [], 'first of all');
  };
  t.ok(await session.idToken());
  t.equal(oidc.reached, 2);
});

t.test('after a lost reply the same token is sent again at once', async (t) => {
  const { session, oidc, clock, store } = open('rt-1');
  oidc.onRefresh = async (_, onRefreshToken) => {
    if (oidc.spent.length < 3) throw new LostReply(unreachable());
    await onRefreshToken('rt-2');
    return { idToken: idTokenFor(clock), refreshToken: 'rt-2' };
  };
  t.ok(await session.idToken());
  t.same(oidc.spent, ['rt-1', 'rt-1', 'rt-1']);
  t.equal(store.session(KEY)?.refreshToken, 'rt-2');
});

t.test('replies that stay lost end no session', async (t) => {
  const { session, oidc, store } = open('rt-1');
  oidc.onRefresh = async () => {
    throw new LostReply(unreachable());
  };
  t.equal(await codeOf(session.idToken()), 'ERR_PROVIDER_UNREACHABLE');
  t.equal(oidc.spent.length, TIMING.lostReplyTries);
  t.equal(session.view().signedIn, true);
  t.ok(store.session(KEY)?.spentAt, 'the journal keeps that a use of the token had no end');
});

t.test('refusals without a reason require a sign-in once they have lasted a minute', async (t) => {
  const { session, oidc, store, clock } = open('rt-1');
  oidc.onRefresh = async () => {
    throw new UnexplainedRefusal(unreachable());
  };
  t.equal(await codeOf(session.idToken()), 'ERR_PROVIDER_UNREACHABLE', 'it may be a firewall\u2019s hiccup');
  clock.advance(TIMING.refusalProofMs - 1);
  t.equal(await codeOf(session.idToken()), 'ERR_PROVIDER_UNREACHABLE');
  t.match(session.view(), { signedIn: true, doubtful: true });
  clock.advance(1);
  t.equal(await codeOf(session.idToken()), 'ERR_LOGIN_REQUIRED');
  t.equal(session.view().signedIn, false, 'a sign-in may start');
  t.equal(store.session(KEY)?.refreshToken, 'rt-1', 'but the token is kept');
  t.equal(await codeOf(session.idToken()), 'ERR_LOGIN_REQUIRED');
  t.equal(oidc.spent.length, 3, 'and left alone for a while');
  oidc.onRefresh = async () => ({ idToken: idTokenFor(clock), refreshToken: undefined });
  clock.advance(TIMING.refusalMemoryMs);
  t.equal(session.view().signedIn, true, 'it may have been the provider\u2019s mistake');
  t.ok(await session.idToken());
});

t.test('a success or a new sign-in forgets earlier refusals', async (t) => {
  const { session, oidc, clock } = open('rt-1');
  const refuse = async (): Promise<never> => {
    throw new UnexplainedRefusal(unreachable());
  };
  const give = async () => ({ idToken: idTokenFor(clock), refreshToken: undefined });
  oidc.onRefresh = refuse;
  await rejection(session.idToken());
  oidc.onRefresh = give;
  await session.idToken();
  clock.advance(2 * HOUR);
  oidc.onRefresh = refuse;
  t.equal(await codeOf(session.idToken()), 'ERR_PROVIDER_UNREACHABLE', 'the first of a new row');
  clock.advance(TIMING.refusalProofMs);
  t.equal(await codeOf(session.idToken()), 'ERR_LOGIN_REQUIRED');
  await session.completeSignIn({ idToken: idTokenFor(clock), refreshToken: 'rt-2' });
  oidc.onRefresh = give;
  clock.advance(HOUR);
  t.ok(await session.idToken());
});

t.test('a retired session no longer spends the refresh token', async (t) => {
  const { session, oidc } = open('rt-1');
  session.retire();
  t.equal(await codeOf(session.idToken()), 'ERR_LOGIN_REQUIRED');
  t.same(oidc.spent, []);
});
