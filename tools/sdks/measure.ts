import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { containerCredentialsUrl } from '../../protocol/container-credentials.ts';
import { resolvePaths } from '../../protocol/paths.ts';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox.ts';
import { freePort } from '../support/free-port.ts';
import { type Installation, install } from '../support/installation.ts';
import type { Client } from './clients.ts';

export type Way = 'credential_process' | 'container endpoint';

/** Result of a few calls. */
export type Measured = {
  /** Calls that STS answered after it verified their signature. */
  succeeded: number;
  /** Number of times the shim was started or the endpoint was asked. */
  asked: number;
  /** Last output of the client if it failed. */
  problem: string | undefined;
};

/** Number of calls a client makes. */
export const CALLS = 3;

const PROFILE = 'ClaudeCode';
const ARN = /^arn:aws:sts::\d{12}:assumed-role\/.+\/CognitoIdentityCredentials$/;
/** The audit log is written a tenth of a second after an answer. */
const QUIET_MS = 400;

export type Laboratory = {
  /** Lets a client make its calls with credentials of that much life. */
  measure(client: Client, way: Way, minutes: number): Promise<Measured>;
  close(): Promise<void>;
};

/** A provider, AWS, and an installation in which somebody is signed in. */
export async function startLaboratory(): Promise<Laboratory> {
  const [redirectPort, containerPort] = [await freePort(), await freePort()];
  const sandbox = await startSandbox({ provider: { redirectPorts: [redirectPort] } });
  const profile = {
    ...sandbox.profile({ redirect_port: redirectPort }),
    container_credentials_port: containerPort,
  };
  const home = await install({ profiles: { [PROFILE]: profile } });
  const starts = join(home.home, 'shim-starts');
  await countStarts(home, starts);
  await renew(home);
  return {
    measure: async (client, way, minutes) => {
      sandbox.aws.setCredentialSeconds(minutes * 60);
      await renew(home);
      const before = await askedSoFar(home, way, starts);
      const { succeeded, problem } = await runCalls(
        home,
        sandbox,
        client,
        await environment(home, client, way, containerPort),
      );
      return { succeeded, problem, asked: (await askedSoFar(home, way, starts)) - before };
    },
    close: async () => {
      await home.remove();
      await sandbox.close();
    },
  };
}

/** Puts a program in the place of the shim in ~/.aws/config that notes each start and becomes the shim. */
async function countStarts(home: Installation, starts: string): Promise<void> {
  const counter = join(home.home, 'counted-credential-process');
  const shim = home.program('credential-process');
  await writeFile(counter, `#!/bin/sh\necho >>"${starts}"\nexec "${shim}" "$@"\n`);
  await chmod(counter, 0o755);
  const config = join(home.home, '.aws/config');
  await writeFile(config, (await readFile(config, 'utf8')).replace(shim, counter));
}

/** Has the daemon fetch credentials anew: they have their whole life before them. */
async function renew(home: Installation): Promise<void> {
  for (const args of [['--clear-cache'], ['--profile', PROFILE]]) {
    const { status, stderr } = await home.run(home.program('credential-process'), args);
    if (status !== 0) throw new Error(stderr);
  }
}

async function environment(
  home: Installation,
  { readsTokenFile }: Client,
  way: Way,
  port: number,
): Promise<Record<string, string>> {
  if (way === 'credential_process') return { AWS_PROFILE: PROFILE, AWS_SDK_LOAD_CONFIG: '1' };
  const { containerToken } = resolvePaths({
    platform: process.platform,
    env: home.env,
    home: home.home,
    uid: process.getuid?.() ?? 0,
    isOwnDirectory: () => false,
  });
  return {
    // Not every SDK reads AWS_REGION, and there is no profile to read it from.
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: containerCredentialsUrl(port, PROFILE),
    ...(readsTokenFile
      ? { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: containerToken }
      : { AWS_CONTAINER_AUTHORIZATION_TOKEN: await readFile(containerToken, 'utf8') }),
  };
}

async function runCalls(
  home: Installation,
  sandbox: Sandbox,
  client: Client,
  env: Record<string, string>,
): Promise<Pick<Measured, 'succeeded' | 'problem'>> {
  // Compilers and interpreters may be anywhere on this machine; the tools they made need no more.
  const options = { env: { ...env, PATH: process.env.PATH ?? '' } };
  const [runs, calls] = client.oneCallEach ? [CALLS, 1] : [1, CALLS];
  let succeeded = 0;
  let problem: string | undefined;
  for (let run = 0; run < runs; run += 1) {
    const [file, ...args] = client.command(sandbox.aws.url, calls);
    const { stdout, stderr, status } = await home.run(file, args, options);
    succeeded += stdout.split('\n').filter((line) => ARN.test(line)).length;
    if (status !== 0) problem = stderr.trim().split('\n').slice(-8).join('\n');
  }
  return { succeeded, problem };
}

async function askedSoFar(home: Installation, way: Way, starts: string): Promise<number> {
  if (way === 'credential_process') return (await lines(starts)).length;
  const audit = join(home.directory, 'logs/audit.jsonl');
  for (let before = -1; ; ) {
    const all = await lines(audit);
    if (all.length === before) return all.filter((line) => line.includes('"container-credentials"')).length;
    before = all.length;
    await sleep(QUIET_MS);
  }
}

async function lines(path: string): Promise<string[]> {
  return (await readFile(path, 'utf8').catch(() => '')).split('\n').slice(0, -1);
}
