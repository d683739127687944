/** The one file of `admin` that starts other programs. */
import { spawn } from 'node:child_process';

/** How a program ended: its exit status, or why it did not start, or what ended it. */
export type ChildEnd =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'failed'; readonly reason: string };

/** How a program did, and the beginning of what it wrote. */
export type Ran = { readonly end: ChildEnd; readonly output: string; readonly errors: string };

export type RunOptions = {
  /** All that it sees of the environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absent: that of this program. */
  readonly cwd?: string;
  /** Then it is killed, with every program that it started. */
  readonly limitMs: number;
  /** Once aborted, it is told to end, and killed if it does not. */
  readonly signal?: AbortSignal;
};

/** The most that is kept of each of a program's outputs, in characters. */
const MAX_OUTPUT = 1_000_000;

/** How long a program that was told to end has for it. */
const PARTING_MS = 2_000;

/** Runs a program to its end, without input, and keeps what it wrote. */
export function runToEnd(file: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  const { env, cwd, limitMs, signal } = options;
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      env: { ...env },
      ...(cwd === undefined ? {} : { cwd }),
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: npm and shells start programs that have to end with them.
      detached: true,
    });
    const wrote = { output: '', errors: '' };
    const kill = (how: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, how);
      } catch {
        // It has ended already.
      }
    };
    const timers = [setTimeout(() => kill('SIGKILL'), limitMs)];
    const stop = (): void => {
      kill('SIGTERM');
      timers.push(setTimeout(() => kill('SIGKILL'), PARTING_MS));
    };
    const finish = (end: ChildEnd): void => {
      for (const timer of timers) clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      resolve({ end, ...wrote });
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      wrote.output = (wrote.output + text).slice(0, MAX_OUTPUT);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      wrote.errors = (wrote.errors + text).slice(0, MAX_OUTPUT);
    });
    child.once('error', (error) => finish(notStarted(error)));
    child.once('close', (status, cause) => finish(ended(status, cause)));
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

/** Runs a program in the place of this one: with its terminal, input and output. Ctrl-C reaches both. */
export function runInForeground(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<ChildEnd> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { env: { ...env }, stdio: 'inherit' });
    child.once('error', (error) => resolve(notStarted(error)));
    child.once('exit', (status, signal) => resolve(ended(status, signal)));
  });
}

function notStarted(error: NodeJS.ErrnoException): ChildEnd {
  return { kind: 'failed', reason: error.code ?? error.name };
}

function ended(status: number | null, signal: NodeJS.Signals | null): ChildEnd {
  return status === null
    ? { kind: 'failed', reason: signal ?? 'unknown signal' }
    : { kind: 'exited', status };
}
