import t from 'tap';
import { approveDevice } from '../../sandbox/browser/browserless.ts';
import type { Installation } from '../../tools/support/installation.ts';
import { startWorld } from '../fixtures/world.ts';

// Over SSH, without a browser of any kind.
const REMOTE = { env: { SSH_CONNECTION: '192.0.2.1 50000 192.0.2.7 22' }, browser: 'desktop' } as const;

/** Starts a program, and gives the address with the code in it as soon as it is printed. */
async function startWithCode(
  home: Installation,
  program: 'bedrock-auth' | 'credential-process',
  args: string[],
) {
  const child = home.start(home.program(program), args);
  const output = { stdout: '', stderr: '' };
  const status = new Promise<number | null>((resolve) => child.once('close', resolve));
  const address = await new Promise<string>((resolve, reject) => {
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
        const [url] = /http\S+user_code=\S+(?=\n)/.exec(output[name]) ?? [];
        if (url) resolve(url);
      });
    }
    void status.then((code) => reject(new Error(`${program} ended with ${code}: ${output.stderr}`)));
  });
  return { child, output, status, address };
}

t.test('over SSH a person signs in with a code and all waiting callers get credentials', async (t) => {
  const { sandbox, home } = await startWorld(t, { installation: REMOTE });
  const tool = await startWithCode(home, 'credential-process', ['--profile', 'ClaudeCode']);
  const person = await startWithCode(home, 'bedrock-auth', ['login']);
  t.equal(person.address, tool.address, 'one code for both');
  t.match(person.output.stdout, /\n {2}\|\s {1}[A-Z]{4}-[A-Z]{4} {2}\|\n/);
  t.equal(tool.output.stdout, '');
  t.match((await approveDevice(person.address)).body, /You are signed in/);
  t.equal(await tool.status, 0, tool.output.stderr);
  t.equal(await person.status, 0, person.output.stderr);
  t.match(JSON.parse(tool.output.stdout), { Version: 1, AccessKeyId: /^ASIA/ });
  t.match(person.output.stdout, /\nSigned in for ClaudeCode as demo@\S+\n$/);
  t.match(sandbox.provider.counts, { deviceAuthorizations: 1, authorizationRequests: 0, codeExchanges: 0 });
  t.strictSame(await home.openedPages(), []);
  t.same(sandbox.provider.serverErrors, []);
});

t.test('a sign-in survives a login that stops waiting, and the next login has the same code', async (t) => {
  const { sandbox, home } = await startWorld(t, { installation: REMOTE });
  const first = await startWithCode(home, 'bedrock-auth', ['login', '--device']);
  first.child.kill('SIGINT');
  t.equal(await first.status, 1);
  t.match(
    first.output.stderr,
    /it goes on until \S+Z \(ERR_LOGIN_PENDING\)\n {2}fix: finish it in the browser/,
  );
  const second = await startWithCode(home, 'bedrock-auth', ['login', '--device']);
  t.equal(second.address, first.address);
  second.child.kill('SIGINT');
  await second.status;
  await approveDevice(first.address);
  const login = await home.run(home.program('bedrock-auth'), ['login']);
  t.equal(login.status, 0, 'it was finished while nobody waited, or is picked up');
  t.match(login.stdout, /igned in for ClaudeCode as demo@/);
  t.equal(sandbox.provider.counts.deviceAuthorizations, 1);
});

t.test('a denial and an expired code end the wait with two lines', async (t) => {
  const { home } = await startWorld(t, { installation: REMOTE });
  const denied = await startWithCode(home, 'bedrock-auth', ['login', '--device']);
  await approveDevice(denied.address, { deny: true });
  t.equal(await denied.status, 1);
  t.match(denied.output.stderr, /^bedrock-auth: .+did not let you in.+\(ERR_LOGIN_DENIED\)\n {2}fix: .+\n$/);

  const short = await startWorld(t, {
    installation: REMOTE,
    sandbox: { provider: { deviceCodeSeconds: 2 } },
  });
  const expired = await startWithCode(short.home, 'bedrock-auth', ['login', '--device']);
  t.equal(await expired.status, 1);
  t.match(expired.output.stderr, /^bedrock-auth: .+code expired \(ERR_LOGIN_EXPIRED\)\n {2}fix: .+\n$/);
});

t.test('logout ends a sign-in by code', async (t) => {
  const { home } = await startWorld(t, { installation: REMOTE });
  const login = await startWithCode(home, 'bedrock-auth', ['login', '--device']);
  const logout = await home.run(home.program('bedrock-auth'), ['logout']);
  t.equal(logout.status, 0);
  t.equal(await login.status, 1);
  t.match(login.output.stderr, /cancelled by bedrock-auth logout \(ERR_LOGIN_CANCELLED\)/);
  t.match((await home.status()).profiles[0], { state: 'signed-out' });
});

t.test('a waiting page does not prevent a sign-in with a code', async (t) => {
  const { sandbox, home } = await startWorld(t, { installation: { browser: 'notes' } });
  const tool = home.run(home.program('credential-process'), ['--profile', 'ClaudeCode']);
  while ((await home.openedPages()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const person = await startWithCode(home, 'bedrock-auth', ['login', '--device']);
  await approveDevice(person.address);
  t.equal(await person.status, 0, person.output.stderr);
  const { status, stdout, stderr } = await tool;
  t.equal(status, 0, stderr);
  t.match(JSON.parse(stdout), { Version: 1 });
  t.equal((await home.openedPages()).length, 1);
  t.equal(sandbox.provider.counts.codeExchanges, 0);
});

t.test('a provider that refuses codes leaves the page and the instructions to reach it', async (t) => {
  const { home, redirectPort } = await startWorld(t, {
    installation: REMOTE,
    sandbox: { provider: { deviceGrant: 'refused' } },
  });
  const { status, stderr } = await home.run(home.program('credential-process'), [], {
    env: { CCWB_SIGN_IN_WAIT_SECONDS: '0.1' },
  });
  t.equal(status, 1);
  t.match(stderr, /\/authorize\?/);
  t.match(stderr, `ssh -L ${redirectPort}:localhost:${redirectPort} 192.0.2.7\n`);
  const login = await home.run(home.program('bedrock-auth'), ['login', '--device']);
  t.equal(login.status, 1);
  t.match(
    login.stderr,
    /sign in to this application by code \(ERR_PROVIDER_REJECTED\)\n {2}fix: .+--no-browser/,
  );
});

t.test('a redirect port in use does not prevent a sign-in with a code', async (t) => {
  const one = await startWorld(t, { installation: { browser: 'notes' } });
  const waiting = one.home.start(one.home.program('bedrock-auth'), ['login']);
  while ((await one.home.openedPages()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const { home } = await startWorld(t, {
    profile: { redirect_port: one.redirectPort },
    sandbox: { provider: { redirectPorts: 'any' } },
  });
  const taken = await home.run(home.program('bedrock-auth'), ['login']);
  t.equal(taken.status, 1);
  t.match(taken.stderr, /ERR_REDIRECT_PORT_TAKEN.*\n.*bedrock-auth login --device/);
  const person = await startWithCode(home, 'bedrock-auth', ['login', '--device']);
  await approveDevice(person.address);
  t.equal(await person.status, 0, person.output.stderr);
  waiting.kill();
});
