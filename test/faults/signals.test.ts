import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { signInOverHttp } from '../../sandbox/browser/browserless.ts';
import { until } from '../fixtures/until.ts';
import { type Allowed, type Answer, logText, nothingLost, startRunning } from './running.ts';
import { type Findings, faultGroup } from './table.ts';

const fault = faultGroup(t, 'signals');
const running = await startRunning(t, {
  sandbox: { provider: { rotationGraceSeconds: 120 } },
  installation: { browser: 'notes' },
  signedIn: false,
});
const { home, sandbox } = running;
await signIn();

/** The browser of this world only notes the address. */
async function signIn(): Promise<void> {
  const { length } = await home.openedPages();
  const call = running.call({ signIn: true });
  await signInOverHttp(await until(async () => (await home.openedPages())[length]));
  await call;
}

const signalled = (
  name: string,
  body: (t: Test, findings: Findings, pid: number) => Promise<Allowed | undefined>,
): void =>
  fault(name, async (t, findings) => {
    if ((await running.call()).status !== 0) throw new Error('nobody is signed in');
    const before = await running.snapshot();
    const allowed = await body(t, findings, before.pid);
    t.equal((await running.call()).status, 0, 'and the next caller gets credentials');
    findings.log(logText(await running.logSince(before)));
    findings.survived(await nothingLost(t, running, before, allowed));
    if (allowed?.restarted) await running.restartDaemon();
  });

/** Twenty callers that wait for a daemon that has just started, whose refresh takes its time. */
async function inFlight(): Promise<{ pid: number; answers: Promise<Answer>[] }> {
  const { refreshGrants } = sandbox.provider.counts;
  sandbox.provider.setFault('token', { kind: 'slow', ms: 700 }, 1);
  const child = await running.restartDaemon();
  const answers = Array.from({ length: 20 }, () => running.ask());
  await until(() => sandbox.provider.counts.refreshGrants > refreshGrants);
  // Answered after those before it were taken in.
  await home.client.ask({ route: 'version' });
  return { pid: child.pid ?? 0, answers };
}

const gone = (pid: number): Promise<boolean> =>
  until(() => !existsSync(`/proc/${pid}/stat`) || / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  signalled(`${signal} with 20 callers waiting for a refresh`, async (t, findings) => {
    const { pid, answers } = await inFlight();
    process.kill(pid, signal);
    const got = await Promise.all(answers);
    t.equal(got.filter(({ ok }) => ok).length, 20, 'all are answered');
    await gone(pid);
    t.notOk(existsSync(home.socket), 'the socket is gone');
    findings.caller('20 times answered, then it ends');
    return { restarted: true };
  });
}
signalled('SIGTERM three times', async (t, findings) => {
  const { pid, answers } = await inFlight();
  for (let times = 0; times < 3; times += 1) {
    try {
      process.kill(pid, 'SIGTERM');
    } catch {
      // It has ended already.
    }
    await sleep(50);
  }
  await gone(pid);
  const got = await Promise.all(answers);
  const answered = got.filter(({ ok }) => ok).length;
  findings.caller(answered === 20 ? '20 times answered' : 'cut off; the next call exit 0');
  t.pass();
  return { restarted: true, reuses: true };
});
for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGPIPE', 'SIGWINCH', 'SIGCONT'] as const) {
  signalled(`${signal}`, async (t, findings, pid) => {
    for (let times = 0; times < 20; times += 1) process.kill(pid, signal);
    const call = await running.call();
    t.equal(call.status, 0, call.stderr);
    if (signal === 'SIGUSR1') {
      t.same(listeners(pid), [], 'no debugger');
      findings.survived('no debugger on a port');
    }
    findings.caller(call.text);
    return undefined;
  });
}
for (const signal of ['SIGQUIT', 'SIGUSR2', 'SIGABRT', 'SIGSEGV', 'SIGALRM'] as const) {
  signalled(`${signal}: the daemon dies of it`, async (t, findings, pid) => {
    process.kill(pid, signal);
    await gone(pid);
    const call = await running.call();
    t.equal(call.status, 0, call.stderr);
    findings.caller(`the next call ${call.text}`);
    return { restarted: true };
  });
}

signalled('SIGTERM in the middle of a rotation', async (t, findings) => {
  const { issued, pid } = await new Promise<{ issued: number; pid: number }>((resolve, reject) => {
    const remove = sandbox.provider.onTokenReply((moment) => {
      if (moment !== 'half') return undefined;
      remove();
      // The first half of the answer is on its way, the second follows.
      return running.snapshot().then(async ({ counts, pid }) => {
        process.kill(pid, 'SIGTERM');
        await sleep(300);
        resolve({ issued: counts.refreshTokensIssued, pid });
      }, reject);
    });
    running.restartDaemon().catch(reject);
  });
  t.ok(issued > 0);
  await gone(pid);
  findings.caller('the next call exit 0');
  return { restarted: true };
});

fault('SIGTERM while a caller waits for a sign-in', async (t, findings) => {
  const before = await running.snapshot();
  await home.run(home.program('bedrock-auth'), ['logout']);
  const call = running.call({ signIn: true });
  await until(async () => (await home.openedPages())[before.pages]);
  process.kill(before.pid, 'SIGTERM');
  let hasEnded = false;
  void call.finally(() => {
    hasEnded = true;
  });
  const nextPage = await until(async () => hasEnded || (await home.openedPages())[before.pages + 1]);
  await gone(before.pid);
  if (typeof nextPage === 'string') {
    // It had opened the page and not begun to wait: then a new daemon has a sign-in for it, once.
    await signInOverHttp(nextPage);
    const ended = await call;
    t.equal(ended.status, 0, ended.stderr);
    findings.caller('asked to sign in once more, exit 0');
    await running.restartDaemon();
  } else {
    const ended = await call;
    t.match(ended, { status: 1, stdout: '' });
    t.match(ended.code, /^ERR_(LOGIN_CANCELLED|DAEMON_UNREACHABLE|NOT_FOUND)$/);
    await running.startDaemon();
    await signIn();
    findings.caller(`${ended.text}; the next sign-in exit 0`);
  }
  findings.log(logText(await running.logSince(before)));
  before.counts.codeExchanges -= 1;
  findings.survived(await nothingLost(t, running, before, { pages: 2, restarted: true }));
});

fault('the reader of the daemon’s standard output goes away', async (t, findings) => {
  const before = await running.snapshot();
  await home.endDaemon();
  const child = home.start(home.program('bedrock-authd'), ['--tick-seconds', '1']);
  t.teardown(() => child.kill('SIGKILL'));
  await home.client.ask({ route: 'version', startingMs: 60_000 });
  child.stdout?.destroy();
  child.stderr?.destroy();
  for (let times = 0; times < 5; times += 1) {
    await running.forgetCredentials();
    const call = await running.call();
    t.equal(call.status, 0, call.stderr);
  }
  findings.caller('exit 0');
  findings.survived(await nothingLost(t, running, before, { restarted: true }));
  const ended = once(child, 'exit');
  await running.restartDaemon();
  await ended;
});

/** Ports a process listens on, from proc(5). */
function listeners(pid: number): number[] {
  if (process.platform !== 'linux') return [];
  const own = readdirSync(`/proc/${pid}/fd`).map((fd) => readLink(`/proc/${pid}/fd/${fd}`));
  return ['tcp', 'tcp6']
    .flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && own.includes(`socket:[${fields[9]}]`))
    .map((fields) => Number.parseInt(fields[1]?.split(':')[1] ?? '0', 16));
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
