import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type {
  Credentials,
  IdTokenReply,
  SignInReply,
  SignInRequest,
  SignOutReply,
} from '../../protocol/api.ts';
import { createDaemonClient, type DaemonClient } from '../../protocol/client.ts';
import { startAwsEndpoints } from '../../sandbox/aws/aws-endpoints.ts';
import { signInOverHttp } from '../../sandbox/browser/browserless.ts';
import type { SandboxProvider } from '../../sandbox/provider/identity-provider.ts';
import { startSandbox } from '../../sandbox/sandbox.ts';
import { freePort } from '../../tools/support/free-port.ts';
import type { Planted } from './api-rules.ts';
import { Failure } from './failure.ts';
import type { Measure } from './measure.ts';

const DAEMON = fileURLToPath(new URL('../../../app/daemon/index.js', import.meta.url));
const PROBE = new URL('./probe.js', import.meta.url).href;

/** Longer than any run: nothing is to be renewed meanwhile, so that what is planted stays what it is. */
const LIFE_SECONDS = 7 * 86_400;

/** How long a request that is in order may take, whatever else the daemon was sent. */
const ANSWER_MS = 10_000;

/** A signed-in profile, and one whose sign-ins come and go. */
export const PROFILES = ['ClaudeCode', 'Other'] as const;
export type ProfileName = (typeof PROFILES)[number];

/** The built daemon in a process of its own, with the sandbox around it. */
export type DaemonWorld = {
  socket: string;
  /** Where sign-ins of `Other` come back to. */
  redirectPort: number;
  client: DaemonClient;
  provider: SandboxProvider;
  /** Starts a sign-in, or joins the one under way; undefined when signed in. */
  startSignIn(profile: ProfileName): Promise<{ signIn: string; url: string } | undefined>;
  /** Signs in through the provider's pages unless signed in already. @throws Failure when the sign-in does not end well */
  signIn(profile: ProfileName): Promise<void>;
  signOut(profile: ProfileName): Promise<void>;
  /** The secrets there are now, asked for in the ways that are allowed. */
  planted(): Promise<Planted>;
  /** @throws Failure when the daemon has ended, or has logged a defect, a warning of Node's or a secret */
  assertWell(planted: Planted): void;
  measure(): Promise<Measure>;
  close(): Promise<void>;
};

export async function startDaemonWorld(): Promise<DaemonWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'ccwb-fuzz-'));
  const [mainPort, redirectPort] = [await freePort(), await freePort()];
  const sandbox = await startSandbox({
    provider: {
      redirectPorts: [mainPort, redirectPort],
      clientIds: ['sandbox-client', 'other-client'],
      idTokenSeconds: LIFE_SECONDS,
    },
    aws: { credentialSeconds: LIFE_SECONDS },
  });
  const { provider } = sandbox;
  const trusted = { issuer: provider.issuer, jwks: provider.jwks };
  const otherAws = await startAwsEndpoints({ issuers: [trusted], clientId: 'other-client' });
  const config = join(directory, 'config.json');
  const profiles = {
    ClaudeCode: sandbox.profile({ redirect_port: mainPort }),
    Other: sandbox.profile({
      client_id: 'other-client',
      redirect_port: redirectPort,
      cognito_identity_endpoint: otherAws.url,
    }),
  };
  await writeFile(config, JSON.stringify({ profiles }));
  const runtime = join(directory, 'run');
  await mkdir(runtime, { mode: 0o700 });
  const socket = join(runtime, 'd', 'd.sock');
  const child = startDaemon(directory, runtime, socket, config);
  const client = createDaemonClient(socket);
  const ask = async <T>(...[request]: Parameters<DaemonClient['ask']>): Promise<T> => {
    try {
      return await client.ask<T>({ answerMs: ANSWER_MS, ...request });
    } catch (error) {
      throw new Failure(`a request in order got ${(error as Error).message}`, JSON.stringify(request));
    }
  };
  await client.ask({ route: 'version', startingMs: 60_000 });
  child.started();

  const startSignIn: DaemonWorld['startSignIn'] = async (profile) => {
    const body: SignInRequest = { automatic: false, canOpenPage: false };
    const reply = await ask<SignInReply>({ route: 'signIn', params: { profile }, body });
    return reply.state === 'pending' ? reply : undefined;
  };
  const signIn = async (profile: ProfileName): Promise<void> => {
    const pending = await startSignIn(profile);
    if (!pending) return;
    const { status, body } = await signInOverHttp(pending.url);
    if (status !== 200)
      throw new Failure(`a sign-in in order ended with status ${status}`, pending.url, body);
    const params = { signIn: pending.signIn };
    const end = await ask<SignInReply>({ route: 'awaitSignIn', params, query: { wait: 5_000 } });
    if (end.state !== 'signed-in')
      throw new Failure('a sign-in in order did not end', pending.url, end.state);
  };
  await signIn('ClaudeCode');

  return {
    socket,
    redirectPort,
    client,
    provider,
    startSignIn,
    signIn,
    signOut: async (profile) => void (await ask<SignOutReply>({ route: 'signOut', params: { profile } })),
    planted: async () => {
      const params = { profile: 'ClaudeCode' };
      const credentials = await ask<Credentials>({ route: 'credentials', params });
      const { idToken } = await ask<IdTokenReply>({ route: 'idToken', params });
      return {
        credentials: [credentials.AccessKeyId, credentials.SecretAccessKey, credentials.SessionToken],
        idTokens: [idToken],
        never: await storedTokens(runtime),
      };
    },
    assertWell: child.assertWell,
    measure: child.measure,
    close: async () => {
      await child.end();
      await Promise.all([sandbox.close(), otherAws.close()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function storedTokens(runtime: string): Promise<string[]> {
  const directory = join(runtime, 'claude-code-with-bedrock', 'sessions');
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json'));
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
  return texts.map((text) => (JSON.parse(text) as { refreshToken: string }).refreshToken);
}

type DaemonProcess = Pick<DaemonWorld, 'assertWell' | 'measure'> & {
  /** The AWS SDK warns of Node.js versions that it will not support for ever, which is no fault: forgotten. */
  started(): void;
  end(): Promise<void>;
};

function startDaemon(home: string, runtime: string, socket: string, config: string): DaemonProcess {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', PROBE, DAEMON, '--socket', socket, '--config', config],
    {
      env: { HOME: home, XDG_RUNTIME_DIR: runtime, PATH: '/usr/bin:/bin' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  );
  const ended = new Promise<string>((resolve) =>
    child.once('close', (status, signal) => resolve(`${signal ?? status}`)),
  );
  let end: string | undefined;
  void ended.then((how) => {
    end = how;
  });
  let unread = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      unread += text;
    });
  return {
    started: () => {
      unread = '';
    },
    assertWell: ({ credentials, idTokens, never }) => {
      const log = unread;
      unread = '';
      if (end !== undefined) throw new Failure(`the daemon ended with ${end}`, '', log);
      const bad = log
        .split('\n')
        .find((line) => !/^$|^\{"level":"(info|warn|error)"/.test(line) || isDefect(line));
      if (bad !== undefined) throw new Failure('the daemon logged a defect', '', log.slice(log.indexOf(bad)));
      const secret = [...credentials.slice(1), ...idTokens, ...never].some((each) => log.includes(each));
      if (secret) throw new Failure('the daemon logged a secret');
    },
    measure: () =>
      new Promise((resolve, reject) => {
        child.once('message', (message) => resolve(message as Measure));
        child.send(
          'measure',
          (error) => error && reject(new Failure(`the daemon is gone: ${error.message}`)),
        );
      }),
    end: async () => {
      child.kill('SIGTERM');
      // It answers what is in flight first, for five seconds at most.
      const cut = setTimeout(() => child.kill('SIGKILL'), 30_000);
      await ended;
      clearTimeout(cut);
    },
  };
}

function isDefect(line: string): boolean {
  return line.includes('"event":"defect"') || line.includes('"event":"node warning"');
}
