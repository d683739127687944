import { existsSync } from 'node:fs';
import t from 'tap';
import { fakeDaemon, ok, problem, VERSION } from './fixtures/fake-daemon.ts';
import { fakeSignIn } from './fixtures/fake-sign-in.ts';
import { type Installation, installation, PROFILE, urlsIn } from './fixtures/installation.ts';

// Many processes one after the other, on a machine that may have other things to do.
t.setTimeout(120_000);

const TWO_LINES = /^bedrock-auth: [^\n]+ \(ERR_[A-Z_]+\)\n {2}fix: [^\n]+\n$/;

const SSH = { SSH_CONNECTION: '192.0.2.1 5 192.0.2.7 22', USER: 'jane' };

type Tap = { teardown(fn: () => unknown): void };

function home(t: Tap): Installation {
  const made = installation();
  t.teardown(made.remove);
  return made;
}

const STATUS = {
  daemon: VERSION,
  clockSkewSeconds: 0,
  network: { proxy: null, certificates: [] },
  config: '/etc/config.json',
  configProblem: null,
  profiles: [
    {
      profile: 'ClaudeCode',
      issuer: 'https://company.okta.com',
      state: 'signed-in',
      user: 'jane@example.com',
      storage: 'session',
      federation: 'cognito',
      credentialsUntil: '2099-01-01T00:00:00Z',
      nextRefresh: null,
      idTokenUntil: null,
      problem: null,
    },
  ],
};

t.test('login opens nothing and reports the user when signed in', async (t) => {
  const made = home(t);
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  fakeSignIn(daemon).finish();
  const urls = made.addBrowser('browser');
  const env = { BROWSER: urls.replace(/\.urls$/, '') };
  const { status, stdout, stderr } = await made.run('bedrock-auth', ['login'], { env });
  t.equal(status, 0);
  t.equal(stdout, 'Already signed in for ClaudeCode as jane@example.com.\n');
  t.equal(stderr, '');
  t.strictSame(urlsIn(urls), []);
  t.match(daemon.asked.find(({ route }) => route === 'signIn')?.body, { automatic: false });
});

t.test('ten logins at once share one page', async (t) => {
  const made = home(t);
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  const signIn = fakeSignIn(daemon);
  const urls = made.addBrowser('browser');
  const env = { BROWSER: urls.replace(/\.urls$/, '') };
  const logins = Array.from({ length: 10 }, () => made.run('bedrock-auth', ['login'], { env }));
  const finish = setInterval(() => {
    if (signIn.confirmed.length > 0 && signIn.starts() >= 10) signIn.finish();
  }, 20);
  const outcomes = await Promise.all(logins);
  clearInterval(finish);
  for (const { status, stdout, stderr } of outcomes) {
    t.equal(status, 0);
    t.equal(stderr, '');
    t.match(stdout, /Waiting for the sign-in, at most \d+ min/);
    t.match(stdout, /Signed in for ClaudeCode as jane@example\.com\.\n$/);
    t.equal(stdout.split(signIn.url).length, 2, 'the address once');
    t.notMatch(stdout, '\r', 'no terminal, no moving line');
  }
  t.strictSame(urlsIn(urls), [signIn.url]);
  t.strictSame(daemon.refused, []);
});

t.test('login without a screen or with --no-browser prints the address', async (t) => {
  const made = home(t);
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  const urls = made.addBrowser('browser');
  const BROWSER = urls.replace(/\.urls$/, '');
  const cases: [string[], Record<string, string>, RegExp][] = [
    [['--no-browser'], { BROWSER, ...SSH }, /ssh -L 8400:localhost:8400 jane@192\.0\.2\.7\n/],
    [[], { CCWB_BROWSER: 'none', BROWSER, SSH_TTY: '/dev/pts/1' }, /ssh -L 8400:localhost:8400 \S+\n/],
    [[], SSH, /ssh -L 8400:localhost:8400 jane@192\.0\.2\.7\n/],
  ];
  for (const [args, env, hint] of cases) {
    // Whoever wants no browser opened gets the address, also where the provider has codes.
    const signIn = fakeSignIn(daemon, { codes: env !== SSH });
    const from = daemon.asked.length;
    const login = made.run('bedrock-auth', ['login', ...args], { env });
    const finish = setInterval(() => {
      if (daemon.asked.slice(from).some(({ route }) => route === 'awaitSignIn')) signIn.finish();
    }, 20);
    const { status, stdout } = await login;
    clearInterval(finish);
    t.equal(status, 0);
    t.match(stdout, signIn.url);
    t.match(stdout, hint);
    t.equal(signIn.tasks(), 0);
  }
  t.strictSame(urlsIn(urls), []);
});

t.test('login without a visible browser or with --device shows a code and opens nothing', async (t) => {
  const made = home(t);
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  const urls = made.addBrowser('browser');
  const BROWSER = urls.replace(/\.urls$/, '');
  const cases: [string[], Record<string, string>, Record<string, boolean>][] = [
    [['--device'], { BROWSER }, { device: true }],
    [['--device', '--no-browser'], { BROWSER }, { device: true }],
    [[], SSH, { screen: false }],
    [[], {}, { screen: false }],
  ];
  for (const [args, env, asked] of cases) {
    const signIn = fakeSignIn(daemon, { codes: true });
    const from = daemon.asked.length;
    const login = made.run('bedrock-auth', ['login', ...args], { env });
    const finish = setInterval(() => {
      if (daemon.asked.slice(from).some(({ route }) => route === 'awaitSignIn')) signIn.finish();
    }, 20);
    const { status, stdout, stderr } = await login;
    clearInterval(finish);
    t.equal(status, 0);
    t.equal(stderr, '');
    t.match(stdout, '\n  https://idp.example.com/device\n');
    t.match(stdout, '\n  |  WDJB-MJHT  |\n');
    t.match(stdout, '\n  https://idp.example.com/device?user_code=WDJB-MJHT\n');
    t.match(stdout, /\nSigned in for ClaudeCode as jane@example\.com\.\n$/);
    t.notMatch(stdout, '\x1b');
    t.strictSame(
      daemon.asked[from]?.body,
      { automatic: false, canOpenPage: false, ...asked },
      args.join(' '),
    );
    t.equal(daemon.asked.slice(from).filter(({ route }) => route === 'pageOpened').length, 0);
  }
  t.strictSame(urlsIn(urls), []);
  t.strictSame(daemon.refused, []);
});

t.test('login --device fails if the provider has no codes', async (t) => {
  const made = home(t);
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  fakeSignIn(daemon);
  const { status, stdout, stderr } = await made.run('bedrock-auth', ['login', '--device']);
  t.equal(status, 1);
  t.equal(stdout, '');
  t.match(stderr, TWO_LINES);
  t.match(stderr, 'ERR_PROVIDER_REJECTED');
});

t.test('login reports how the sign-in failed', async (t) => {
  const made = home(t);
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  fakeSignIn(daemon).fail(403, 'ERR_LOGIN_DENIED');
  const { status, stderr } = await made.run('bedrock-auth', ['login']);
  t.equal(status, 1);
  t.match(stderr, TWO_LINES);
});

t.test('an interrupted login reports that the sign-in goes on', async (t) => {
  const made = home(t);
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  fakeSignIn(daemon);
  let timer: NodeJS.Timeout | undefined;
  const { status, stderr } = await made.run('bedrock-auth', ['login'], {
    started: (child) => {
      timer = setInterval(() => {
        if (daemon.asked.some(({ route }) => route === 'awaitSignIn')) child.kill('SIGTERM');
      }, 20);
    },
  });
  clearInterval(timer);
  t.equal(status, 1);
  t.match(stderr, TWO_LINES);
  t.match(stderr, 'ERR_LOGIN_PENDING');
});

t.test('errors in config.json are reported before anything is started', async (t) => {
  const made = home(t);
  made.writeConfig('{');
  for (const args of [['login'], ['logout'], ['logout', '--all'], ['login', '-p', 'ClaudeCode']]) {
    const { status, stderr } = await made.run('bedrock-auth', args);
    t.equal(status, 1, args.join(' '));
    t.match(stderr, TWO_LINES);
    t.match(stderr, 'ERR_CONFIG_INVALID');
  }
  t.notOk(existsSync(`${made.socket}.starts`));
});

t.test('logout reports the ended sessions of one or all profiles', async (t) => {
  const made = home(t);
  made.writeConfig({ profiles: { ClaudeCode: PROFILE, Team: PROFILE } });
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  daemon.on('signOut', () => ok({ wasSignedIn: true, revoked: true }));
  const one = await made.run('bedrock-auth', ['logout', '--profile', 'Team']);
  t.equal(one.status, 0);
  t.match(one.stdout, /^Signed out of Team; .*identity provider too\.\n$/);
  daemon.on('signOut', ({ params }) =>
    params.profile === 'Team' ? problem(503, 'ERR_STORE_LOCKED') : ok({ wasSignedIn: false, revoked: false }),
  );
  const all = await made.run('bedrock-auth', ['logout', '--all']);
  t.equal(all.status, 1, 'one failed');
  t.match(all.stdout, 'Nobody was signed in for ClaudeCode.\n');
  t.match(all.stderr, TWO_LINES);
  t.strictSame(
    daemon.asked.map(({ params }) => params.profile),
    ['Team', 'ClaudeCode', 'Team'],
  );
});

t.test("status shows the daemon's reply and starts no daemon", async (t) => {
  const made = home(t);
  const without = await made.run('bedrock-auth', ['status']);
  t.equal(without.status, 1);
  t.equal(without.stdout, '');
  t.match(without.stderr, TWO_LINES);
  t.match(without.stderr, 'daemon not running');
  const json = await made.run('bedrock-auth', ['status', '--json']);
  t.equal(json.status, 1);
  t.match(JSON.parse(json.stdout), { daemon: null, profiles: [] });
  t.notOk(existsSync(`${made.socket}.starts`));

  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  daemon.on('status', () => ok(STATUS));
  const view = await made.run('bedrock-auth', ['status']);
  t.equal(view.status, 0);
  t.equal(view.stderr, '');
  t.match(view.stdout, /^ClaudeCode {2}signed in as jane@example\.com\n/);
  t.notMatch(view.stdout, '\x1b', 'no colour without a terminal');
  t.strictSame(JSON.parse((await made.run('bedrock-auth', ['status', '--json'])).stdout), STATUS);
  const unknown = await made.run('bedrock-auth', ['status', '--profile', 'Nobody']);
  t.equal(unknown.status, 1);
  t.match(unknown.stderr, 'ERR_PROFILE_UNKNOWN');
});

t.test('help has examples for every command and fits 80 columns', async (t) => {
  const made = home(t);
  const service = ['install', 'uninstall', 'start', 'stop', 'restart', 'status'];
  for (const args of [
    ['--help'],
    ['-h'],
    ...[
      ['login', '--help'],
      ['logout', '-h'],
      ['status', '--help'],
      ['service', '--help'],
    ],
    ...service.map((name) => ['service', name, '-h']),
  ]) {
    const { status, stdout, stderr } = await made.run('bedrock-auth', args);
    t.equal(status, 0);
    t.equal(stderr, '');
    t.match(stdout, /^Usage: bedrock-auth[\s\S]*\nExamples:\n {2}bedrock-auth /, args.join(' '));
    t.strictSame(
      stdout.split('\n').filter((line) => line.length > 80),
      [],
    );
  }
  t.match((await made.run('bedrock-auth', ['--version'])).stdout, /^bedrock-auth \d+\.\d+\.\d+\n$/);
});

t.test('wrong usage ends with 2 and two lines', async (t) => {
  const made = home(t);
  const cases = [
    [],
    ['nonsense'],
    ['logn'],
    ['--nonsense'],
    ['login', '--nonsense'],
    ['login', 'extra'],
    ['login', '--profile'],
    ['status', '--jsn'],
    ['logout', '--all', '--profile', 'A'],
    ['service'],
    ['service', 'nonsense'],
    ['service', 'install', 'extra'],
    ['service', 'status', '--jsn'],
  ];
  for (const args of cases) {
    const { status, stdout, stderr } = await made.run('bedrock-auth', args);
    t.equal(status, 2, args.join(' '));
    t.equal(stdout, '', args.join(' '));
    t.match(stderr, TWO_LINES, args.join(' '));
    t.match(stderr, 'ERR_USAGE');
  }
});
