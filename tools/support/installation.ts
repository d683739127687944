import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StatusReply } from '../../protocol/api.ts';
import { createDaemonClient, type DaemonClient } from '../../protocol/client.ts';
import { BUILD_VERSION } from '../../protocol/version.ts';
import { CURRENT_LINK, PROGRAM_LINKS, VERSIONS_FOLDER } from '../../shim/installation/layout.ts';
import { type Output, outputOf } from './output.ts';

/** The files an end user receives, as the build assembled them. */
const APP = fileURLToPath(new URL('../../../app', import.meta.url));

/** A stand-in for a desktop's browser: notes the address, then signs in through the provider's pages. */
const BROWSER = fileURLToPath(new URL('./browser.js', import.meta.url));

export type RunOptions = { env?: Readonly<Record<string, string>>; cwd?: string; input?: string };

/** An installation in a home of its own, with everything a user's shell would have. */
export type Installation = {
  home: string;
  /** `~/claude-code-with-bedrock`. */
  directory: string;
  socket: string;
  /** The environment of the user's shell: nothing of the machine's own. */
  env: Readonly<Record<string, string>>;
  client: DaemonClient;
  /** Runs a program to its end. */
  run(file: string, args?: readonly string[], options?: RunOptions): Promise<Output>;
  /** Starts a program; the caller ends it. */
  start(file: string, args?: readonly string[], options?: RunOptions): ChildProcess;
  /** Path of an installed program. */
  program(name: 'credential-process' | 'otel-helper' | 'bedrock-auth' | 'bedrock-authd'): string;
  writeConfig(profiles: Readonly<Record<string, unknown>>): Promise<void>;
  status(): Promise<StatusReply>;
  /** Addresses that were opened in the browser, in order. */
  openedPages(): Promise<string[]>;
  daemonLog(): Promise<string>;
  /** Sends a signal to the daemon, if one runs, and waits until that process is gone. */
  endDaemon(signal?: NodeJS.Signals): Promise<void>;
  /** Stops the daemon and removes the home. */
  remove(): Promise<void>;
};

export type InstallationOptions = {
  profiles: Readonly<Record<string, unknown>>;
  /** `signs-in`: completes the sign-in by itself; `notes`: only notes the address; `none`: no screen; `desktop`: the user's own. */
  browser?: 'signs-in' | 'notes' | 'none' | 'desktop';
  /** More of the environment, such as a session bus. */
  env?: Readonly<Record<string, string>>;
  /** The home's name, for paths with more in them than letters. */
  name?: string;
  /** Nothing is installed yet. */
  empty?: boolean;
};

/**
 * Installs the built programs as the installer does: the folder with its one version, config.json, and one AWS
 * profile for each profile with its `credential_process`. The Node.js to run them with is `CCWB_TEST_NODE`, else the
 * one running this.
 */
export async function install({
  profiles,
  browser = 'signs-in',
  env: more = {},
  name = '',
  empty = false,
}: InstallationOptions): Promise<Installation> {
  // Short: a socket's path has at most 103 bytes.
  const root = await mkdtemp(join(tmpdir(), 'ccwb-'));
  const home = join(root, name);
  const directory = join(home, 'claude-code-with-bedrock');
  const runtime = join(home, 'run');
  const socket = join(runtime, 'claude-code-with-bedrock', 'daemon.sock');
  await mkdir(runtime, { recursive: true, mode: 0o700 });
  if (!empty) {
    await layOut(directory);
    await mkdir(join(home, '.aws'));
  }
  const env = {
    HOME: home,
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'C.UTF-8',
    XDG_RUNTIME_DIR: runtime,
    ...browserSettings(browser, await writeBrowser(home, browser)),
    // No SDK may find other credentials than ours, nor look for them on the network.
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_REGION: 'us-east-1',
    ...more,
  };

  const start = (file: string, args: readonly string[] = [], options: RunOptions = {}): ChildProcess =>
    spawn(file, args, {
      cwd: options.cwd ?? home,
      env: { ...env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });

  const run = (file: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Output> =>
    outputOf(start(file, args, options), options.input);

  const client = createDaemonClient(socket);
  const status = (): Promise<StatusReply> => client.ask<StatusReply>({ route: 'status' });

  const endDaemon = (signal?: NodeJS.Signals): Promise<void> => endDaemonOf(client, signal);
  const writeConfig: Installation['writeConfig'] = (wanted) => writeProfiles(home, directory, wanted);
  if (!empty) await writeConfig(profiles);

  return {
    home,
    directory,
    socket,
    env,
    client,
    run,
    start,
    program: (name) => join(directory, name),
    writeConfig,
    status,
    openedPages: async () => (await readText(join(home, 'opened-pages'))).split('\n').filter(Boolean),
    daemonLog: () => readText(join(directory, 'logs/daemon.log')),
    endDaemon,
    remove: async () => {
      await endDaemon();
      // Another daemon that lost the race to start may still be writing that in its log.
      await rm(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    },
  };
}

/** Sends a signal to the daemon that answers, if any, and waits until it is gone. */
async function endDaemonOf(client: DaemonClient, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const pid = await client.ask<{ pid: number }>({ route: 'version' }).then(
    (reply) => reply.pid,
    () => undefined,
  );
  if (pid === undefined) return;
  process.kill(pid, signal);
  while (isRunning(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Writes config.json, and an AWS profile for each profile in it. */
async function writeProfiles(
  home: string,
  directory: string,
  profiles: Readonly<Record<string, unknown>>,
): Promise<void> {
  await writeFile(join(directory, 'config.json'), `${JSON.stringify({ profiles }, null, 2)}\n`);
  const sections = Object.keys(profiles).map(
    (name) =>
      `[profile ${name}]\nregion = us-east-1\ncredential_process = ${join(directory, 'credential-process')} --profile ${name}\n`,
  );
  await writeFile(join(home, '.aws/config'), sections.join('\n'));
}

/** Installs the build as the only version, with the links to it. */
async function layOut(directory: string): Promise<void> {
  const version = join(VERSIONS_FOLDER, `${BUILD_VERSION}-test`);
  await cp(APP, join(directory, version), { recursive: true });
  await symlink(version, join(directory, CURRENT_LINK));
  const runtime = join(directory, version, 'runtime/bin');
  await mkdir(runtime, { recursive: true });
  await symlink(process.env.CCWB_TEST_NODE || process.execPath, join(runtime, 'node'));
  for (const name of PROGRAM_LINKS) await symlink(join(CURRENT_LINK, name), join(directory, name));
}

/** Writes the program that stands in for the browser. Returns its path. */
async function writeBrowser(home: string, browser: InstallationOptions['browser']): Promise<string> {
  const path = join(home, 'browser');
  const lines = ['#!/bin/sh', `printf '%s\\n' "$1" >>"$HOME/opened-pages"`, signInCommand(browser)];
  await writeFile(path, `${lines.join('\n')}\n`);
  await chmod(path, 0o755);
  return path;
}

function browserSettings(browser: InstallationOptions['browser'], program: string): Record<string, string> {
  if (browser === 'none') return { CCWB_BROWSER: 'none' };
  return browser === 'desktop' ? {} : { BROWSER: program };
}

function signInCommand(browser: InstallationOptions['browser']): string {
  // In the background: a real browser also runs on after its opener has ended.
  return browser === 'signs-in' ? `"${process.execPath}" "${BROWSER}" "$1" >/dev/null 2>&1 &` : ':';
}

/** Empty when there is no such file yet. */
function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

/** False also for a process that has ended and waits for its parent to notice. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && process.platform !== 'linux';
  }
}
