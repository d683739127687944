import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import type { DaemonRequest } from '../../../protocol/client.ts';
import { CcwbError } from '../../../protocol/errors.ts';
import { BUILD_VERSION, PROTOCOL_VERSION } from '../../../protocol/version.ts';
import { askRunningDaemon } from '../../../shim/daemon/ask-daemon.ts';
import {
  drainDaemon,
  replaceOlderDaemon,
  UPGRADE_TIMING,
  waitUntilGone,
} from '../../../shim/daemon/upgrade.ts';
import { fakeDaemon } from '../fixtures/fake-daemon.ts';
import { type FakeProgram, fakeProgram } from '../fixtures/program.ts';

type Tap = { teardown(action: () => unknown): void };

const OLDER = { protocol: PROTOCOL_VERSION, build: '0.0.1' };
const CURRENT = { protocol: PROTOCOL_VERSION, build: BUILD_VERSION };
const startedAt = '2026-01-02T00:00:00Z';

/**
 * A program that an older daemon has answered. When that is told to make room it stays for `staysFor` looks,
 * and is followed by `next`.
 */
async function upgrading(
  t: Tap,
  {
    state = 'ending',
    staysFor = 0,
    next = CURRENT,
  }: { state?: string; staysFor?: number; next?: typeof CURRENT } = {},
): Promise<FakeProgram & { mark: string; routes(): string[] }> {
  let draining = false;
  let looks = 0;
  const fake = fakeProgram(t, async ({ route }) => {
    if (route === 'drain') {
      draining = true;
      return { state };
    }
    if (route !== 'version') return 'answer';
    const stays = !draining || state === 'signing-in' || looks++ < staysFor;
    const version = stays ? OLDER : next;
    fake.answersAs(version);
    return { ...version, pid: stays ? 1 : 2, startedAt };
  });
  fake.answersAs(OLDER);
  // A start finds that somebody listens already.
  const daemon = await fakeDaemon(fake.program.paths.socket);
  t.teardown(daemon.close);
  const mark = join(dirname(fake.program.paths.log), 'daemon.upgrade');
  return { ...fake, mark, routes: () => fake.asked.map(({ route }) => route) };
}

t.test('an older daemon is asked to end, and the newer one is found', async (t) => {
  const { program, routes, mark, said } = await upgrading(t, { staysFor: 3 });
  t.equal(await replaceOlderDaemon(program), true);
  t.equal(routes().filter((route) => route === 'drain').length, 1);
  t.notOk(existsSync(mark));
  t.strictSame(said, []);
});

t.test('a daemon that is not older, or has no version, stays', async (t) => {
  const { program, routes, answersAs } = await upgrading(t);
  for (const version of [CURRENT, { protocol: 9, build: '9.0.0' }, undefined]) {
    answersAs(version);
    t.equal(await replaceOlderDaemon(program), false);
  }
  t.strictSame(routes(), []);
});

t.test('an upgrade between two builds is attempted once an hour', async (t) => {
  const { program, routes, mark, said, answersAs } = await upgrading(t, { next: OLDER });
  t.equal(await replaceOlderDaemon(program), false);
  t.match(said.join(''), /the daemon is still 0\.0\.1, not .*\n {2}fix: run bedrock-auth service status\n$/);
  t.equal(readFileSync(mark, 'utf8'), `0.0.1 ${BUILD_VERSION}\n`);
  const asked = routes().length;
  t.equal(await replaceOlderDaemon(program), false);
  t.equal(routes().length, asked, 'nothing is asked the second time');

  const hourAgo = (Date.now() - UPGRADE_TIMING.retryMs) / 1000 - 1;
  utimesSync(mark, hourAgo, hourAgo);
  await replaceOlderDaemon(program);
  t.equal(routes().filter((route) => route === 'drain').length, 2, 'after an hour there is another');
  answersAs({ ...OLDER, build: '0.0.0' });
  await replaceOlderDaemon(program);
  t.equal(routes().filter((route) => route === 'drain').length, 3, 'as there is for other builds');
});

t.test('nothing is done while another caller upgrades the daemon', async (t) => {
  const { program, routes, mark } = await upgrading(t);
  mkdirSync(dirname(mark), { recursive: true });
  writeFileSync(mark, `0.0.1 ${BUILD_VERSION}\n`);
  t.equal(await replaceOlderDaemon(program), false);
  t.strictSame(routes(), []);
});

t.test('an upgrade is not attempted if the attempt cannot be recorded', async (t) => {
  const { program, routes, folder } = await upgrading(t);
  writeFileSync(join(folder, 'logs'), 'a file where the folder should be');
  t.equal(await replaceOlderDaemon(program), false);
  t.strictSame(routes(), []);
});

t.test('a sign-in in progress is not waited for and does not count as a failed attempt', async (t) => {
  const { program, mark, said } = await upgrading(t, { state: 'signing-in' });
  t.equal(await replaceOlderDaemon(program), false);
  t.notOk(existsSync(mark));
  t.strictSame(said, []);
});

t.test('a failed upgrade does not fail the caller', async (t) => {
  const refusing = fakeProgram(t, async ({ route }) => {
    if (route === 'version') return { ...OLDER, pid: 1, startedAt };
    throw new CcwbError('ERR_NOT_FOUND', 'no route', 'upgrade');
  });
  refusing.answersAs(OLDER);
  t.equal(await replaceOlderDaemon(refusing.program), false);
});

t.test('an answer stays valid while the daemon is replaced, except the status', async (t) => {
  const credentials = await upgrading(t);
  t.equal(await askRunningDaemon(credentials.program, { route: 'credentials' }), 'answer');
  t.equal(credentials.routes().filter((route) => route === 'credentials').length, 1);
  const status = await upgrading(t);
  t.equal(await askRunningDaemon(status.program, { route: 'status' }), 'answer');
  t.equal(status.routes().filter((route) => route === 'status').length, 2);
});

t.test('a request that the older daemon refused is sent to the newer one', async (t) => {
  let drained = false;
  const fake = fakeProgram(t, async ({ route }: DaemonRequest) => {
    if (route === 'drain') {
      drained = true;
      return { state: 'ending' };
    }
    fake.answersAs(drained ? CURRENT : OLDER);
    if (route === 'version') return { ...(drained ? CURRENT : OLDER), pid: drained ? 2 : 1, startedAt };
    if (!drained) throw new CcwbError('ERR_PROTOCOL_VERSION', 'too new', 'restart');
    return 'answer';
  });
  const daemon = await fakeDaemon(fake.program.paths.socket);
  t.teardown(daemon.close);
  t.equal(await askRunningDaemon(fake.program, { route: 'status' }), 'answer');
});

t.test('a daemon is gone when none or another one answers', async (t) => {
  const nobody = fakeProgram(t, async () => {
    throw new CcwbError('ERR_DAEMON_UNREACHABLE', 'refused', 'start it');
  });
  t.equal(await waitUntilGone(nobody.program, { pid: 1 }, 10_000), true);
  const other = fakeProgram(t, async () => ({ ...CURRENT, pid: 2, startedAt }));
  t.equal(await waitUntilGone(other.program, { pid: 1 }, 10_000), true);
  const same = fakeProgram(t, async () => ({ ...CURRENT, pid: 1, startedAt }));
  t.equal(await waitUntilGone(same.program, { pid: 1 }, 50), false);
  const interrupted = fakeProgram(t, async () => ({ ...CURRENT, pid: 1, startedAt }), {
    interrupted: AbortSignal.timeout(50),
  });
  t.equal(await waitUntilGone(interrupted.program, { pid: 1 }, 60_000), false);
  t.equal(await drainDaemon(same.program, { pid: 1 }, 50), 'busy');
});
