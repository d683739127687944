import t, { type Test } from 'tap';
import { signInOverHttp } from '../../sandbox/browser/browserless.ts';
import { findChromium, signInWithChromium } from '../../sandbox/browser/chromium.ts';
import { missing } from '../../tools/support/find-tool.ts';
import { type Output, outputOf } from '../../tools/support/output.ts';
import { until } from '../fixtures/until.ts';
import { startWorld, type World } from '../fixtures/world.ts';

function callAtOnce(world: World, times: number): Promise<Output[]> {
  const { home } = world;
  return Promise.all(
    Array.from({ length: times }, () =>
      home.run(home.program('credential-process'), ['--profile', 'ClaudeCode']),
    ),
  );
}

/** All exit with 0 and print the same line; a failure shows what differs, and no secret. */
function sameAnswer(t: Test, outputs: readonly Output[]): void {
  const answers = outputs.map(({ status, stdout, stderr }) => {
    if (status !== 0) return `${status}: ${stderr}`;
    const { AccessKeyId, Expiration } = JSON.parse(stdout);
    return `${AccessKeyId} until ${Expiration}`;
  });
  t.strictSame([...new Set(answers)], answers.slice(0, 1), `${outputs.length} identical answers`);
  t.equal(new Set(outputs.map(({ stdout }) => stdout)).size, 1);
}

t.test('fifty callers with nobody signed in share one page, one code exchange and one GetId', async (t) => {
  const world = await startWorld(t);
  const outputs = await callAtOnce(world, 50);
  sameAnswer(t, outputs);
  const { Version, AccessKeyId, SessionToken, Expiration } = JSON.parse(outputs[0]?.stdout ?? '');
  t.equal(Version, 1);
  t.match(AccessKeyId, /^ASIA[A-Z2-7]{16}$/);
  t.ok(SessionToken);
  t.match(Expiration, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  t.equal((await world.home.openedPages()).length, 1, 'one page opened');
  t.equal(world.sandbox.provider.counts.codeExchanges, 1, 'one code exchange');
  t.equal(world.sandbox.aws.count('GetId'), 1, 'one GetId');
  t.equal(world.sandbox.aws.count('GetCredentialsForIdentity'), 1, 'one GetCredentialsForIdentity');
});

t.test(
  'fifty callers with expired credentials and an expired ID token share one refresh grant',
  async (t) => {
    const world = await startWorld(t);
    const { home, sandbox } = world;
    t.equal((await callAtOnce(world, 1))[0]?.status, 0);
    // A new daemon knows nothing but the refresh token: its ID token and credentials are as if expired.
    await home.endDaemon();
    const outputs = await callAtOnce(world, 50);
    sameAnswer(t, outputs);
    t.equal(sandbox.provider.counts.refreshGrants, 1, 'one refresh grant');
    t.equal(sandbox.provider.counts.codeExchanges, 1, 'no second sign-in');
    t.equal((await home.openedPages()).length, 1, 'no second page');
  },
);

t.test(
  'a person signs in with a real browser and ends on our page',
  { skip: missing({ Chromium: findChromium() }) },
  async (t) => {
    const world = await startWorld(t, { installation: { browser: 'notes' } });
    const call = world.home.run(world.home.program('credential-process'), ['--profile', 'ClaudeCode']);
    const url = await firstPage(world);
    const screenshotPath = process.env.CCWB_SCREENSHOTS && `${process.env.CCWB_SCREENSHOTS}/signed-in.png`;
    const page = await signInWithChromium(url, { ...(screenshotPath ? { screenshotPath } : {}) });
    t.equal(page.title, 'You are signed in · Claude Code with Bedrock');
    t.match(page.text, /Signed in as demo@/);
    const { status, stderr } = await call;
    t.equal(status, 0, stderr);
  },
);

t.test('a sign-in that is refused at the provider ends every wait with the reason', async (t) => {
  const world = await startWorld(t, { installation: { browser: 'notes' } });
  const { home } = world;
  let waiting = 0;
  const calls = Promise.all(
    [1, 2, 3].map(() => {
      const child = home.start(home.program('credential-process'), ['--profile', 'ClaudeCode']);
      child.stderr?.once('data', () => {
        waiting += 1;
      });
      return outputOf(child);
    }),
  );
  // A caller that comes after the refusal begins another sign-in.
  await until(() => waiting === 3);
  const page = await signInOverHttp(await firstPage(world), { deny: true });
  t.equal(page.status, 403);
  t.match(page.body, /Not signed in/);
  for (const { status, stdout, stderr } of await calls) {
    t.equal(status, 1);
    t.equal(stdout, '');
    t.match(stderr, /did not let you in \(access_denied\) \(ERR_LOGIN_DENIED\)\n {2}fix: /);
  }
});

t.test('a callback with a foreign state is refused and the sign-in goes on', async (t) => {
  const world = await startWorld(t, { installation: { browser: 'notes' } });
  const call = callAtOnce(world, 1);
  const url = await firstPage(world);
  const foreign = await fetch(`http://127.0.0.1:${world.redirectPort}/callback?code=x&state=y`);
  t.equal(foreign.status, 400);
  t.match(await foreign.text(), /Nothing was waiting for this page/);
  t.equal((await signInOverHttp(url)).status, 200);
  t.equal((await call)[0]?.status, 0);
});

t.test('with sign-ins off the shim names the command at once and opens no page', async (t) => {
  const { home } = await startWorld(t);
  const output = await home.run(home.program('credential-process'), ['--profile', 'ClaudeCode'], {
    env: { CCWB_SIGN_IN: 'off' },
  });
  t.equal(output.status, 1);
  t.match(output.stderr, /bedrock-auth login/);
  t.equal(output.stderr.trimEnd().split('\n').length, 2, 'two lines');
  t.strictSame(await home.openedPages(), []);
});

t.test('telemetry never starts a sign-in, and names the user after one', async (t) => {
  const { home } = await startWorld(t);
  const before = await home.run(home.program('otel-helper'), [], { env: { CCWB_PROFILE: 'ClaudeCode' } });
  t.strictSame([before.status, before.stdout.trim()], [0, '{}']);
  t.strictSame(await home.openedPages(), []);
  t.equal((await home.run(home.program('bedrock-auth'), ['login'])).status, 0);
  const after = await home.run(home.program('otel-helper'), [], { env: { CCWB_PROFILE: 'ClaudeCode' } });
  t.equal(after.status, 0);
  t.match(JSON.parse(after.stdout), { 'x-user-email': /^demo@/, 'x-user-id': /^[0-9a-f-]{36}$/ });
});

t.test('signing out revokes the refresh token and leaves nothing to sign in with', async (t) => {
  const { home, sandbox } = await startWorld(t, { installation: { browser: 'signs-in' } });
  t.equal((await home.run(home.program('bedrock-auth'), ['login'])).status, 0);
  const again = await home.run(home.program('bedrock-auth'), ['login']);
  t.equal(again.status, 0);
  t.equal((await home.openedPages()).length, 1, 'signed in already: no page');
  t.equal((await home.run(home.program('bedrock-auth'), ['logout'])).status, 0);
  t.equal(sandbox.provider.counts.revocations, 1);
  const off = await home.run(home.program('credential-process'), ['--profile', 'ClaudeCode'], {
    env: { CCWB_SIGN_IN: 'off' },
  });
  t.equal(off.status, 1);
  await home.endDaemon();
  const later = await home.run(home.program('credential-process'), ['--profile', 'ClaudeCode'], {
    env: { CCWB_SIGN_IN: 'off' },
  });
  t.equal(later.status, 1, 'a new daemon finds nothing either');
});

/** The first address that was opened in the browser. */
async function firstPage({ home }: World): Promise<string> {
  for (;;) {
    const [url] = await home.openedPages();
    if (url) return url;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
