import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { until } from '../fixtures/until.ts';
import { CREDENTIAL_SECONDS, pool } from './cycle.ts';
import { logText, mustRefresh, nothingLost, type Running, startRunning, WITH_PARENT } from './running.ts';
import { type Findings, faultGroup } from './table.ts';

const fault = faultGroup(t, 'time', 3);
const CLOCK = new URL('./clock.js', import.meta.url).href;
const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** Credentials and ID tokens of an hour, and a daemon whose clock can be set. */
const worlds = pool(2, async () => {
  const running = await startRunning(t);
  await running.home.endDaemon();
  await startWithClock(running);
  return running;
});

function clockFile({ home }: Running): string {
  return join(home.home, 'clock');
}

async function setClock(running: Running, offsetMs: number): Promise<void> {
  await writeFile(`${clockFile(running)}.new`, String(offsetMs));
  await rename(`${clockFile(running)}.new`, clockFile(running));
}

/** The installed daemon on the installed runtime, with another Date. */
async function startWithClock(running: Running): Promise<void> {
  const { home } = running;
  const [node, entry] = ['runtime/bin/node', 'daemon/index.js'].map((path) => join(home.directory, path));
  const log = join(home.directory, 'logs/daemon.log');
  const [file = '', ...args] = [...WITH_PARENT, node ?? '', '--import', CLOCK, entry ?? ''];
  const child = home.start(file, [...args, '--tick-seconds', '1', '--log-file', log], {
    env: { FAULTS_CLOCK: clockFile(running) },
  });
  child.stdout?.resume();
  child.stderr?.resume();
  await home.client.ask({ route: 'version', startingMs: 60_000 });
}

/** Sets a clock wrong while the daemon runs, asks, sets it right, and asks again. */
const wrongClock = (
  name: string,
  offsetMs: number,
  options: { restart?: boolean; needed?: boolean } = {},
): void =>
  fault(name, (t, findings) =>
    worlds(async (running) => {
      const before = await running.snapshot();
      const { home } = running;
      if (options.restart) await home.endDaemon();
      await setClock(running, offsetMs);
      if (options.restart) await startWithClock(running);
      // Whatever the daemon does about it by itself, it has done after a few looks.
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      const during = await running.call();
      findings.caller(`while it is wrong ${during.text}`);
      if (options.needed) t.equal(during.status, 0, during.stderr);
      if (during.status === 0) isGood(t, during.stdout, offsetMs);
      await setClock(running, 0);
      await until(async () => (await running.call()).status === 0);
      isGood(t, (await running.call()).stdout);
      findings.caller('when it is right again exit 0');
      findings.log(logText(await running.logSince(before)));
      const allowed = options.restart ? { restarted: true } : {};
      findings.survived(await nothingLost(t, running, before, allowed));
      await home.endDaemon();
      await startWithClock(running);
    }),
  );

/**
 * By the clock that AWS goes by: what a program compares with a clock that is off by `offsetMs` is written
 * for that clock.
 */
function isGood(t: Test, stdout: string, offsetMs = 0): void {
  const { Expiration } = JSON.parse(stdout) as { Expiration: string };
  const leftMs = Date.parse(Expiration) - offsetMs - Date.now();
  t.ok(leftMs > 0 && leftMs <= HOUR + SECOND, `${Expiration} is still to come`);
}

wrongClock('clock set two hours forwards', 2 * HOUR);
wrongClock('clock set two hours backwards', -2 * HOUR);
wrongClock('clock set a year forwards', 365 * 24 * HOUR);
wrongClock('clock set to 1970', -Date.now() + HOUR);
wrongClock('a daemon that starts in 1970', -Date.now() + HOUR, { restart: true });
wrongClock('clock set ten minutes forwards', HOUR / 6);
wrongClock('clock set ten minutes backwards', -HOUR / 6);
wrongClock('a daemon that starts with its clock two hours ahead', 2 * HOUR, { restart: true, needed: true });
wrongClock('a daemon that starts with its clock two hours behind', -2 * HOUR, {
  restart: true,
  needed: true,
});

fault('clock set ten minutes backwards: the daemon goes on looking at what is due', (t, findings) =>
  worlds(async (running) => {
    const before = await running.snapshot();
    await setClock(running, -HOUR / 6);
    const config = join(running.home.directory, 'config.json');
    const text = await readFile(config, 'utf8');
    await writeFile(config, '{');
    // Nobody asks: only a look by itself can have noticed.
    await until(async () => (await running.logSince(before)).some(({ code }) => code), 20_000);
    await writeFile(config, text);
    await setClock(running, 0);
    t.equal((await running.call()).status, 0);
    findings.log(logText(await running.logSince(before)));
    findings.survived(await nothingLost(t, running, before));
  }),
);

fault('clock set forwards and backwards every half a second', (t, findings) =>
  worlds(async (running) => {
    const before = await running.snapshot();
    for (const hours of [1, -1, 5, 0, -5, 12, -12, 0]) {
      await setClock(running, hours * HOUR);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    await until(async () => (await running.call()).status === 0);
    isGood(t, (await running.call()).stdout);
    findings.caller('when it is right again exit 0');
    findings.log(logText(await running.logSince(before)));
    findings.survived(await nothingLost(t, running, before));
    await running.home.endDaemon();
    await startWithClock(running);
  }),
);

const asleep = (
  name: string,
  body: (t: Test, findings: Findings, running: Running, pid: number) => Promise<void>,
): void =>
  fault(name, (t, findings) =>
    worlds(async (running) => {
      await until(async () => (await running.call()).status === 0);
      const before = await running.snapshot();
      t.teardown(() => {
        try {
          process.kill(before.pid, 'SIGCONT');
        } catch {
          // It has ended.
        }
      });
      await body(t, findings, running, before.pid);
      const after = await running.call();
      t.equal(after.status, 0, after.stderr);
      isGood(t, after.stdout);
      findings.log(logText(await running.logSince(before)));
      findings.survived(await nothingLost(t, running, before));
    }),
  );
const sleepMs = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

asleep('suspended for four seconds, a caller waits', async (t, findings, running, pid) => {
  process.kill(pid, 'SIGSTOP');
  const call = running.call();
  await sleepMs(4_000);
  process.kill(pid, 'SIGCONT');
  const waited = await call;
  t.equal(waited.status, 0, waited.stderr);
  findings.caller(waited.text);
});
asleep('suspended for longer than a caller waits', async (t, findings, running, pid) => {
  process.kill(pid, 'SIGSTOP');
  const waited = await running.call();
  t.match(waited, { status: 1, stdout: '' });
  t.match(waited.code, /^ERR_DAEMON_(UNREACHABLE|START)$/);
  t.match(waited.stderr, /does not answer|no answer/);
  process.kill(pid, 'SIGCONT');
  findings.caller(`${waited.text}; awake exit 0`);
});
asleep('suspended for longer than the credentials live', async (t, findings, running, pid) => {
  const { aws } = running.sandbox;
  aws.setCredentialSeconds(CREDENTIAL_SECONDS);
  await running.forgetCredentials();
  const { key } = await running.call();
  process.kill(pid, 'SIGSTOP');
  await sleepMs(CREDENTIAL_SECONDS * SECOND);
  process.kill(pid, 'SIGCONT');
  const first = await running.call();
  t.equal(first.status, 0, first.stderr);
  t.not(first.key, key, 'never credentials that have expired');
  findings.caller(`awake ${first.text}`);
  aws.setCredentialSeconds(3_600);
  await running.forgetCredentials();
});
asleep('suspended in the middle of a refresh', async (t, findings, running, pid) => {
  const { provider } = running.sandbox;
  provider.setFault('token', { kind: 'slow', ms: 1_000 }, 1);
  const { refreshGrants } = provider.counts;
  await mustRefresh(running);
  const call = running.call();
  await until(() => provider.counts.refreshGrants > refreshGrants);
  process.kill(pid, 'SIGSTOP');
  await sleepMs(3_000);
  process.kill(pid, 'SIGCONT');
  const waited = await call;
  t.equal(waited.status, 0, waited.stderr);
  t.equal(provider.counts.refreshGrants - refreshGrants, 1, 'one refresh');
  findings.caller(waited.text);
});
asleep('awake before the network is', async (t, findings, running, pid) => {
  const { aws, provider } = running.sandbox;
  aws.setCredentialSeconds(CREDENTIAL_SECONDS);
  await running.forgetCredentials();
  await running.call();
  process.kill(pid, 'SIGSTOP');
  await Promise.all([provider.stop(), aws.stop()]);
  await sleepMs(CREDENTIAL_SECONDS * SECOND);
  process.kill(pid, 'SIGCONT');
  const offline = await running.call();
  t.match(offline, { status: 1, stdout: '', code: /^ERR_(AWS|PROVIDER)_UNREACHABLE$/ });
  findings.caller(`offline ${offline.text}`);
  aws.setCredentialSeconds(3_600);
  await Promise.all([provider.start(), aws.start()]);
  await until(() => running.hasCredentials());
  findings.caller('online exit 0, by itself');
});
