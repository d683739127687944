import { request } from 'node:http';
import t from 'tap';
import { CREDENTIALS_LINE, fakeDaemon, problem } from '../fixtures/fake-daemon.ts';
import { fakeSignIn } from '../fixtures/fake-sign-in.ts';
import { type Installation, installation, urlsIn } from '../fixtures/installation.ts';

// Fifty processes at once on a machine that may have other things to do.
t.setTimeout(120_000);

const TWO_LINES = /^credential-process: [^\n]+ \(ERR_[A-Z_]+\)\n {2}fix: [^\n]+\n$/;

type Tap = { teardown(fn: () => unknown): void };

function home(t: Tap): Installation {
  const made = installation();
  t.teardown(made.remove);
  return made;
}

t.test('a sign-in that outlasts the wait goes on, and the next call gets its result', async (t) => {
  const { run, socket } = home(t);
  const daemon = await fakeDaemon(socket);
  t.teardown(daemon.close);
  const signIn = fakeSignIn(daemon);
  const impatient = await run('credential-process', ['-p', 'A'], {
    env: { CCWB_SIGN_IN_WAIT_SECONDS: '0.2' },
  });
  t.equal(impatient.status, 1);
  t.equal(impatient.stdout, '');
  t.match(impatient.stderr, 'ERR_LOGIN_PENDING');
  t.equal(impatient.stderr.split(signIn.url).length, 2, 'the address was printed once');
  signIn.finish();
  t.equal((await run('credential-process', ['-p', 'A'])).stdout, CREDENTIALS_LINE);
  t.equal(signIn.starts(), 1);
  t.strictSame(daemon.refused, []);
});

t.test('fifty shims with nobody signed in make one sign-in page and all get credentials', async (t) => {
  const made = home(t);
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  const signIn = fakeSignIn(daemon);
  const urls = made.addBrowser('browser');
  const env = { BROWSER: urls.replace(/\.urls$/, '') };
  const shims = Array.from({ length: 50 }, () => made.run('credential-process', ['-p', 'A'], { env }));
  const finish = setInterval(() => {
    if (signIn.confirmed.length > 0 && signIn.starts() >= 50) signIn.finish();
  }, 20);
  const outcomes = await Promise.all(shims);
  clearInterval(finish);
  t.strictSame(
    outcomes.filter(({ status, stdout }) => status !== 0 || stdout !== CREDENTIALS_LINE),
    [],
  );
  t.strictSame(urlsIn(urls), [signIn.url]);
  t.equal(signIn.tasks(), 1);
  t.strictSame(signIn.confirmed, [true]);
  t.strictSame(daemon.refused, []);
});

t.test('a caller that dies before opening the page leaves the task to the next', async (t) => {
  const made = home(t);
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  const signIn = fakeSignIn(daemon, { leaseMs: 300 });
  const urls = made.addBrowser('browser');
  // Took the task and was killed: nobody confirms.
  await new Promise((resolve) => {
    request(
      {
        socketPath: made.socket,
        method: 'POST',
        path: '/v1/profiles/A/sign-in',
        headers: { host: 'localhost', 'content-type': 'application/json' },
      },
      (response) => response.resume().on('end', resolve),
    ).end('{"automatic":true,"canOpenPage":true}');
  });
  t.equal(signIn.tasks(), 1);
  const heir = made.run('credential-process', ['-p', 'A'], { env: { BROWSER: urls.replace(/\.urls$/, '') } });
  const finish = setInterval(() => signIn.confirmed.length > 0 && signIn.finish(), 20);
  t.equal((await heir).stdout, CREDENTIALS_LINE);
  clearInterval(finish);
  t.equal(signIn.tasks(), 2);
  t.strictSame(urlsIn(urls), [signIn.url]);
});

t.test('a failed browser returns the task to the daemon', async (t) => {
  const made = home(t);
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  const signIn = fakeSignIn(daemon);
  const BROWSER = made.addBrowser('browser', 'exit 3').replace(/\.urls$/, '');
  const shim = made.run('credential-process', ['-p', 'A'], { env: { BROWSER } });
  const finish = setInterval(() => signIn.confirmed.length > 0 && signIn.finish(), 20);
  const { stdout, stderr } = await shim;
  clearInterval(finish);
  t.equal(stdout, CREDENTIALS_LINE);
  t.match(stderr, signIn.url);
  t.strictSame(signIn.confirmed, [false]);
  const polls = daemon.asked.filter(({ route }) => route === 'awaitSignIn');
  t.ok(
    polls.every(({ query }) => query.canOpenPage === 'false'),
    'it does not offer itself again',
  );
});

t.test('a code replaces a failed browser if the provider supports codes', async (t) => {
  const made = home(t);
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  const signIn = fakeSignIn(daemon, { codes: true });
  const BROWSER = made.addBrowser('browser', 'exit 3').replace(/\.urls$/, '');
  const shim = made.run('credential-process', ['-p', 'A'], { env: { BROWSER } });
  const finish = setInterval(() => {
    if (daemon.asked.some(({ params }) => params.signIn === 'sign-in-2')) signIn.finish();
  }, 20);
  const { stdout, stderr } = await shim;
  clearInterval(finish);
  t.equal(stdout, CREDENTIALS_LINE);
  t.match(stderr, signIn.url);
  t.match(stderr, '\n  |  WDJB-MJHT  |\n');
  t.strictSame(signIn.confirmed, [false]);
  t.strictSame(daemon.refused, []);
});

t.test('a failed browser without codes leaves the address and the way to the redirect port', async (t) => {
  const made = home(t);
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  const signIn = fakeSignIn(daemon);
  const BROWSER = made.addBrowser('browser', 'exit 3').replace(/\.urls$/, '');
  const env = { BROWSER, SSH_TTY: '/dev/pts/1' };
  const shim = made.run('credential-process', ['-p', 'A'], { env });
  const finish = setInterval(() => {
    if (daemon.asked.some(({ route }) => route === 'awaitSignIn')) signIn.finish();
  }, 20);
  const { stdout, stderr } = await shim;
  clearInterval(finish);
  t.equal(stdout, CREDENTIALS_LINE);
  t.match(stderr, /ssh -L 8400:localhost:8400/);
});

t.test(
  'over SSH the code is printed to standard error and only the credentials to standard output',
  async (t) => {
    const made = home(t);
    const daemon = await fakeDaemon(made.socket);
    t.teardown(daemon.close);
    const signIn = fakeSignIn(daemon, { codes: true });
    const env = { SSH_CONNECTION: '192.0.2.1 5 192.0.2.7 22' };
    const shims = Array.from({ length: 3 }, () => made.run('credential-process', ['-p', 'A'], { env }));
    const finish = setInterval(() => signIn.starts() >= 3 && signIn.finish(), 20);
    for (const { stdout, stderr, status } of await Promise.all(shims)) {
      t.equal(status, 0);
      t.equal(stdout, CREDENTIALS_LINE);
      t.match(stderr, '\n  |  WDJB-MJHT  |\n');
    }
    clearInterval(finish);
    t.match(daemon.asked.find(({ route }) => route === 'signIn')?.body, {
      automatic: true,
      canOpenPage: false,
      screen: false,
    });
    t.equal(signIn.tasks(), 0);
  },
);

t.test('a failed sign-in is reported in two lines', async (t) => {
  for (const [status, code] of [
    [403, 'ERR_LOGIN_DENIED'],
    [408, 'ERR_LOGIN_EXPIRED'],
    [429, 'ERR_LOGIN_CAPPED'],
  ] as const) {
    const made = home(t);
    const daemon = await fakeDaemon(made.socket);
    t.teardown(daemon.close);
    fakeSignIn(daemon).fail(status, code);
    const { status: exit, stdout, stderr } = await made.run('credential-process', ['-p', 'A']);
    t.equal(exit, 1);
    t.equal(stdout, '');
    t.match(stderr, TWO_LINES);
    t.match(stderr, code);
  }
});

t.test('a sign-in lost with its daemon is started again once', async (t) => {
  const made = home(t);
  const daemon = await fakeDaemon(made.socket);
  t.teardown(daemon.close);
  const signIn = fakeSignIn(daemon);
  daemon.on('awaitSignIn', () => problem(404, 'ERR_NOT_FOUND'));
  const { status, stderr } = await made.run('credential-process', ['-p', 'A']);
  t.equal(status, 1);
  t.match(stderr, 'ERR_NOT_FOUND');
  t.equal(signIn.starts(), 2);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`${signal} ends the wait with a word about the sign-in`, async (t) => {
    const made = home(t);
    const daemon = await fakeDaemon(made.socket);
    t.teardown(daemon.close);
    fakeSignIn(daemon);
    let timer: NodeJS.Timeout | undefined;
    const outcome = await made.run('credential-process', ['-p', 'A'], {
      started: (child) => {
        timer = setInterval(() => {
          if (daemon.asked.some(({ route }) => route === 'awaitSignIn')) child.kill(signal);
        }, 20);
      },
    });
    clearInterval(timer);
    t.equal(outcome.status, 1);
    t.equal(outcome.stdout, '');
    t.match(outcome.stderr, /\(ERR_LOGIN_PENDING\)\n {2}fix: .+\n$/);
  });
}
