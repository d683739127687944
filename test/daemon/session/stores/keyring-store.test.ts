import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { createKeyringStore } from '../../../../daemon/session/stores/keyring-store.ts';
import { CcwbError } from '../../../../protocol/errors.ts';
import { codeOf, rejection } from '../../../../tools/support/daemon-edges.ts';
import { storedSession } from '../../fixtures/memory-store.ts';
import { shortDirectory } from '../../fixtures/sockets.ts';

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const ANSWERS = script('../../fixtures/keyring-answers.js');
const SESSION = script('../../fixtures/keyring-session.js');
const REAL_CHILD = script('../../../../daemon/keyring-child.js');

const session = storedSession('rt-planted');

t.test('an item that is read back the same is stored', async (t) => {
  const store = createKeyringStore(ANSWERS);
  await store.write('echo', session);
  t.equal(await store.read('none'), undefined, 'nothing stored');
  await store.remove('none');
  t.equal(store.kind, 'keyring');
});

t.test('a keyring that returns another value has failed to store', async (t) => {
  const error = await rejection(createKeyringStore(ANSWERS).write('forgets', session));
  t.match(error, { code: 'ERR_STORE_FAILED', message: /something else/ });
  t.notMatch(String(error instanceof Error && error.message), /planted/);
  t.equal(
    await codeOf(createKeyringStore(ANSWERS).write('none', session)),
    'ERR_STORE_FAILED',
    'nor one that gives nothing',
  );
});

t.test('an item of another program or version is ignored', async (t) => {
  t.equal(await createKeyringStore(ANSWERS).read('strange'), undefined);
});

t.test('a locked, an absent and a failing keyring are different errors, each with its fix', async (t) => {
  const store = createKeyringStore(ANSWERS);
  const cases = [
    ['locked', 'ERR_STORE_LOCKED', /unlock/],
    ['absent', 'ERR_STORE_ABSENT', /credential_storage "session"/],
    ['failed', 'ERR_STORE_FAILED', /try again/],
  ] as const;
  for (const [account, code, fix] of cases) {
    const calls = [
      () => store.read(account),
      () => store.write(account, session),
      () => store.remove(account),
    ];
    for (const call of calls)
      t.match(await rejection(call()), { code, fix, message: `because it is ${account}` });
  }
});

t.test('a keyring whose prompt is not answered ends in an error, and its process is killed', async (t) => {
  for (const account of ['hangs', 'hangs-hard']) {
    const error = await rejection(createKeyringStore(ANSWERS, 300).read(account));
    t.match(error, { code: 'ERR_STORE_LOCKED', message: /0\.3 s/ }, account);
  }
});

t.test('a crash of the keyring library fails one operation only', async (t) => {
  const store = createKeyringStore(ANSWERS);
  for (const account of ['crashes', 'exits']) {
    const error = await rejection(store.read(account));
    t.match(error, { code: 'ERR_STORE_FAILED', message: /ended without an answer/ }, account);
  }
  t.equal(await store.read('none'), undefined, 'the next works');
});

t.test('a missing child program is an error', async (t) => {
  const error = await rejection(createKeyringStore(script('./fixtures/none.js')).read('echo'));
  t.match(error, { code: 'ERR_STORE_FAILED' });
});

t.test('a malformed answer of the child is an error', async (t) => {
  const store = createKeyringStore(ANSWERS);
  for (const account of ['text', 'unknown-problem'])
    t.equal(await codeOf(store.read(account)), 'ERR_STORE_FAILED', account);
});

t.test('the child gets only the environment that a keyring needs', async (t) => {
  process.env.CCWB_TEST_SECRET = 'planted';
  t.teardown(() => {
    delete process.env.CCWB_TEST_SECRET;
  });
  const seen = await createKeyringStore(ANSWERS).read('environment');
  const [names, execArgv, argv] = JSON.parse(seen?.user ?? '[]') as string[][];
  const expected = [
    'DBUS_SESSION_BUS_ADDRESS',
    'HOME',
    'LANG',
    'LOGNAME',
    'PATH',
    'USER',
    'XDG_RUNTIME_DIR',
    'NODE_CHANNEL_FD',
    'NODE_CHANNEL_SERIALIZATION_MODE',
  ];
  // The test runner puts its own into every child, whatever environment that was given.
  const ours = (names ?? ['none']).filter((name) => !/^_TAPJS_|^NODE_OPTIONS$/.test(name));
  for (const name of ours) t.ok(expected.includes(name), name);
  t.same([execArgv, argv], [[], []], 'and no secret stands in its arguments');
});

t.test('concurrent operations get each their own answer', async (t) => {
  const store = createKeyringStore(ANSWERS);
  const calls = Array.from({ length: 8 }, () => store.write('echo', session));
  await t.resolves(Promise.all(calls));
});

const missing = ['gnome-keyring-daemon', 'dbus-run-session'].filter(
  (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error !== undefined,
);
const noKeyring = missing.length > 0 ? `${missing.join(' and ')} not installed` : false;

/** Runs steps on a session bus of their own, with the keyring of `home`: unlocked, or only started. */
function onSessionBus(home: string, keyring: 'unlocked' | 'started', steps: string[]): unknown[] {
  const runtime = join(home, 'run');
  mkdirSync(runtime, { mode: 0o700, recursive: true });
  const start = {
    unlocked: 'printf test | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1;',
    started: 'gnome-keyring-daemon --start --components=secrets >/dev/null 2>&1 </dev/null;',
  }[keyring];
  const result = spawnSync(
    'dbus-run-session',
    ['--', 'sh', '-c', `${start} exec "$@"`, '_', process.execPath, SESSION, REAL_CHILD, ...steps],
    {
      encoding: 'utf8',
      timeout: 60_000,
      env: {
        PATH: process.env.PATH,
        HOME: home,
        XDG_RUNTIME_DIR: runtime,
        XDG_DATA_HOME: join(home, 'data'),
        XDG_CONFIG_HOME: join(home, 'config'),
        XDG_CACHE_HOME: join(home, 'cache'),
      },
    },
  );
  try {
    return JSON.parse(result.stdout) as unknown[];
  } catch {
    throw new Error(`no results: ${result.stdout} ${result.stderr}`);
  }
}

t.test('a real Secret Service keeps a session', { skip: noKeyring }, async (t) => {
  const steps = ['read', 'write', 'read', 'rewrite', 'read', 'remove', 'read', 'remove'];
  const [before, , first, , second, removed, after, again] = onSessionBus(
    shortDirectory(t),
    'unlocked',
    steps,
  );
  t.equal(before, null);
  t.same(first, storedSession('rt-ü-1'));
  t.match(second, { refreshToken: /^rt-2-x{1500}$/ });
  t.same([removed, after, again], ['removed', null, 'removed']);
});

t.test('a locked keyring is not mistaken for an empty one', { skip: noKeyring }, async (t) => {
  const home = shortDirectory(t);
  t.same(onSessionBus(home, 'unlocked', ['write']), ['written']);
  const [read, write, remove] = onSessionBus(home, 'started', ['read', 'write', 'remove']);
  t.equal(write, 'ERR_STORE_LOCKED');
  t.equal(read, 'ERR_STORE_LOCKED', 'when reading');
  t.equal(remove, 'ERR_STORE_LOCKED', 'when removing');
  const [kept] = onSessionBus(home, 'unlocked', ['read']);
  t.same(kept, storedSession('rt-ü-1'), 'and nothing is lost');
});

t.test('a keyring that was never unlocked counts as locked', { skip: noKeyring }, async (t) => {
  const results = onSessionBus(shortDirectory(t), 'started', ['read', 'write', 'remove']);
  t.same(results, ['ERR_STORE_LOCKED', 'ERR_STORE_LOCKED', 'ERR_STORE_LOCKED']);
});

t.test('a missing session bus is an error at once', async (t) => {
  const home = shortDirectory(t);
  const result = spawnSync(process.execPath, [SESSION, REAL_CHILD, 'read', 'write', 'remove'], {
    encoding: 'utf8',
    env: { PATH: '/nowhere', HOME: home, XDG_RUNTIME_DIR: home },
  });
  const codes = JSON.parse(result.stdout) as string[];
  for (const code of codes) t.equal(code, 'ERR_STORE_ABSENT');
  t.equal(codes.length, 3);
});

t.test('errors never contain the value to be stored', async (t) => {
  for (const account of ['forgets', 'locked', 'crashes', 'failed']) {
    const error = await rejection(createKeyringStore(ANSWERS).write(account, session));
    t.ok(error instanceof CcwbError);
    if (error instanceof CcwbError) t.notMatch(JSON.stringify(error.toBody()), /planted/);
  }
});
