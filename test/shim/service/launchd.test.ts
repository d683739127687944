import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { createLaunchdManager, LAUNCHD_LABEL, type Launchctl } from '../../../shim/service/launchd.ts';
import { REPOSITORY } from '../fixtures/installation.ts';
import { fakeProgram } from '../fixtures/program.ts';

// launchd runs only on macOS: the outputs here are those of launchctl(1) on macOS 14.
const DOMAIN = `gui/${process.getuid?.()}`;
const TARGET = `${DOMAIN}/${LAUNCHD_LABEL}`;

const home = mkdtempSync(join(tmpdir(), 'ccwb-'));
const homeBefore = process.env.HOME;
process.env.HOME = home;
t.teardown(() => {
  if (homeBefore !== undefined) process.env.HOME = homeBefore;
  rmSync(home, { recursive: true });
});
const PLIST = join(home, 'Library/LaunchAgents', `${LAUNCHD_LABEL}.plist`);

/** Creates a launchd with one agent in the given state. It keeps a list of the commands it received. */
function mac(t: Parameters<typeof fakeProgram>[0], { session = true, loaded = false, running = false } = {}) {
  const orders: string[] = [];
  const state = { loaded, running };
  const launchctl: Launchctl = async (_limitMs, ...args) => {
    const [order, target] = args;
    const reply = (status: number, output = '') => ({ end: { kind: 'exited', status } as const, output });
    if (order === 'print' && target === DOMAIN) return session ? reply(0, 'type = login') : reply(113);
    if (order === 'print') return state.loaded ? reply(0, printed(state.running)) : reply(113);
    orders.push(args.join(' '));
    if (order === 'bootstrap' && state.loaded) return reply(5);
    if (order === 'bootout' && !state.loaded) return reply(3);
    if (order === 'bootstrap') Object.assign(state, { loaded: true, running: true });
    if (order === 'bootout') Object.assign(state, { loaded: false, running: false });
    if (order === 'kickstart') state.running = true;
    if (order === 'kill') state.running = false;
    return reply(0);
  };
  const { program } = fakeProgram(t, async () => undefined, { platform: 'darwin', installation: REPOSITORY });
  return { manager: createLaunchdManager(program, launchctl), orders, state };
}

function printed(running: boolean): string {
  const state = running ? '\tstate = running\n\n\tpid = 4242\n' : '\tstate = not running\n';
  return `${TARGET} = {\n\tactive count = 1\n\tpath = ${PLIST}\n${state}\timmediate reason = inefficient\n}\n`;
}

t.test('the agent is a file in the home, with the path of the installation', async (t) => {
  const { manager } = mac(t);
  const [file] = manager.files();
  t.equal(file?.path, PLIST);
  t.match(file?.text, `<string>${REPOSITORY}/bedrock-authd</string>`);
  t.notMatch(file?.text, '@INSTALL_DIRECTORY@');
  t.equal(manager.isInstalled(), false);
  mkdirSync(dirname(PLIST), { recursive: true });
  writeFileSync(PLIST, file?.text ?? '');
  t.equal(manager.isInstalled(), true);
  t.match(readFileSync(PLIST, 'utf8'), LAUNCHD_LABEL);
});

t.test('without a session at the screen the service is unavailable', async (t) => {
  await mac(t).manager.checkAvailable();
  await t.rejects(mac(t, { session: false }).manager.checkAvailable(), {
    code: 'ERR_SERVICE_UNAVAILABLE',
    fix: /nothing is lost/,
  });
});

t.test('the state is read from the output of launchctl print', async (t) => {
  t.same(await mac(t).manager.readState(), { enabled: false, pid: undefined, listening: false });
  t.same(await mac(t, { loaded: true }).manager.readState(), {
    enabled: true,
    pid: undefined,
    listening: false,
  });
  const running = mac(t, { loaded: true, running: true });
  t.same(await running.manager.readState(), { enabled: true, pid: 4242, listening: false });
  t.equal(running.manager.isLingering(), undefined);
});

t.test('a changed file is unloaded and loaded again', async (t) => {
  for (const loaded of [false, true]) {
    const { manager, orders, state } = mac(t, { loaded });
    await manager.enable();
    t.strictSame(orders, [`bootout ${TARGET}`, `enable ${TARGET}`, `bootstrap ${DOMAIN} ${PLIST}`]);
    t.same(state, { loaded: true, running: true });
  }
});

t.test('the agent is started, asked to start and stopped with launchctl', async (t) => {
  const stopped = mac(t, { loaded: true });
  await stopped.manager.start();
  await stopped.manager.requestStart();
  t.strictSame(stopped.orders, [`kickstart ${TARGET}`, `kickstart ${TARGET}`]);
  await stopped.manager.stop();
  t.equal(stopped.orders.at(-1), `kill SIGTERM ${TARGET}`);
  await stopped.manager.stop();
  t.equal(stopped.orders.length, 3, 'one that does not run is not stopped');
  const unloaded = mac(t);
  await unloaded.manager.start();
  t.strictSame(unloaded.orders, [`bootstrap ${DOMAIN} ${PLIST}`, `kickstart ${TARGET}`]);
});

t.test('removing leaves nothing, also after a partial installation', async (t) => {
  for (const loaded of [true, false]) {
    const { manager, state } = mac(t, { loaded, running: loaded });
    await manager.remove();
    t.equal(manager.isInstalled(), false);
    t.same(state, { loaded: false, running: false });
  }
});

t.test('a failed launchctl command is an error whose fix shows the cause', async (t) => {
  const { program } = fakeProgram(t, async () => undefined, { platform: 'darwin', installation: REPOSITORY });
  const refusing = createLaunchdManager(program, async (_, order) => ({
    end: order === 'kickstart' ? { kind: 'exited', status: 1 } : { kind: 'exited', status: 0 },
    output: '',
  }));
  await t.rejects(refusing.start(), {
    code: 'ERR_SERVICE_FAILED',
    message: `launchctl kickstart ${TARGET} ended with status 1`,
    fix: /launchctl print/,
  });
  await refusing.requestStart();
  const stuck = createLaunchdManager(program, async () => ({
    end: { kind: 'failed', reason: 'SIGKILL' },
    output: '',
  }));
  await t.rejects(stuck.enable(), { code: 'ERR_SERVICE_FAILED' });
});
