import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';
import { macosProcess, macosProgram, type PeerCredentials } from '../platform/native.ts';

/** A process and the file it runs; `program` is null where the system does not tell. */
export type RunningProgram = { pid: number; program: string | null };

/** Who asks: the process that connected, and the one on whose behalf that was. */
export type Requester = {
  /** Null where the system does not tell; its program is then unknown too. */
  peer: { pid: number | null; uid: number | null; program: string | null };
  /** The peer itself, unless that is one of our shims: then the program that started the shim. */
  caller: RunningProgram | null;
};

/** Furthest look up the line of parents: SDK, perhaps a shell, shim, curl. */
const MOST_STEPS = 8;

/** A path is shown and stored up to this length, in UTF-16 units; Linux allows 4,096 bytes. */
const PATH_LENGTH = 1_024;

/** As the kernel knows our programs: a script by its own name, cut to 15 characters (proc(5), comm). */
const SHIMS: ReadonlySet<string> = new Set(
  ['credential-process', 'otel-helper', 'bedrock-auth'].map((name) => name.slice(0, 15)),
);

/** macOS knows a script by its shell's name, so the shell above curl is taken for the shim. */
const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'zsh']);

type Process = { pid: number; parent: number; name: string };

/**
 * Finds out who asks. On the hot path the peer is `curl`, a child of the shim, a child of the SDK: nobody
 * is told anything by "curl", so the line of parents is followed to the first process that is not ours.
 * Only names, parents and program files are looked at, never command lines: those may hold secrets.
 *
 * A process can name itself like a shim. That gives it no more than running the shim would: it is passed
 * over, and its parent is the caller.
 */
export function requesterOf(credentials: PeerCredentials | undefined): Requester {
  const { pid, uid } = credentials ?? {};
  if (pid === undefined) return { peer: { pid: null, uid: uid ?? null, program: null }, caller: null };
  const program = programOf(pid);
  const caller = callerOf(pid);
  return {
    peer: { pid, uid: uid ?? null, program },
    caller: caller === null ? null : { pid: caller, program: caller === pid ? program : programOf(caller) },
  };
}

function callerOf(pid: number): number | null {
  let child: Process | undefined;
  let current = lookAt(pid);
  for (let step = 0; current && step < MOST_STEPS; step += 1) {
    const parent = mayBeOurs(current) ? lookAt(current.parent) : undefined;
    if (!isOurs(current, parent, child)) return current.pid;
    child = current;
    current = parent;
  }
  return null;
}

function mayBeOurs({ name }: Process): boolean {
  return name === 'curl' || SHIMS.has(name) || (process.platform === 'darwin' && SHELLS.has(name));
}

function isOurs(current: Process, parent: Process | undefined, child: Process | undefined): boolean {
  if (SHIMS.has(current.name)) return true;
  const shim = process.platform === 'darwin' ? SHELLS : SHIMS;
  if (current.name === 'curl') return parent !== undefined && shim.has(parent.name);
  return shim.has(current.name) && child?.name === 'curl';
}

/** Undefined when there is no such process any more. */
function lookAt(pid: number): Process | undefined {
  if (process.platform === 'darwin') {
    const found = macosProcess(pid);
    return found && { pid, ...found };
  }
  const stat = readStat(pid);
  // proc(5): pid (comm) state ppid …; comm may hold anything, a closing parenthesis too.
  const end = stat?.lastIndexOf(')') ?? -1;
  if (!stat || end < 0) return undefined;
  const parent = Number(stat.slice(end + 2).split(' ', 2)[1]);
  return { pid, parent, name: stat.slice(stat.indexOf('(') + 1, end) };
}

const buffer = Buffer.alloc(512);

/** The start of /proc/PID/stat, with the fewest calls: this is on the hot path, and never waits for a disk. */
function readStat(pid: number): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(`/proc/${pid}/stat`, 'r');
    return buffer.toString('latin1', 0, readSync(fd, buffer));
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function programOf(pid: number): string | null {
  if (process.platform === 'darwin') return macosProgram(pid)?.slice(0, PATH_LENGTH) ?? null;
  try {
    return readlinkSync(`/proc/${pid}/exe`).slice(0, PATH_LENGTH);
  } catch {
    // Gone, another user's, or closed to us as this daemon is to others.
    return null;
  }
}
