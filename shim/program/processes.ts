import { fork, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type ChildEnd, type ChildResult, endOfError, endOfExit } from '../../common/child-process.ts';

/** The end of a desktop program, or `running`. */
export type DesktopProgramEnd = ChildEnd | { readonly kind: 'running' };

/** A daemon that was started and outlives this process. */
export type StartedDaemon = {
  /** Returns how it ended, undefined while it runs. */
  end(): ChildEnd | undefined;
};

/** Most characters that are kept of a program's output. */
export const MAX_OUTPUT = 65_536;

/**
 * Runs a program with no input and only the given environment. Kills it after `limitMs`. Meant for service
 * managers, which answer quickly or not at all.
 */
export function runBriefly(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  limitMs: number,
): Promise<ChildResult> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      env: { ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: limitMs,
      killSignal: 'SIGKILL',
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(0, MAX_OUTPUT);
    });
    child.once('error', (error) => resolve({ end: endOfError(error), output }));
    child.once('close', (status, signal) => resolve({ end: endOfExit(status, signal), output }));
  });
}

/**
 * Starts a program of the user's desktop in a session of its own and watches it for `watchMs`. Some programs
 * pass the page to a running browser and end, others become the browser and stay.
 */
export function startDesktopProgram(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  watchMs: number,
): Promise<DesktopProgramEnd> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: 'ignore', detached: true, env: { ...env } });
    const timer = setTimeout(() => resolve({ kind: 'running' }), watchMs);
    const end = (how: DesktopProgramEnd): void => {
      clearTimeout(timer);
      resolve(how);
    };
    child.once('error', (error) => end(endOfError(error)));
    child.once('exit', (status, signal) => end(endOfExit(status, signal)));
    child.unref();
  });
}

/**
 * Starts a program that outlives this process. It has its own session, the working directory `/`, no input,
 * only the given environment and no core dumps. It writes output and errors to the open file `output`, and
 * creates files for this user only.
 */
export function startDaemonProcess(
  command: readonly [file: string, ...args: string[]],
  env: Readonly<Record<string, string>>,
  output: number,
): StartedDaemon {
  // Node can set neither limit nor mask for a child; the shell sets both and becomes the program.
  const child = spawn('/bin/sh', ['-c', 'ulimit -c 0; umask 077; exec "$0" "$@"', ...command], {
    cwd: '/',
    detached: true,
    env: { ...env },
    stdio: ['ignore', output, output],
  });
  let end: ChildEnd | undefined;
  child.once('error', (error) => {
    end = endOfError(error);
  });
  child.once('exit', (status, signal) => {
    end = endOfExit(status, signal);
  });
  child.unref();
  return { end: () => end };
}

/**
 * Runs a program and passes on each line of its standard output, until it ends or `signal` aborts. It has no
 * input and only the given environment.
 */
export function runForLines(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<ChildEnd> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { env: { ...env }, stdio: ['ignore', 'pipe', 'ignore'] });
    const stop = (): void => void child.kill();
    signal.addEventListener('abort', stop, { once: true });
    createInterface({ input: child.stdout }).on('line', onLine);
    const end = (how: ChildEnd): void => {
      signal.removeEventListener('abort', stop);
      resolve(how);
    };
    child.once('error', (error) => end(endOfError(error)));
    child.once('close', (status, cause) => end(endOfExit(status, cause)));
  });
}

/** A program that runs in the terminal of this one. */
export type Foreground = {
  kill(signal: NodeJS.Signals): void;
  /** Resolves to its end: `ENOENT` and the like if it could not be started, the name of a signal that ended it. */
  ended: Promise<ChildEnd>;
};

/** Runs a program in the place of this one: with its terminal, input, output and process group. */
export function runInForeground(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Foreground {
  const child = spawn(file, args, { env: { ...env }, stdio: 'inherit' });
  return {
    kill: (signal) => void child.kill(signal),
    ended: new Promise((resolve) => {
      child.once('error', (error) => resolve(endOfError(error)));
      child.once('exit', (status, signal) => resolve(endOfExit(status, signal)));
    }),
  };
}

/** A program that answers lines with lines. It ends when this one does, or on request. */
export type Filter = { write(line: string): void; end(): void };

/** Starts a program that answers line by line; `onEnd` is called once, however it ends. */
export function startFilter(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  on: { line(line: string): void; end(): void },
): Filter {
  const child = spawn(file, args, { env: { ...env }, stdio: ['pipe', 'pipe', 'ignore'] });
  createInterface({ input: child.stdout }).on('line', on.line);
  child.once('error', on.end).once('close', on.end);
  child.stdin.on('error', () => {});
  return { write: (line) => void child.stdin.write(`${line}\n`), end: () => void child.stdin.end() };
}

/** Sends one message to a Node.js program of ours and returns its answer. Undefined if none comes in time. */
export function askChild(
  script: string,
  message: object,
  env: Readonly<Record<string, string>>,
  limitMs: number,
): Promise<unknown> {
  return new Promise((resolve) => {
    const stdio: ('ignore' | 'ipc')[] = ['ignore', 'ignore', 'ignore', 'ipc'];
    const child = fork(script, [], { execArgv: [], env: { ...env }, stdio });
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    const end = (answer?: unknown): void => {
      clearTimeout(timer);
      resolve(answer);
    };
    child.once('message', end);
    child.once('error', () => end()).once('exit', () => end());
    child.send(message, (error) => {
      if (error) child.kill('SIGKILL');
    });
  });
}
