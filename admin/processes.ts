/** The one file of `admin` that starts other programs, and ends them. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChildEnd, type ChildResult, endOfError, endOfExit } from '../common/child-process.ts';
import type { Environment } from './edges.ts';

/** The exit of a program, and the beginning of both of its outputs. */
export type ProgramResult = ChildResult & { readonly errors: string };

export type ProgramOptions = {
  /** Its whole environment. */
  readonly env: Environment;
  /** Absent: that of this program. */
  readonly cwd?: string;
  /** Time limit in milliseconds; then the program is killed, with every program that it started. */
  readonly limitMs: number;
  /** Aborting it sends SIGTERM to the program, then SIGKILL if it does not end. */
  readonly signal?: AbortSignal;
  /** Receives standard output as the program writes it. */
  readonly onOutput?: (text: string) => void;
};

/** Longest part that is kept of each output, in characters. */
const MAX_OUTPUT = 1_000_000;

/** Time between SIGTERM and SIGKILL, in milliseconds. */
const PARTING_MS = 2_000;

/** Runs a program to its end, without input, and keeps what it wrote. */
export function runToEnd(
  file: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<ProgramResult> {
  const { env, cwd, limitMs, signal, onOutput } = options;
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
      onOutput?.(text);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      wrote.errors = (wrote.errors + text).slice(0, MAX_OUTPUT);
    });
    child.once('error', (error) => finish(endOfError(error)));
    child.once('close', (status, cause) => finish(endOfExit(status, cause)));
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

/** Runs a program with the terminal, input and output of this one. Ctrl-C reaches both. */
export function runInForeground(file: string, args: readonly string[], env: Environment): Promise<ChildEnd> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { env: { ...env }, stdio: 'inherit' });
    child.once('error', (error) => resolve(endOfError(error)));
    child.once('exit', (status, signal) => resolve(endOfExit(status, signal)));
  });
}

/** Returns the process ids of this user's programs whose home is this folder. */
export async function programsAtHome(home: string): Promise<number[]> {
  const found = process.platform === 'linux' ? linuxPrograms(home) : await psPrograms(home);
  return found.filter((pid) => pid !== process.pid);
}

/** Ends the programs whose home is this folder. Returns the process ids of those that did not end. */
export async function endProgramsAtHome(home: string): Promise<number[]> {
  let left = await programsAtHome(home);
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    for (const pid of left) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has ended already.
      }
    }
    const deadline = performance.now() + PARTING_MS;
    while (left.length > 0 && performance.now() < deadline) {
      await sleep(LOOK_MS);
      left = await programsAtHome(home);
    }
  }
  return left;
}

/** Interval at which ended programs are looked for, in milliseconds. */
const LOOK_MS = 50;

/** Reads /proc: Debian's smallest systems have no `ps`. */
function linuxPrograms(home: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && environmentOf(name).includes(`HOME=${home}`))
    .map(Number);
}

/** Returns the environment of a process; empty for one that has ended, or belongs to another user. */
function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** The list of macOS, with the environment after each command. */
async function psPrograms(home: string): Promise<number[]> {
  const args = ['-axwwE', '-o', 'pid=,command='];
  const { output } = await runToEnd('/bin/ps', args, { env: {}, limitMs: 10_000 });
  const lines = output.split('\n').filter((line) => ` ${line} `.includes(` HOME=${home} `));
  return lines.map((line) => Number.parseInt(line.trim(), 10));
}
