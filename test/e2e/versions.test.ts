import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { VersionReply } from '../../protocol/api.ts';
import { BUILD_VERSION, PROTOCOL_VERSION } from '../../protocol/version.ts';
import { signInOverHttp } from '../../sandbox/browser/browserless.ts';
import { becomeBuild } from '../../tools/support/builds.ts';
import type { Installation } from '../../tools/support/installation.ts';
import { askUnderLoad } from '../fixtures/load.ts';
import { startWorld } from '../fixtures/world.ts';

// Many processes one after the other, on a machine that may have other things to do.
t.setTimeout(300_000);

const NEWER = '99.0.0';

async function signedIn(home: Installation): Promise<void> {
  const { status, stderr } = await home.run(home.program('bedrock-auth'), ['login']);
  if (status !== 0) throw new Error(stderr);
}

/** What the AWS SDK would get, with no chance to sign in. */
const credentials = (home: Installation) =>
  home.run(home.program('credential-process'), ['--profile', 'ClaudeCode'], { env: { CCWB_SIGN_IN: 'off' } });

/** The same by the TypeScript shim alone, as on a machine without curl. */
const credentialsWithoutCurl = (home: Installation) =>
  home.run(
    join(home.directory, 'runtime/bin/node'),
    [join(home.directory, 'shim/credential-process.js'), '--profile', 'ClaudeCode'],
    { env: { CCWB_SIGN_IN: 'off' } },
  );

const status = (home: Installation) => home.run(home.program('bedrock-auth'), ['status', '--json']);
const version = ({ client }: Installation) =>
  client.ask<VersionReply>({ route: 'version', startingMs: 5_000 });

async function events(home: Installation): Promise<{ event: string; pid?: number }[]> {
  const lines = (await home.daemonLog()).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as { event: string; pid?: number });
}

/** Daemons in the order of their starts; fails when one started before the one before had stopped. */
async function starts(t: { fail(message: string): void }, home: Installation): Promise<number> {
  let running = 0;
  let count = 0;
  for (const { event } of await events(home)) {
    if (event === 'daemon started') {
      running += 1;
      count += 1;
    } else if (event === 'daemon stopped') running -= 1;
    if (running > 1) t.fail('two daemons at the same time');
  }
  return count;
}

t.test('a newer program replaces the daemon, and the sign-in stays', async (t) => {
  const { home, sandbox } = await startWorld(t);
  await signedIn(home);
  const old = await version(home);
  t.equal(old.build, BUILD_VERSION);
  becomeBuild(home.directory, { build: NEWER });
  t.equal((await credentials(home)).status, 0);
  t.equal((await version(home)).pid, old.pid, 'the hot path only forwards answers');

  const { status: exit, stdout, stderr } = await status(home);
  t.equal(exit, 0, stderr);
  t.equal(stderr, '');
  t.equal(JSON.parse(stdout).daemon.build, NEWER, 'what it shows is the new one');
  t.not((await version(home)).pid, old.pid);
  t.match(await credentials(home), { status: 0, stderr: '' });
  t.equal((await home.openedPages()).length, 1);
  t.equal(sandbox.provider.counts.codeExchanges, 1);
  t.equal(await starts(t, home), 2);
  t.notOk(existsSync(join(home.directory, 'logs/daemon.upgrade')));
});

t.test('many newer programs at once replace the daemon once and all get an answer', async (t) => {
  const { home } = await startWorld(t);
  await signedIn(home);
  becomeBuild(home.directory, { build: NEWER });
  const outcomes = await Promise.all(Array.from({ length: 13 }, () => credentialsWithoutCurl(home)));
  t.strictSame(
    outcomes.filter((outcome) => outcome.status !== 0 || outcome.stderr !== ''),
    [],
  );
  t.equal((await version(home)).build, NEWER);
  t.equal(await starts(t, home), 2);
});

t.test('an older program uses a newer daemon as it is', async (t) => {
  const { home } = await startWorld(t);
  becomeBuild(home.directory, { build: NEWER, protocol: PROTOCOL_VERSION + 1 }, ['daemon']);
  await signedIn(home);
  const { pid } = await version(home);
  for (const run of [credentials, credentialsWithoutCurl, status]) {
    const outcome = await run(home);
    t.equal(outcome.status, 0, outcome.stderr);
    t.equal(outcome.stderr, '');
  }
  t.match(await version(home), { pid, build: NEWER, protocol: PROTOCOL_VERSION + 1 });
});

t.test('a program of two protocols ago is told to upgrade', async (t) => {
  const { home } = await startWorld(t);
  becomeBuild(home.directory, { build: NEWER, protocol: PROTOCOL_VERSION + 2 }, ['daemon']);
  const { status: exit, stderr } = await home.run(home.program('bedrock-auth'), ['login']);
  t.equal(exit, 1);
  t.match(stderr, /speaks protocol 1, the daemon 3 .* \(ERR_PROTOCOL_VERSION\)\n {2}fix: run install\.sh/);
});

t.test('a newer program that cannot replace the daemon tries once and uses it', async (t) => {
  const { home } = await startWorld(t);
  await signedIn(home);
  becomeBuild(home.directory, { build: NEWER }, ['shims']);
  const first = await status(home);
  t.equal(first.status, 0);
  t.match(first.stderr, /^bedrock-auth: the daemon is still 0\.1\.0, not 99\.0\.0\n {2}fix: /);
  const { pid } = await version(home);
  for (const run of [status, credentialsWithoutCurl, credentials, status])
    t.match(await run(home), { status: 0, stderr: '' });
  t.equal((await version(home)).pid, pid);
  t.equal(await starts(t, home), 2, 'the one attempt');

  becomeBuild(home.directory, { build: '99.0.1' });
  t.equal((await status(home)).stderr, '');
  t.equal((await version(home)).build, '99.0.1', 'another build is another attempt');
});

t.test('an unknown protocol is an error with a fix if the daemon cannot be replaced', async (t) => {
  const { home } = await startWorld(t);
  await signedIn(home);
  becomeBuild(home.directory, { build: NEWER, protocol: PROTOCOL_VERSION + 1 }, ['shims']);
  for (let time = 0; time < 2; time += 1) {
    const { status: exit, stderr } = await status(home);
    t.equal(exit, 1);
    t.match(stderr, /\(ERR_PROTOCOL_VERSION\)\n {2}fix: run bedrock-auth service restart/);
  }
  t.equal(await starts(t, home), 2, 'one attempt');
  becomeBuild(home.directory, { build: NEWER, protocol: PROTOCOL_VERSION + 1 }, ['daemon']);
  const restarted = await home.run(home.program('bedrock-auth'), ['service', 'restart']);
  t.match(restarted, { status: 0, stderr: '', stdout: /^Restarted the daemon as a process of its own/ });
  t.match(await status(home), { status: 0, stderr: '' }, 'the fix is one');
});

t.test('a sign-in in progress is finished before an upgrade', async (t) => {
  const { home } = await startWorld(t, { installation: { browser: 'notes' } });
  const login = home.run(home.program('bedrock-auth'), ['login']);
  while ((await home.openedPages()).length === 0) await pause();
  const old = await version(home);
  becomeBuild(home.directory, { build: NEWER });
  t.match(await status(home), { status: 0, stderr: '' });
  t.equal((await version(home)).pid, old.pid, 'it serves on');
  const [url = ''] = await home.openedPages();
  t.equal((await signInOverHttp(url)).status, 200);
  t.match(await login, { status: 0, stderr: '', stdout: /Signed in for ClaudeCode/ });
  while ((await events(home)).at(-1)?.event !== 'daemon stopped') await pause();
  t.match(await credentials(home), { status: 0, stderr: '' });
  t.equal((await version(home)).build, NEWER);
  t.equal((await home.openedPages()).length, 1);
});

t.test('an upgrade while requests flow fails none of them', async (t) => {
  const { home, sandbox } = await startWorld(t);
  await signedIn(home);
  const load = askUnderLoad(home, 4);
  await load.reach(80);
  becomeBuild(home.directory, { build: NEWER });
  t.match(await status(home), { status: 0, stderr: '' });
  await load.reach(160);
  const { answered, failed } = await load.end();
  t.strictSame(failed, []);
  t.ok(answered >= 160);
  t.equal((await version(home)).build, NEWER);
  t.equal(await starts(t, home), 2);
  t.equal(sandbox.provider.counts.codeExchanges, 1);
  t.equal((await home.openedPages()).length, 1);
  t.comment(`${answered} requests`);
});

t.test('a daemon that is killed while requests flow fails none of them', async (t) => {
  const { home } = await startWorld(t);
  await signedIn(home);
  const load = askUnderLoad(home, 4);
  await load.reach(20);
  for (const target of [40, 60]) {
    await home.endDaemon('SIGKILL');
    await load.reach(target);
  }
  t.strictSame((await load.end()).failed, []);
});

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
