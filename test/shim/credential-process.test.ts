import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CREDENTIALS_LINE, fakeDaemon, ok, problem } from './fixtures/fake-daemon.ts';
import { fakeSignIn } from './fixtures/fake-sign-in.ts';
import { type Installation, installation, PROFILE } from './fixtures/installation.ts';

// Many processes one after the other, on a machine that may have other things to do.
t.setTimeout(120_000);

const TWO_LINES = /^credential-process: [^\n]+ \(ERR_[A-Z_]+\)\n {2}fix: [^\n]+\n$/;

type Tap = { teardown(fn: () => unknown): void };

function home(t: Tap): Installation {
  const made = installation();
  t.teardown(made.remove);
  return made;
}

t.test('credentials are one line on standard output and nothing else', async (t) => {
  const { run, socket } = home(t);
  const daemon = await fakeDaemon(socket);
  t.teardown(daemon.close);
  // Without flags the shell file leaves the choice of the profile to the TypeScript shim.
  daemon.on('credentials', () => ok({ ...JSON.parse(CREDENTIALS_LINE), Extra: 'unknown' }));
  t.strictSame(await run('credential-process'), { status: 0, stdout: CREDENTIALS_LINE, stderr: '' });
  t.strictSame(daemon.asked, [
    { route: 'credentials', params: { profile: 'ClaudeCode' }, query: {}, body: undefined },
  ]);
  t.strictSame(daemon.refused, []);
});

t.test("the daemon's errors come out as two lines with the status of their code", async (t) => {
  const { run, socket } = home(t);
  const daemon = await fakeDaemon(socket);
  t.teardown(daemon.close);
  for (const code of [
    'ERR_AWS_DENIED',
    'ERR_STORE_LOCKED',
    'ERR_PROVIDER_UNREACHABLE',
    'ERR_PROFILE_UNKNOWN',
  ]) {
    daemon.on('credentials', () => problem(503, code));
    const { status, stdout, stderr } = await run('credential-process', ['-p', 'A']);
    t.equal(status, 1);
    t.equal(stdout, '');
    t.match(stderr, TWO_LINES);
    t.match(stderr, code);
  }
});

t.test('errors in config.json are found without a daemon and start none', async (t) => {
  const { run, socket, writeConfig, directory } = home(t);
  const expectError = async (args: string[], code: string, text: string): Promise<void> => {
    const { status, stdout, stderr } = await run('credential-process', args);
    t.equal(status, 1, code);
    t.equal(stdout, '');
    t.match(stderr, TWO_LINES);
    t.match(stderr, code);
    t.match(stderr, text);
    t.throws(() => readFileSync(`${socket}.starts`), { code: 'ENOENT' }, 'no daemon was started');
  };
  await expectError(['-p', 'Nobody'], 'ERR_PROFILE_UNKNOWN', '"Nobody"');
  await expectError(['-p', '../etc'], 'ERR_PROFILE_UNKNOWN', '../etc');
  writeConfig('{"profiles": {');
  await expectError(['-p', 'ClaudeCode'], 'ERR_CONFIG_INVALID', 'config.json');
  writeConfig({ profiles: { ClaudeCode: { ...PROFILE, client_id: 5 } } });
  await expectError([], 'ERR_CONFIG_INVALID', 'client_id');
  writeConfig({ profiles: { A: PROFILE, B: PROFILE } });
  await expectError([], 'ERR_PROFILE_UNKNOWN', 'A, B');
  writeConfig({ profiles: {} });
  await expectError([], 'ERR_CONFIG_INVALID', 'no profile');
  rmSync(join(directory, 'config.json'));
  await expectError(['-p', 'ClaudeCode'], 'ERR_CONFIG_MISSING', 'config.json');
});

t.test('a running daemon answers for its profile while config.json is broken', async (t) => {
  const { run, socket, writeConfig } = home(t);
  writeConfig('broken');
  const daemon = await fakeDaemon(socket);
  t.teardown(daemon.close);
  daemon.on('expiration', () => ok({ valid: true, expiration: '2099-01-01T00:00:00Z' }));
  t.equal((await run('credential-process', ['-p', 'A', '--check-expiration'])).status, 0);
});

t.test('wrong usage ends with 2 and two lines', async (t) => {
  const { run } = home(t);
  for (const args of [
    ['--nonsense'],
    ['extra'],
    ['--profile'],
    ['--login=yes'],
    ['--login', '--clear-cache'],
    ['-x'],
  ]) {
    const { status, stdout, stderr } = await run('credential-process', args);
    t.equal(status, 2, args.join(' '));
    t.equal(stdout, '');
    t.match(stderr, TWO_LINES, args.join(' '));
  }
});

t.test('help and version need neither daemon nor configuration', async (t) => {
  const { run, writeConfig } = home(t);
  writeConfig('broken');
  const help = await run('credential-process', ['--help']);
  t.equal(help.status, 0);
  for (const flag of [
    ...['--profile', '--version', '--login', '--clear-cache', '--check-expiration', '--refresh-if-needed'],
    ...['--get-monitoring-token', '--explain', '--help'],
  ]) {
    t.match(help.stdout, flag);
  }
  t.ok(help.stdout.split('\n').every((line) => line.length <= 80));
  for (const flag of ['--version', '-v']) {
    t.match((await run('credential-process', [flag])).stdout, /^credential-process \d+\.\d+\.\d+\n$/);
  }
});

t.test('--check-expiration starts nothing and answers by its exit status', async (t) => {
  const { run, socket } = home(t);
  const without = await run('credential-process', ['--check-expiration']);
  t.equal(without.status, 1);
  t.equal(without.stdout, '');
  t.throws(() => readFileSync(`${socket}.starts`), { code: 'ENOENT' });
  const daemon = await fakeDaemon(socket);
  t.teardown(daemon.close);
  for (const [valid, expiration] of [
    [true, '2099-01-01T00:00:00Z'],
    [false, '2020-01-01T00:00:00Z'],
    [false, null],
  ]) {
    daemon.on('expiration', () => ok({ valid, expiration }));
    const { status, stdout } = await run('credential-process', ['--check-expiration']);
    t.equal(status, valid ? 0 : 1);
    t.equal(stdout, '');
  }
});

t.test('--clear-cache asks a running daemon and succeeds without one', async (t) => {
  const { run, socket } = home(t);
  t.equal((await run('credential-process', ['--clear-cache'])).status, 0);
  t.throws(() => readFileSync(`${socket}.starts`), { code: 'ENOENT' });
  const daemon = await fakeDaemon(socket);
  t.teardown(daemon.close);
  daemon.on('forgetCredentials', () => ok({ forgotten: true }));
  const { status, stdout } = await run('credential-process', ['--clear-cache', '--profile', 'ClaudeCode']);
  t.equal(status, 0);
  t.equal(stdout, '');
  t.strictSame(
    daemon.asked.map(({ route }) => route),
    ['forgetCredentials'],
  );
});

t.test('the monitoring token and a refresh never start a sign-in', async (t) => {
  const { run, socket } = home(t);
  const daemon = await fakeDaemon(socket);
  t.teardown(daemon.close);
  daemon.on('idToken', () => ok({ idToken: 'header.payload.signature', expiration: '2099-01-01T00:00:00Z' }));
  daemon.on('credentials', () => ok(JSON.parse(CREDENTIALS_LINE)));
  const token = await run('credential-process', ['--get-monitoring-token']);
  t.strictSame(token, { status: 0, stdout: 'header.payload.signature\n', stderr: '' });
  const refresh = await run('credential-process', ['--refresh-if-needed']);
  t.equal(refresh.status, 0);
  t.equal(refresh.stdout, '');
  daemon.on('idToken', () => problem(401, 'ERR_LOGIN_REQUIRED'));
  daemon.on('credentials', () => problem(401, 'ERR_LOGIN_REQUIRED'));
  for (const flag of ['--get-monitoring-token', '--refresh-if-needed']) {
    const { status, stdout, stderr } = await run('credential-process', [flag]);
    t.equal(status, 1);
    t.equal(stdout, '');
    t.match(stderr, TWO_LINES);
  }
  t.notOk(daemon.asked.some(({ route }) => route === 'signIn'));
});

t.test('--explain shows the resolved configuration without secrets, network or daemon', async (t) => {
  const { run, socket, writeConfig, directory } = home(t);
  writeConfig({ ClaudeCode: { ...PROFILE, client_secret: 'planted-secret', strange: 1 }, Other: PROFILE });
  const { status, stdout, stderr } = await run('credential-process', ['--explain']);
  t.equal(status, 0);
  t.equal(stderr, '');
  t.notMatch(stdout, 'planted-secret');
  t.match(JSON.parse(stdout), {
    profile: 'ClaudeCode',
    provider_type: 'okta',
    issuer: 'https://company.okta.com',
    client_id: 'client-1',
    client_secret: '(set)',
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    aws_region: 'us-east-1',
    federation_type: 'cognito',
    identity_pool_id: PROFILE.identity_pool_id,
    redirect_port: 8400,
    allowed_programs: null,
    container_credentials_port: 0,
    otel_sends_id_token: false,
    otel_claims: {},
    config: join(directory, 'config.json'),
    socket,
    unknown_fields: ['strange'],
  });
  writeConfig({
    A: { ...PROFILE, identity_pool_id: undefined, federated_role_arn: 'arn:aws:iam::123456789012:role/R' },
  });
  t.match(JSON.parse((await run('credential-process', ['--explain'])).stdout), {
    profile: 'A',
    federation_type: 'direct',
    max_session_duration: 43_200,
  });
  t.throws(() => readFileSync(`${socket}.starts`), { code: 'ENOENT' });
});

t.test('CCWB_SIGN_IN=off fails at once and names the command to run', async (t) => {
  const { run, socket } = home(t);
  const daemon = await fakeDaemon(socket);
  t.teardown(daemon.close);
  fakeSignIn(daemon);
  const { status, stdout, stderr } = await run('credential-process', ['-p', 'Team'], {
    env: { CCWB_SIGN_IN: 'off' },
  });
  t.equal(status, 1);
  t.equal(stdout, '');
  t.match(stderr, TWO_LINES);
  t.match(stderr, 'ERR_LOGIN_OFF');
  t.match(stderr, 'run bedrock-auth login --profile Team\n');
  t.notOk(daemon.asked.some(({ route }) => route === 'signIn'));
});

t.test('CCWB_SIGN_IN_WAIT_SECONDS is checked before anything is started', async (t) => {
  const { run, socket } = home(t);
  const daemon = await fakeDaemon(socket);
  t.teardown(daemon.close);
  fakeSignIn(daemon);
  for (const value of ['-1', '301', 'long', 'NaN', '1s']) {
    const { status, stderr } = await run('credential-process', ['-p', 'A'], {
      env: { CCWB_SIGN_IN_WAIT_SECONDS: value },
    });
    t.equal(status, 2, value);
    t.match(stderr, TWO_LINES);
  }
  t.notOk(daemon.asked.some(({ route }) => route === 'signIn'));
});

t.test('--login signs in on behalf of a person and prints nothing', async (t) => {
  const made = home(t);
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  fakeSignIn(daemon).finish();
  const { status, stdout, stderr } = await made.run('credential-process', ['--login'], {
    env: { CCWB_SIGN_IN: 'off' },
  });
  t.equal(status, 0);
  t.equal(stdout, '');
  t.match(stderr, 'jane@example.com');
  t.match(daemon.asked.find(({ route }) => route === 'signIn')?.body, { automatic: false });
});

t.test('an unsafe socket and a path that is too long are errors for the user to fix', async (t) => {
  const made = home(t);
  const open = join(made.home, 'linked');
  mkdirSync(join(made.home, 'real'));
  symlinkSync(join(made.home, 'real'), open);
  const cases = {
    ERR_SOCKET_UNSAFE: join(open, 'd.sock'),
    ERR_SOCKET_PATH: `/tmp/${'x'.repeat(120)}`,
  };
  for (const [code, CCWB_SOCKET] of Object.entries(cases)) {
    const { status, stderr } = await made.run('credential-process', ['-p', 'ClaudeCode'], {
      env: { CCWB_SOCKET },
    });
    t.equal(status, 1);
    t.match(stderr, TWO_LINES);
    t.match(stderr, code);
  }
});

t.test('a closed output ends the program without a crash', async (t) => {
  const made = home(t);
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  daemon.on('credentials', () => ok(JSON.parse(CREDENTIALS_LINE)));
  const script = join(made.home, 'reader');
  writeFileSync(
    script,
    `#!/bin/sh\n{ "${join(made.directory, 'credential-process')}" "$@"; echo $? >&2; } | true\n`,
  );
  chmodSync(script, 0o755);
  for (const args of [['--explain'], ['--help'], []]) {
    const { stderr } = await made.run(script, args);
    t.notMatch(stderr, /at .*\.js|Error:/);
  }
});
