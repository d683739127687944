import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { keyring, missing, sessionBus } from '../../tools/support/find-tool.ts';
import { type Keyring, startKeyring } from '../fixtures/keyring.ts';
import { until } from '../fixtures/until.ts';
import { logText, mustRefresh, nothingLost, PROFILE, type Running, startRunning } from './running.ts';
import { type Findings, faultGroup } from './table.ts';

const fault = faultGroup(t, 'storage', 3);
// A store that failed is tried again after half a minute.
t.setTimeout(600_000);

const mounts =
  process.getuid?.() === 0 && spawnSync('mount', ['--version']).status === 0
    ? false
    : 'needs root, to mount a disk of its own';
const noKeyring = missing({ 'gnome-keyring': keyring, 'dbus-run-session': sessionBus });

function mounted(t: Test, ...args: string[]): void {
  const directory = args.at(-1) ?? '';
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${stderr}`);
  // Before the home is removed.
  t.teardown(() => spawnSync('umount', ['--lazy', directory]));
}

async function refreshes(t: Test, running: Running, findings: Findings, when: string): Promise<void> {
  const { refreshGrants } = running.sandbox.provider.counts;
  await mustRefresh(running);
  const call = await running.call();
  findings.caller(`${when} ${call.text}`);
  if (call.status !== 0) {
    // A keyring that does not answer is given its time, more than a caller has.
    t.equal(call.code, 'ERR_REFRESH_PENDING', call.stderr);
    await until(async () => (await running.call()).status === 0);
    findings.caller('a little later exit 0');
  }
  t.equal(running.sandbox.provider.counts.refreshGrants, refreshGrants + 1, 'with a new refresh token');
}

async function problemOf({ home }: Running): Promise<string | undefined> {
  return (await home.status()).profiles.find(({ profile }) => profile === PROFILE)?.problem?.code;
}

/** What could not be written is, in the end; a caller now and then is enough. */
async function storedAgain(running: Running): Promise<void> {
  await until(async () => {
    await running.call();
    return (await problemOf(running)) === undefined;
  });
}

/** Writes until nothing more fits, not a byte. */
async function fill(directory: string): Promise<string> {
  const path = join(directory, 'filler');
  for (const bytes of [4_096, 1]) {
    for (;;) {
      const written = await writeFile(path, 'x'.repeat(bytes), { flag: 'a' }).then(
        () => true,
        () => false,
      );
      if (!written) break;
    }
  }
  return path;
}

fault(
  'the disk with the session file is full during a rotation',
  async (t, findings) => {
    const running = await startRunning(t, { signedIn: false });
    const { home } = running;
    await home.endDaemon();
    const disk = join(home.home, 'run');
    mounted(t, '-t', 'tmpfs', '-o', 'size=256k,mode=700', 'tmpfs', disk);
    await running.startDaemon();
    await home.run(home.program('bedrock-auth'), ['login']);
    const before = await running.snapshot();
    const filler = await fill(disk);
    await refreshes(t, running, findings, 'while it is full');
    t.equal(await problemOf(running), 'ERR_STORE_FAILED', 'and status tells');
    await refreshes(t, running, findings, 'again');
    await rm(filler);
    await storedAgain(running);
    findings.log(logText(await running.logSince(before)));
    findings.survived(await nothingLost(t, running, before));
    await home.endDaemon();
  },
  { skip: mounts },
);

fault(
  'the disk with the home is full: no log, no audit log',
  async (t, findings) => {
    const running = await startRunning(t);
    const { home } = running;
    const before = await running.snapshot();
    await home.endDaemon();
    const disk = join(home.directory, 'logs');
    mounted(t, '-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', disk);
    await fill(disk);
    const call = await running.call();
    t.equal(call.status, 0, call.stderr);
    findings.caller(call.text);
    await refreshes(t, running, findings, 'and after a refresh');
    await home.endDaemon();
    spawnSync('umount', ['--lazy', disk]);
    await running.startDaemon();
    findings.survived(await nothingLost(t, running, before, { restarted: true }));
  },
  { skip: mounts },
);

for (const storage of ['session', 'keyring'] as const) {
  fault(
    `the home is read-only, storage ${storage}`,
    async (t, findings) => {
      const bus = storage === 'keyring' ? await startKeyring(t) : undefined;
      const running = await startRunning(t, {
        profile: { credential_storage: storage },
        ...(bus ? { installation: { env: bus.env } } : {}),
      });
      const { home } = running;
      await home.endDaemon();
      // As a home is on a disk that the kernel has found broken; the runtime directory is on none.
      const runtime = join(home.home, 'run');
      const kept = join(home.home, 'kept');
      await rename(runtime, kept);
      await mkdir(runtime, { mode: 0o700 });
      mounted(t, '--bind', home.home, home.home);
      mounted(t, '-o', 'remount,ro,bind', home.home);
      mounted(t, '-t', 'tmpfs', '-o', 'size=4m,mode=700', 'tmpfs', runtime);
      await spawnCopy(kept, runtime);
      const before = { ...(await startedWithoutLog(running)), pages: (await home.openedPages()).length };
      await refreshes(t, running, findings, 'from the start on');
      await refreshes(t, running, findings, 'again');
      const problem = await problemOf(running);
      t.equal(problem, undefined, 'what keeps the session is not on that disk');
      await home.endDaemon();
      const call = await running.call();
      t.equal(call.status, 0, call.stderr);
      findings.caller(`after a restart ${call.text}`);
      const allowed = { restarted: true, storedElsewhere: storage === 'keyring' };
      findings.survived(await nothingLost(t, running, before, allowed));
      await home.endDaemon();
    },
    { skip: mounts || (storage === 'keyring' && noKeyring) },
  );
}

async function spawnCopy(from: string, to: string): Promise<void> {
  spawnSync('cp', ['-a', `${from}/.`, to]);
}

/** A daemon that a caller starts, since there is nothing it could write a log to. */
async function startedWithoutLog(running: Running) {
  const call = await running.call();
  if (call.status !== 0) throw new Error(call.stderr);
  return running.snapshot();
}

fault('the home directory is missing', async (t, findings) => {
  const running = await startRunning(t);
  const { home } = running;
  const before = await running.snapshot();
  const nowhere = join(home.home, 'nowhere');
  for (const program of ['credential-process', 'otel-helper', 'bedrock-auth'] as const) {
    const args = program === 'bedrock-auth' ? ['status'] : [];
    const output = await home.run(home.program(program), args, {
      env: { HOME: nowhere, XDG_RUNTIME_DIR: join(nowhere, 'run') },
    });
    t.notOk(existsSync(nowhere), `${program} makes no home`);
    if (program === 'otel-helper') t.equal(output.stdout.trim(), '{}');
    else t.match(output, { status: 1, stderr: /\(ERR_\w+\)\n {2}fix: / }, program);
    findings.caller(
      `${program} exit ${output.status} ${/ERR_\w+/.exec(output.stderr)?.[0] ?? output.stdout.trim()}`,
    );
  }
  findings.survived(await nothingLost(t, running, before));
});

fault("the log's directory is removed while the daemon runs", async (t, findings) => {
  const running = await startRunning(t);
  const { home } = running;
  await rename(join(home.directory, 'logs'), join(home.directory, 'away'));
  const before = await running.snapshot();
  await refreshes(t, running, findings, 'meanwhile');
  await until(() => existsSync(join(home.directory, 'logs/audit.jsonl')));
  t.equal((await stat(join(home.directory, 'logs'))).mode & 0o777, 0o700);
  await running.restartDaemon();
  findings.log(logText(await running.logSince(before)));
  findings.survived(await nothingLost(t, running, before, { restarted: true }));
});

fault('the session file is removed while the daemon runs', async (t, findings) => {
  const running = await startRunning(t);
  const before = await running.snapshot();
  await rm(join(running.home.home, 'run/claude-code-with-bedrock/sessions'), { recursive: true });
  await refreshes(t, running, findings, 'meanwhile');
  findings.log(logText(await running.logSince(before)));
  findings.survived(await nothingLost(t, running, before));
});

/** Programs in place of the one that asks the keyring. */
const CHILDREN = {
  'hangs, as with a prompt that nobody sees':
    "process.on('message', () => {}); setInterval(() => {}, 1e6);\n",
  crashes: 'process.abort();\n',
} as const;

type KeyringWorld = { running: Running; bus: Keyring };

async function withKeyring(t: Test): Promise<KeyringWorld> {
  const bus = await startKeyring(t);
  const running = await startRunning(t, {
    profile: { credential_storage: 'keyring' },
    installation: { env: bus.env },
  });
  return { running, bus };
}

/** A keyring that fails during the day, is asked for at the start, and works again. */
const keyringFault = (
  name: string,
  code: RegExp,
  spoil: (world: KeyringWorld) => Promise<void>,
  mend: (world: KeyringWorld) => Promise<void>,
): void =>
  fault(
    `the keyring ${name}`,
    async (t, findings) => {
      const world = await withKeyring(t);
      const { running } = world;
      const { home } = running;
      const before = await running.snapshot();
      await spoil(world);
      await refreshes(t, running, findings, 'while it does');
      t.match(await problemOf(running), code, 'and status tells');
      await mend(world);
      await storedAgain(running);

      await home.endDaemon();
      await spoil(world);
      await running.startDaemon();
      const without = await running.call();
      t.match(without, { status: 1, stdout: '' });
      findings.caller(`after a restart ${without.text}`);
      await mend(world);
      await until(async () => (await running.call()).status === 0);
      findings.caller('once it works again exit 0');
      findings.log(logText(await running.logSince(before)));
      const allowed = { restarted: true, storedElsewhere: true };
      findings.survived(await nothingLost(t, running, before, allowed));
      await home.endDaemon();
    },
    { skip: noKeyring },
  );

for (const [name, program] of Object.entries(CHILDREN)) {
  const child = ({ running }: KeyringWorld): string =>
    join(running.home.directory, 'daemon/keyring-child.js');
  keyringFault(
    name,
    /^ERR_STORE_(LOCKED|FAILED)$/,
    async (world) => {
      await copyFile(child(world), `${child(world)}.good`);
      await writeFile(child(world), program);
    },
    (world) => rename(`${child(world)}.good`, child(world)),
  );
}
keyringFault(
  'is locked',
  /^ERR_STORE_LOCKED$/,
  ({ bus }) => bus.lock(),
  ({ bus }) => bus.unlock(),
);
keyringFault(
  'is gone, its service ended',
  /^ERR_STORE_/,
  ({ bus }) => bus.end(),
  ({ bus }) => bus.unlock(),
);
