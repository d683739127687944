import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Credentials, ExpirationReply } from '../../protocol/api.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { ProviderCountValues, RefreshTokenState } from '../../sandbox/provider/identity-provider.ts';
import type { Installation, RunOptions } from '../../tools/support/installation.ts';
import { until } from '../fixtures/until.ts';
import { startWorld, type World, type WorldOptions } from '../fixtures/world.ts';

export const PROFILE = 'ClaudeCode';

/** A test that is stopped leaves no daemon behind, where the kernel can be told so. */
export const WITH_PARENT = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL'] : [];

/** What a program of the installation did, as its caller sees it. */
export type Call = {
  status: number | null;
  stdout: string;
  stderr: string;
  /** The access key id of credentials on standard output. */
  key: string | undefined;
  /** Of an error on standard error. */
  code: string | undefined;
  /** `exit 1 ERR_X: what went wrong`. */
  text: string;
};

export type Answer =
  | { ok: true; key: string; expiresAt: number }
  | { ok: false; code: string; message: string };

export type LogEntry = { level: string; event: string; code?: string; [field: string]: unknown };

/** What can be counted before a fault and after it. */
export type Snapshot = { counts: ProviderCountValues; pages: number; pid: number; log: number };

/** A world whose daemon looks at what is due once a second. */
export type Running = World & {
  /** Runs credential-process, by default where sign-ins are switched off. */
  call(options?: RunOptions & { profile?: string; signIn?: boolean; args?: string[] }): Promise<Call>;
  /** Asks the daemon as the shims do, without the cost of a process. */
  ask(profile?: string): Promise<Answer>;
  /** Whether there are credentials in memory; starts nothing. */
  hasCredentials(profile?: string): Promise<boolean>;
  forgetCredentials(profile?: string): Promise<void>;
  startDaemon(flags?: readonly string[], options?: RunOptions): Promise<ChildProcess>;
  /** Ends the daemon, waits until it is gone, and starts it again. */
  restartDaemon(signal?: NodeJS.Signals): Promise<ChildProcess>;
  snapshot(): Promise<Snapshot>;
  logSince(snapshot: Snapshot): Promise<LogEntry[]>;
};

export async function startRunning(
  t: Pick<Test, 'teardown'>,
  options: WorldOptions & { signedIn?: boolean; moreProfiles?: Record<string, Record<string, unknown>> } = {},
): Promise<Running> {
  const world = await startWorld(t, options);
  const running = runningWorld(world);
  if (options.moreProfiles) {
    const base = { ...world.sandbox.profile({ redirect_port: world.redirectPort }), ...options.profile };
    const more = Object.entries(options.moreProfiles).map(([name, fields]) => [name, { ...base, ...fields }]);
    await world.home.writeConfig({ [PROFILE]: base, ...Object.fromEntries(more) });
  }
  await running.startDaemon();
  if (options.signedIn ?? true) await signIn(world.home);
  return running;
}

export async function signIn(home: Installation): Promise<void> {
  const { status, stderr } = await home.run(home.program('bedrock-auth'), ['login', '--profile', PROFILE]);
  if (status !== 0) throw new Error(`the sign-in ended with ${status}: ${stderr}`);
}

/** Makes the next call, or the daemon's own next refresh, spend the refresh token. */
export async function mustRefresh({ sandbox, forgetCredentials, hasCredentials }: Running): Promise<void> {
  // Those of the sign-in may be on their way still, and would be shared.
  await until(() => hasCredentials());
  const message = 'Invalid login token. Token expired: 2 >= 1';
  const expired = { kind: 'error', code: 'NotAuthorizedException', message } as const;
  sandbox.aws.setFault('GetCredentialsForIdentity', expired, 1);
  await forgetCredentials();
}

export function runningWorld(world: World): Running {
  const { home, sandbox } = world;
  const params = (profile = PROFILE) => ({ params: { profile } });

  const startDaemon: Running['startDaemon'] = async (flags = [], options = {}) => {
    const log = join(home.directory, 'logs/daemon.log');
    const daemon = [home.program('bedrock-authd'), '--tick-seconds', '1', '--log-file', log, ...flags];
    const [file = '', ...args] = [...WITH_PARENT, ...daemon];
    const child = home.start(file, args, options);
    child.stdout?.resume();
    child.stderr?.resume();
    await home.client.ask({ route: 'version', startingMs: 60_000 });
    return child;
  };

  return {
    ...world,
    startDaemon,
    call: async ({ profile = PROFILE, signIn: may = false, args = [], env = {}, ...options } = {}) => {
      const output = await home.run(home.program('credential-process'), ['--profile', profile, ...args], {
        ...options,
        env: { ...(may ? {} : { CCWB_SIGN_IN: 'off' }), ...env },
      });
      return asCall(output);
    },
    ask: async (profile) => {
      try {
        const reply = await home.client.ask<Credentials>({ route: 'credentials', ...params(profile) });
        return { ok: true, key: reply.AccessKeyId, expiresAt: Date.parse(reply.Expiration) };
      } catch (error) {
        if (!(error instanceof CcwbError)) throw error;
        return { ok: false, code: error.code, message: error.message };
      }
    },
    hasCredentials: async (profile) =>
      (await home.client.ask<ExpirationReply>({ route: 'expiration', ...params(profile) })).valid,
    forgetCredentials: async (profile) => {
      await home.client.ask({ route: 'forgetCredentials', ...params(profile) });
    },
    restartDaemon: async (signal = 'SIGTERM') => {
      await home.endDaemon(signal);
      return startDaemon();
    },
    snapshot: async () => ({
      counts: { ...sandbox.provider.counts },
      pages: (await home.openedPages()).length,
      pid: (await home.client.ask<{ pid: number }>({ route: 'version' })).pid,
      log: (await home.daemonLog()).length,
    }),
    logSince: async ({ log }) => parseLog((await home.daemonLog()).slice(log)),
  };
}

export function asCall({
  status,
  stdout,
  stderr,
}: {
  status: number | null;
  stdout: string;
  stderr: string;
}): Call {
  // Where to sign in is told first.
  const line = stderr.split('\n').find((text) => /\(ERR_\w+\)$/.test(text)) ?? '';
  const code = /\((ERR_\w+)\)$/.exec(line)?.[1];
  const message = line.replace(/^[\w-]+: /, '').replace(/ \(ERR_\w+\)$/, '');
  const key = /"AccessKeyId":"(\w+)"/.exec(stdout)?.[1];
  const text = `exit ${status}${code ? ` ${code}: ${message}` : ''}`;
  return { status, stdout, stderr, key, code, text };
}

function parseLog(text: string): LogEntry[] {
  return text
    .split('\n')
    .filter(Boolean)
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as LogEntry];
      } catch {
        return [{ level: 'error', event: line }];
      }
    });
}

/** Events of every day that a line of the table has no room for. */
const ROUTINE = /^(credentials refreshed|ID token refreshed|daemon started|session restored|node warning)$/;

/** What a person who looks into the log finds, each kind of line once. */
export function logText(entries: readonly LogEntry[]): string {
  const times = new Map<string, number>();
  for (const { event, code } of entries) {
    if (ROUTINE.test(event)) continue;
    const line = code ? `${event} ${code}` : event;
    times.set(line, (times.get(line) ?? 0) + 1);
  }
  return [...times].map(([line, count]) => (count > 1 ? `${line} ×${count}` : line)).join(', ');
}

export function sessionDirectory(home: Installation): string {
  return join(home.env.XDG_RUNTIME_DIR ?? '', 'claude-code-with-bedrock', 'sessions');
}

/** The session files there are, with what they hold. */
export async function storedSessions(home: Installation): Promise<{ path: string; text: string }[]> {
  const directory = sessionDirectory(home);
  const names = await readdir(directory).catch(() => []);
  const texts = names
    .filter((name) => name.endsWith('.json'))
    .map(async (name) => ({
      path: join(directory, name),
      text: await readFile(join(directory, name), 'utf8').catch(() => ''),
    }));
  return (await Promise.all(texts)).filter(({ text }) => text !== '');
}

/** The refresh token in the only session file, undefined when there is none. */
export async function storedToken(home: Installation): Promise<string | undefined> {
  const [session] = await storedSessions(home);
  return session && (JSON.parse(session.text) as { refreshToken?: string }).refreshToken;
}

/** As another process of the same user would that has a newer token. */
export async function replaceStoredToken(home: Installation, refreshToken: string): Promise<void> {
  const [session] = await storedSessions(home);
  if (!session) throw new Error('no session is stored');
  await writeFile(session.path, JSON.stringify({ ...JSON.parse(session.text), refreshToken }));
}

/** What a fault may cost; everything that is not named here must not have happened. */
export type Allowed = {
  pages?: number;
  refused?: number;
  /** Uses of a token that was exchanged before, inside its grace. */
  reuses?: boolean;
  restarted?: boolean;
  /** Where the refresh token is not in a session file. */
  storedElsewhere?: boolean;
  tokenStates?: readonly RefreshTokenState[];
  defects?: boolean;
};

/** Asserts that nothing was lost since the snapshot, and says what was looked at. */
export async function nothingLost(
  t: Test,
  { home, sandbox, snapshot, logSince }: Running,
  before: Snapshot,
  allowed: Allowed = {},
): Promise<string> {
  const { provider } = sandbox;
  const now = await snapshot();
  const since = (name: keyof ProviderCountValues): number => now.counts[name] - before.counts[name];
  const pages = now.pages - before.pages;
  t.equal(pages, allowed.pages ?? 0, 'pages opened');
  t.equal(since('codeExchanges'), allowed.pages ?? 0, 'sign-ins');
  t.equal(since('refusedGrants'), allowed.refused ?? 0, 'grants that the provider refused');
  t.ok(now.counts.concurrentUses <= 1, `${now.counts.concurrentUses} uses of one refresh token at a time`);
  if (!allowed.reuses) t.equal(since('reuses'), 0, 'uses of an exchanged refresh token');
  if (!allowed.restarted) t.equal(now.pid, before.pid, 'the same daemon');

  const states = allowed.tokenStates ?? ['current'];
  if (!allowed.storedElsewhere) {
    // A rotation may be on its way to the store at this moment.
    const alive = async (): Promise<boolean> =>
      states.includes(provider.refreshTokenState((await storedToken(home)) ?? ''));
    const kept = await until(alive, 30_000).catch(() => false);
    t.ok(kept, `the stored refresh token is ${states.join(' or ')}`);
    t.equal((await storedSessions(home)).length, 1, 'one stored session');
  }
  const log = await logSince(before);
  if (!allowed.defects)
    t.notOk(
      log.find(({ event }) => event === 'defect'),
      'no defect in the log',
    );
  const token = allowed.storedElsewhere ? undefined : await storedToken(home);
  if (token) t.notOk((await home.daemonLog()).includes(token), 'no refresh token in the log');
  t.same(provider.serverErrors, [], 'the sandbox made no error of its own');

  const grants = `${since('refreshGrants')} refresh grants sent, ${since('refreshTokensIssued') - since('codeExchanges')} given`;
  const kept = pages > 0 ? `${pages} ${pages === 1 ? 'page' : 'pages'} opened` : 'session kept, no page';
  return `${kept}, ${grants}, one at a time${now.pid === before.pid ? '' : ', a new daemon'}`;
}
