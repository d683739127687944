import { lstatSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { createDaemonClient, type DaemonClient } from '../../protocol/client.ts';
import { asCcwbError, CcwbError, errorLines } from '../../protocol/errors.ts';
import { type Paths, resolvePaths } from '../../protocol/paths.ts';
import { CURRENT_LINK, VERSIONS_FOLDER } from '../installation/layout.ts';

/** What a shim program works with: the edges of its process, named once. */
export type ShimEdges = {
  /** Its name in errors and usage lines. */
  name: string;
  /** Arguments after the program's own path. */
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  platform: NodeJS.Platform;
  paths: Paths;
  daemon: DaemonClient;
  /** The folder that holds `credential-process`, `daemon/` and `runtime/`, whichever version it leads to. */
  installation: string;
  /** Where the files of this program's own build are: a folder in `versions` of the installation, or a package. */
  buildFolder: string;
  /** Aborted by SIGINT, SIGTERM and SIGHUP: ends what waits. */
  interrupted: AbortSignal;
  /** Wall-clock time in milliseconds since 1970. */
  now(): number;
  /** True when standard output is a terminal. */
  terminal: boolean;
  /** True when standard input is one. */
  terminalInput: boolean;
  /** Columns and rows of the terminal; 80 and 24 where there is none. */
  size(): { columns: number; rows: number };
  /** One line that a person types at the terminal; undefined where nobody can. */
  readLine(): Promise<string | undefined>;
  /** From now on signals are this handler's, and end nothing here: for a program that runs another. */
  takeSignals(handler: (signal: NodeJS.Signals) => void): void;
  /** Writes to standard output: what the contract asks for, and nothing else. */
  writeOut(text: string): Promise<void>;
  /** Writes to standard error: what people read. */
  writeError(text: string): void;
};

/** What tells a program to end. */
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Passed on as well to a program that runs in the place of this one. */
const FURTHER_SIGNALS = ['SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** How long a program that was told to end has for its last words, in milliseconds. */
const PARTING_MS = 500;

/**
 * Runs one program: its result is the exit status, anything thrown ends it with two lines on standard
 * error. A reader that went away is no crash: the text is lost, the status says 1.
 */
export async function runProgram(name: string, main: (edges: ShimEdges) => Promise<number>): Promise<void> {
  // The audit log follows the line of parents past our programs, which it knows by this. Slow on macOS.
  if (process.platform === 'linux') process.title = name;
  const interruption = new AbortController();
  let onSignal = (_: NodeJS.Signals): void => {
    interruption.abort();
    setTimeout(() => process.exit(1), PARTING_MS).unref();
  };
  for (const signal of ENDING_SIGNALS) process.on(signal, () => onSignal(signal));
  // Without a listener Node opens its debugger on this signal.
  process.on('SIGUSR1', () => {});
  process.stdout.on('error', () => {
    process.exitCode = 1;
  });
  process.stderr.on('error', () => {});
  const say = (text: string): void => {
    process.stderr.write(text);
  };
  let status: number;
  // Programs are `shim/NAME.js`.
  const buildFolder = resolve(dirname(process.argv[1] ?? ''), '..');
  try {
    const paths = resolvePaths();
    status = await main({
      name,
      args: process.argv.slice(2),
      env: process.env,
      platform: process.platform,
      paths,
      daemon: createDaemonClient(paths.socket),
      installation: installationOf(buildFolder),
      buildFolder,
      interrupted: interruption.signal,
      now: Date.now,
      terminal: process.stdout.isTTY === true,
      terminalInput: process.stdin.isTTY === true,
      size: () => ({ columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }),
      readLine: () => readLine(interruption.signal),
      takeSignals: (handler) => {
        onSignal = handler;
        for (const signal of FURTHER_SIGNALS) process.on(signal, () => handler(signal));
      },
      writeOut: (text) => write(process.stdout, text),
      writeError: say,
    });
  } catch (thrown) {
    const error = interruption.signal.aborted ? parting(thrown) : asCcwbError(thrown);
    say(errorLines(name, error));
    status = error.exit;
  }
  // Whatever still runs (a browser's launcher, a signal handler) is nothing to wait for.
  await write(process.stderr, '').catch(() => {});
  process.exit(process.exitCode ?? status);
}

/** What a program that was told to end says: what it knows of what it was at, else just that. */
function parting(thrown: unknown): CcwbError {
  if (thrown instanceof CcwbError && ['ERR_LOGIN_PENDING', 'ERR_INTERRUPTED'].includes(thrown.code))
    return thrown;
  return new CcwbError(
    'ERR_DAEMON_UNREACHABLE',
    'interrupted before the daemon had answered',
    'run it again',
  );
}

/** Undefined without a terminal to type at, at the end of its input, and when told to end. */
async function readLine(signal: AbortSignal): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const { createInterface } = await import('node:readline');
  const lines = createInterface({ input: process.stdin });
  return new Promise((resolve) => {
    const end = (line?: string): void => {
      resolve(line);
      lines.close();
    };
    lines.once('line', end).once('close', () => end());
    signal.addEventListener('abort', () => end(), { once: true });
  });
}

/**
 * What is in `versions/NAME` of an installation belongs to that installation, also after it has moved on to
 * another version; any other folder is one by itself.
 */
export function installationOf(buildFolder: string): string {
  const versions = dirname(buildFolder);
  const installation = dirname(versions);
  if (basename(versions) !== VERSIONS_FOLDER) return buildFolder;
  const current = lstatSync(join(installation, CURRENT_LINK), { throwIfNoEntry: false });
  return current?.isSymbolicLink() ? installation : buildFolder;
}

/** Resolves when the text was handed over; a pipe's reader may be slow, and exiting would cut it off. */
function write(stream: Writable, text: string): Promise<void> {
  return new Promise((done, reject) => {
    stream.write(text, (error) => {
      if (!error) done();
      else reject(outputLost(error));
    });
  });
}

/** Whether the reader of the output has gone: for a program that goes on until then, an end like any other. */
export function isOutputClosed(error: unknown): boolean {
  const cause = error instanceof CcwbError ? error.cause : undefined;
  return (cause as NodeJS.ErrnoException | undefined)?.code === 'EPIPE';
}

function outputLost(cause: Error): CcwbError {
  const code = (cause as NodeJS.ErrnoException).code ?? cause.name;
  return new CcwbError(
    'ERR_INTERNAL',
    `the output could not be written (${code})`,
    'check the program or file that reads this output',
    { cause },
  );
}

/** Wrong usage, in the style of every other error. */
export function usageError(program: string, message: string): CcwbError {
  return new CcwbError('ERR_USAGE', message, `run ${program} --help`);
}
