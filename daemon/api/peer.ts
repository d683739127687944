import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';
import { macosProcess, macosProgram, type PeerCredentials } from '../platform/native.ts';

/** A process and the file it runs; `program` is null where the system does not name it. */
export type RunningProgram = { pid: number; program: string | null };

/** The process that connected, and the program that it works for. */
export type Requester = {
  /** `pid` is null where the system does not name it; then `program` is null too. */
  peer: { pid: number | null; uid: number | null; program: string | null };
  /** The peer itself; behind one of our shims, the program that started the shim. */
  caller: RunningProgram | null;
};

/** Most parents that are read: SDK, perhaps a shell, shim, curl. */
const MOST_STEPS = 8;

/** Longest path that is shown and stored, in UTF-16 units; Linux allows 4,096 bytes. */
const PATH_LENGTH = 1_024;

/** The kernel's names of our programs: a script has its own name, cut to 15 characters (proc(5), comm). */
const SHIMS: ReadonlySet<string> = new Set(
  ['credential-process', 'otel-helper', 'bedrock-auth'].map((name) => name.slice(0, 15)),
);

/** macOS names a script after its shell, so a shell that runs curl counts as the shim. */
const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'zsh']);

type Process = { pid: number; parent: number; name: string };

/**
 * Returns the peer and the caller of a request. On the hot path the peer is `curl`, a child of the shim,
 * which is a child of the SDK. The name "curl" explains nothing, so the caller is the first parent that is
 * not ours. Only names, parents and program files are read, never command lines: those may contain secrets.
 *
 * A process can give itself the name of a shim. It gains no more than by running the shim: its parent counts
 * as the caller.
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
  let current = readProcess(pid);
  for (let step = 0; current && step < MOST_STEPS; step += 1) {
    const parent = canBeOurs(current) ? readProcess(current.parent) : undefined;
    if (!isOurs(current, parent, child)) return current.pid;
    child = current;
    current = parent;
  }
  return null;
}

function canBeOurs({ name }: Process): boolean {
  return name === 'curl' || SHIMS.has(name) || (process.platform === 'darwin' && SHELLS.has(name));
}

function isOurs(current: Process, parent: Process | undefined, child: Process | undefined): boolean {
  if (SHIMS.has(current.name)) return true;
  const shim = process.platform === 'darwin' ? SHELLS : SHIMS;
  if (current.name === 'curl') return parent !== undefined && shim.has(parent.name);
  return shim.has(current.name) && child?.name === 'curl';
}

/** Returns a process; undefined when it has ended. */
function readProcess(pid: number): Process | undefined {
  if (process.platform === 'darwin') {
    const found = macosProcess(pid);
    return found && { pid, ...found };
  }
  const stat = readStat(pid);
  // proc(5): pid (comm) state ppid …; comm may contain anything, also a closing parenthesis.
  const end = stat?.lastIndexOf(')') ?? -1;
  if (!stat || end < 0) return undefined;
  const parent = Number(stat.slice(end + 2).split(' ', 2)[1]);
  return { pid, parent, name: stat.slice(stat.indexOf('(') + 1, end) };
}

const buffer = Buffer.alloc(512);

/** Reads the start of /proc/PID/stat. Synchronous: this is the hot path, and the read needs no disk. */
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
    // It has ended, belongs to another user, or is protected like this daemon.
    return null;
  }
}
