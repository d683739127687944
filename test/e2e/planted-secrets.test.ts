import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import t, { type Test } from 'tap';
import { approveDevice, signInOverHttp } from '../../sandbox/browser/browserless.ts';
import type { IssuedSecret, SecretKind } from '../../sandbox/provider/issued-secrets.ts';
import { findTool, keyring, missing, sessionBus } from '../../tools/support/find-tool.ts';
import type { RunOptions } from '../../tools/support/installation.ts';
import type { Output } from '../../tools/support/output.ts';
import { ask } from '../daemon/fixtures/sockets.ts';
import { startKeyring } from '../fixtures/keyring.ts';
import { misplaced, type Place } from '../fixtures/secret-search.ts';
import { startWorld, type World } from '../fixtures/world.ts';

// Many programs one after the other, each under strace.
t.setTimeout(300_000);

const strace = findTool('/usr/bin/strace');
const dbusSend = findTool('/usr/bin/dbus-send');
const SKIP = process.platform === 'linux' ? missing({ strace }) : 'needs Linux';

const CLIENT_SECRET = 'planted-client-secret/with+signs=and-length';

const CREDENTIALS = ['AWS access key id', 'AWS secret access key', 'AWS session token'] as const;
/** An ID token names the nonce of its sign-in. */
const ID_TOKEN = ['ID token', 'nonce'] as const;
/** What the address of the sign-in page holds, so what its reader and its browser see. */
const ADDRESS = ['state', 'nonce'] as const;

/** `may`: what belongs on the program's standard output; `seen`: called with all of that so far. */
type Watched = RunOptions & { may?: readonly SecretKind[]; seen?: (stdout: string) => void };

/** One user's day, with every program under observation. */
type Observed = {
  world: World;
  /** All that was seen of the programs so far. */
  places: Place[];
  run(file: string, args: string[], options?: Watched): Promise<Output>;
  startDaemon(): Promise<void>;
  stopDaemon(): Promise<void>;
  /** What the daemon answers to requests that fail. */
  askInVain(when: string): Promise<void>;
  secrets(): IssuedSecret[];
};

function toTheEnd(child: ChildProcess, seen: (stdout: string) => void): Promise<Output> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    seen(stdout);
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin?.end();
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
}

async function observe(t: Test, storage: 'session' | 'keyring'): Promise<Observed> {
  const bus = storage === 'keyring' ? (await startKeyring(t)).env : {};
  const world = await startWorld(t, {
    sandbox: { provider: { clientSecret: CLIENT_SECRET } },
    profile: { client_secret: CLIENT_SECRET, credential_storage: storage },
    installation: { browser: 'notes', env: bus },
  });
  const { home, sandbox } = world;
  const traces = await mkdtemp(join(tmpdir(), 'ccwb-traces-'));
  t.teardown(() => rm(traces, { recursive: true }));
  const places: Place[] = [];
  let runs = 0;
  let daemon: { child: ChildProcess; ended: Promise<void> } | undefined;

  /** strace's arguments: every program that is started, with arguments and environment unshortened. */
  const traced = (file: string, args: readonly string[]) => {
    runs += 1;
    const output = join(traces, String(runs));
    const flags = ['-f', '-qq', '-v', '-s', '100000', '-e', 'trace=execve', '-e', 'signal=none'];
    return { output, args: [...flags, '-o', output, file, ...args] };
  };
  const keepTrace = async (name: string, output: string): Promise<void> => {
    places.push({ name: `arguments of ${name}`, bytes: await readFile(output), may: ADDRESS });
  };

  return {
    world,
    places,
    secrets: () => [...sandbox.provider.secrets(), ...sandbox.aws.secrets()],
    run: async (file, args, { may = [], seen = () => {}, ...options } = {}) => {
      const command = traced(file, args);
      const output = await toTheEnd(home.start(strace ?? '', command.args, options), seen);
      const name = `${relative(home.directory, file)} ${args.join(' ')} (${runs})`;
      places.push({ name: `standard output of ${name}`, bytes: Buffer.from(output.stdout), may });
      const address = file.endsWith('bedrock-auth') ? ADDRESS : [];
      places.push({ name: `standard error of ${name}`, bytes: Buffer.from(output.stderr), may: address });
      await keepTrace(name, command.output);
      return output;
    },
    startDaemon: async () => {
      const command = traced(home.program('bedrock-authd'), []);
      const child = home.start(strace ?? '', command.args);
      const name = `bedrock-authd (${runs})`;
      const chunks: Buffer[] = [];
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
        });
      const ended = new Promise<void>((resolve) => child.once('close', () => resolve())).then(async () => {
        places.push({ name: `output of ${name}`, bytes: Buffer.concat(chunks) });
        await keepTrace(name, command.output);
      });
      daemon = { child, ended };
      await home.client.ask({ route: 'version', startingMs: 60_000 });
    },
    stopDaemon: async () => {
      await home.endDaemon();
      await daemon?.ended;
    },
    askInVain: async (when) => {
      for (const path of ['credentials', 'id-token', 'otel-headers', 'expiration', 'nothing']) {
        const { status, body } = await ask(home.socket, { path: `/v1/profiles/ClaudeCode/${path}` });
        // Some of them may succeed: those are for the programs, whose output is looked at.
        if (status !== 200) places.push({ name: `reply ${path} ${when}`, bytes: Buffer.from(body) });
      }
      const { body } = await ask(home.socket, { path: '/v1/status' });
      places.push({ name: `reply status ${when}`, bytes: Buffer.from(body) });
    },
  };
}

/** Every file that was made or could have been changed; `except`: a part of the paths that are left out. */
async function filesOf({ world: { home } }: Observed, except?: string): Promise<Place[]> {
  const places: Place[] = [];
  for (const entry of await readdir(home.home, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(home.home, path);
    if (!entry.isFile() || (except !== undefined && name.includes(except))) continue;
    const may: readonly SecretKind[] = name.endsWith('config.json')
      ? ['client secret']
      : name === 'opened-pages'
        ? ADDRESS
        : [];
    places.push({ name: `file ${name}`, bytes: await readFile(path), may });
  }
  return places;
}

/** Signs in with a browser of the test's own, whose last page is looked at too. */
async function signIn(t: Test, observed: Observed): Promise<void> {
  const { home } = observed.world;
  const before = (await home.openedPages()).length;
  const login = observed.run(home.program('bedrock-auth'), ['login'], { may: ADDRESS });
  let ended = false;
  void login.then(() => {
    ended = true;
  });
  for (;;) {
    const url = (await home.openedPages())[before];
    if (url !== undefined) {
      const { body, callbackUrl = '' } = await signInOverHttp(url);
      observed.places.push({ name: 'page after the sign-in', bytes: Buffer.from(body) });
      // Once more, as from the browser's history.
      const again = await fetch(callbackUrl).then((response) => response.text(), String);
      observed.places.push({ name: 'page after the sign-in, again', bytes: Buffer.from(again) });
      break;
    }
    if (ended) break;
    await pause();
  }
  const { status, stderr } = await login;
  t.equal(status, 0, stderr);
}

async function signInWithCode(t: Test, { world: { home }, run }: Observed): Promise<void> {
  let login: Promise<Output> | undefined;
  const address = await new Promise<string>((resolve, reject) => {
    const seen = (stdout: string): void => {
      const [url] = /http\S+user_code=\S+(?=\n)/.exec(stdout) ?? [];
      if (url) resolve(url);
    };
    login = run(home.program('bedrock-auth'), ['login', '--device'], { may: ADDRESS, seen });
    login.then(({ stderr }) => reject(new Error(`it ended: ${stderr}`)), reject);
  });
  await approveDevice(address);
  t.equal((await login)?.status, 0);
}

/** Everything that asks, as it does on a good day. */
async function useEverything(t: Test, { world: { home }, run }: Observed): Promise<void> {
  const profile = ['--profile', 'ClaudeCode'];
  const process = home.program('credential-process');
  const programs: [string, string[], readonly SecretKind[]][] = [
    [process, profile, CREDENTIALS],
    [process, [], CREDENTIALS],
    [process, [...profile, '--get-monitoring-token'], ID_TOKEN],
    [process, [...profile, '--check-expiration'], []],
    [process, [...profile, '--clear-cache'], []],
    [process, [...profile, '--refresh-if-needed'], []],
    [process, [...profile, '--explain'], []],
    [home.program('otel-helper'), profile, []],
    [home.program('otel-helper'), ['--test', ...profile], []],
    [home.program('bedrock-auth'), ['status'], []],
    [home.program('bedrock-auth'), ['status', '--json'], []],
    [home.program('bedrock-auth'), ['login'], []],
  ];
  for (const [file, args, may] of programs) {
    const { status, stderr } = await run(file, args, { may });
    t.equal(status, 0, `${relative(home.directory, file)} ${args.join(' ')} ${stderr}`);
  }
}

/** A provider and an AWS that answer every request with all that they know, in the ways they fail. */
async function makeThingsGoWrong(t: Test, observed: Observed): Promise<void> {
  const { world, run, startDaemon, stopDaemon, askInVain, secrets } = observed;
  const { home, sandbox } = world;
  const everything = (): string =>
    secrets()
      .map(({ kind, value }) => `${kind} ${value}`)
      .join(' ');
  const json = (error: string) => ({
    contentType: 'application/json',
    body: JSON.stringify({ error, error_description: everything(), error_uri: `https://x/?${everything()}` }),
  });
  const html = () => ({ contentType: 'text/html', body: `<title>${everything()}</title>` });
  const off = { env: { CCWB_SIGN_IN: 'off' } };
  const inVain = async (when: string): Promise<void> => {
    await askInVain(when);
    t.equal(
      (await run(home.program('credential-process'), ['--profile', 'ClaudeCode'], off)).status,
      1,
      when,
    );
  };

  const atProvider = [
    ['server error', { kind: 'status', status: 500, ...json('server_error') }],
    ['server error as a page', { kind: 'status', status: 502, ...html() }],
    ['a captive portal', { kind: 'status', status: 200, ...html() }],
    ['a reply that is no token', { kind: 'status', status: 200, ...json('none') }],
    ['half a reply', { kind: 'status', status: 200, ...json('none'), body: `{"id_token":"${everything()}` }],
    ['an unknown error', { kind: 'status', status: 400, ...json('invalid_request') }],
    ['a refused client', { kind: 'status', status: 401, ...json('invalid_client') }],
    ['a redirect', { kind: 'redirect', location: `https://x.example/?${encodeURIComponent(everything())}` }],
  ] as const;
  for (const [when, fault] of atProvider) {
    await stopDaemon();
    sandbox.provider.setFault('token', fault);
    await startDaemon();
    await inVain(`with ${when} at the provider`);
    sandbox.provider.clearFaults();
  }

  await stopDaemon();
  await startDaemon();
  for (const [code, status] of [
    ['NotAuthorizedException', 400],
    ['InternalErrorException', 500],
  ] as const) {
    sandbox.aws.setFault('all', {
      kind: 'error',
      code,
      status,
      message: `Invalid login token. ${everything()}`,
    });
    await inVain(`with ${code} at AWS`);
    // An ID token is there all the same.
    await run(home.program('credential-process'), ['--get-monitoring-token'], { ...off, may: ID_TOKEN });
    await run(home.program('bedrock-auth'), ['status']);
    sandbox.aws.clearFaults();
  }

  sandbox.provider.setBadIdToken('alg-none');
  await stopDaemon();
  await startDaemon();
  await inVain('with an ID token that is not signed');
  sandbox.provider.setBadIdToken();

  const config = await readFile(join(home.directory, 'config.json'), 'utf8');
  await writeFile(join(home.directory, 'config.json'), config.replace('"client_secret":', '"client_secret"'));
  await stopDaemon();
  await startDaemon();
  await inVain('with a config.json that is no JSON');
  await writeFile(join(home.directory, 'config.json'), config);

  await stopDaemon();
  sandbox.provider.setFault('token', { kind: 'status', status: 400, ...json('invalid_grant') });
  await startDaemon();
  await inVain('with invalid_grant at the provider');
  await run(home.program('credential-process'), ['--get-monitoring-token'], off);
  await run(home.program('otel-helper'), []);
  await run(home.program('bedrock-auth'), ['status']);
  sandbox.provider.clearFaults();
}

/** Objects of every item in every collection of the keyring. */
async function keyringItems({ world: { home } }: Observed): Promise<string> {
  const { status, stdout, stderr } = await home.run(dbusSend ?? '', [
    ...['--print-reply', '--dest=org.freedesktop.secrets', '/org/freedesktop/secrets'],
    ...['org.freedesktop.Secret.Service.SearchItems', 'dict:string:string:'],
  ]);
  if (status !== 0) throw new Error(stderr);
  return [...stdout.matchAll(/object path "(.*)"/g)].map(([, path]) => path).join(' ');
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

const KINDS: readonly SecretKind[] = [
  ...['refresh token', 'access token', 'ID token', 'authorization code', 'device code', 'code verifier'],
  ...['client secret', 'state', 'nonce', ...CREDENTIALS],
] as const satisfies readonly SecretKind[];

for (const storage of ['session', 'keyring'] as const) {
  const tools =
    storage === 'keyring'
      ? missing({ 'gnome-keyring': keyring, 'dbus-run-session': sessionBus, 'dbus-send': dbusSend })
      : false;
  t.test(`no secret ends up where it does not belong: ${storage}`, { skip: SKIP || tools }, async (t) => {
    const observed = await observe(t, storage);
    const { world, places, run, startDaemon, stopDaemon, askInVain, secrets } = observed;
    const { home } = world;
    await startDaemon();
    await askInVain('before the sign-in');
    await run(home.program('credential-process'), [], { env: { CCWB_SIGN_IN: 'off' } });
    await signIn(t, observed);
    await useEverything(t, observed);
    await stopDaemon();
    await startDaemon();
    await useEverything(t, observed);

    const stored = (await filesOf(observed)).filter(({ name }) => name.includes('/sessions/'));
    const signedIn = await filesOf(observed, '/sessions/');
    t.same(misplaced([...places, ...signedIn], secrets()), [], 'while signed in');
    const held = misplaced(stored, secrets()).filter((found) => found.startsWith('refresh token, as it is'));
    t.equal(
      held.length,
      storage === 'session' ? 1 : 0,
      'the session file is where it is kept, or is not there',
    );

    await makeThingsGoWrong(t, observed);
    t.same(misplaced([...places, ...(await filesOf(observed, '/sessions/'))], secrets()), [], 'with faults');
    await signIn(t, observed);
    if (storage === 'keyring') t.not(await keyringItems(observed), '', 'it is in the keyring');
    t.equal((await run(home.program('bedrock-auth'), ['logout'])).status, 0);
    await signInWithCode(t, observed);
    await useEverything(t, observed);
    t.equal((await run(home.program('bedrock-auth'), ['logout'])).status, 0);
    await askInVain('after the sign-out');
    await stopDaemon();

    for (const kind of KINDS)
      t.ok(
        secrets().some((secret) => secret.kind === kind),
        `there was a ${kind} to look for`,
      );
    t.same(misplaced([...places, ...(await filesOf(observed))], secrets()), [], 'after the sign-out');
    if (storage === 'keyring') t.equal(await keyringItems(observed), '', 'nothing is left in the keyring');

    // That nothing was found means something only where it would have been.
    const all = places.map(({ name, bytes }) => ({ name, bytes }));
    const belongs = misplaced(all, secrets()).filter((found) =>
      found.includes(', as it is, in standard output'),
    );
    for (const kind of [...CREDENTIALS, 'ID token', 'state'])
      t.ok(
        belongs.some((found) => found.startsWith(`${kind}, `)),
        `${kind} was seen where it belongs`,
      );
    const traces = places.filter(({ name }) => name.startsWith('arguments of'));
    const seen = Buffer.concat(traces.map(({ bytes }) => bytes)).toString('latin1');
    for (const program of ['/daemon/index.js', '/shim/bedrock-auth.js', '/usr/bin/curl', '/browser'])
      t.ok(seen.includes(program), `${program} was watched`);
    if (storage === 'keyring')
      t.ok(seen.includes('/daemon/keyring-child.js'), 'and the keyring\u2019s child');
  });
}
