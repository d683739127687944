import { lstatSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { createDaemonClient } from '../../protocol/client.ts';
import { asCcwbError, CcwbError, errorLines } from '../../protocol/errors.ts';
import { resolvePaths } from '../../protocol/paths.ts';
import { CURRENT_LINK, VERSIONS_FOLDER } from '../installation/layout.ts';
import type { ShimEdges } from './edges.ts';
import { outputError } from './errors.ts';

/** Signals that end a program. */
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Further signals that a program receives if it runs in the place of this one. */
const FURTHER_SIGNALS = ['SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Time in milliseconds that an interrupted program has to print its error. */
const PARTING_MS = 500;

/**
 * Runs one program. Its result is the exit status; an error is printed as two lines on standard error. If the
 * reader of an output has gone, the text is lost and the exit status is 1.
 */
export async function runProgram(name: string, main: (edges: ShimEdges) => Promise<number>): Promise<void> {
  // The audit log recognizes our programs among the parents of a caller by this title. Slow on macOS.
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
  // A browser launcher or a signal handler may still run; do not wait for it.
  await write(process.stderr, '').catch(() => {});
  process.exit(process.exitCode ?? status);
}

/** Returns the error of an interrupted program: its own if it has one, else a general one. */
function parting(thrown: unknown): CcwbError {
  if (thrown instanceof CcwbError && ['ERR_LOGIN_PENDING', 'ERR_INTERRUPTED'].includes(thrown.code))
    return thrown;
  return new CcwbError(
    'ERR_DAEMON_UNREACHABLE',
    'interrupted before the daemon had answered',
    'run it again',
  );
}

/** Reads one line. Undefined without a terminal, at the end of its input, and when interrupted. */
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
 * Returns the installation of a build. A build in `versions/NAME` belongs to its installation, also after an
 * upgrade; any other folder is an installation by itself.
 */
export function installationOf(buildFolder: string): string {
  const versions = dirname(buildFolder);
  const installation = dirname(versions);
  if (basename(versions) !== VERSIONS_FOLDER) return buildFolder;
  const current = lstatSync(join(installation, CURRENT_LINK), { throwIfNoEntry: false });
  return current?.isSymbolicLink() ? installation : buildFolder;
}

/**
 * Writes a text and resolves when it is handed over. A pipe's reader may be slow, and exiting would cut the
 * text off.
 */
function write(stream: Writable, text: string): Promise<void> {
  return new Promise((done, reject) => {
    stream.write(text, (error) => {
      if (!error) done();
      else reject(outputError(error));
    });
  });
}
