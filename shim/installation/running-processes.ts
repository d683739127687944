import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { ShimEdges } from '../program/edges.ts';
import { MAX_OUTPUT, runBriefly } from '../program/processes.ts';

/** Time limit of `ps`, in milliseconds. */
const PS_LIMIT_MS = 5_000;

/** A process, with its program and arguments in one line. */
export type RunningProcess = { pid: number; command: string };

/** Returns the other processes of this user; undefined if they cannot be listed. */
export async function listProcesses({ platform }: ShimEdges): Promise<RunningProcess[] | undefined> {
  const found = platform === 'linux' ? listFromProc() : await listWithPs();
  return found?.filter(({ pid }) => pid !== process.pid);
}

/** Checks whether a command line contains a path in the folder. */
export function runsFromFolder(command: string, folder: string): boolean {
  return command.includes(join(folder, '/'));
}

async function listWithPs(): Promise<RunningProcess[] | undefined> {
  const { end, output } = await runBriefly(
    '/bin/ps',
    ['-x', '-ww', '-o', 'pid=,command='],
    { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    PS_LIMIT_MS,
  );
  const whole = end.kind === 'exited' && end.status === 0 && output.length < MAX_OUTPUT;
  if (!whole) return undefined;
  return [...output.matchAll(/^\s*(\d+) (.*)$/gm)].map(([, pid, command = '']) => ({
    pid: Number(pid),
    command,
  }));
}

function listFromProc(): RunningProcess[] | undefined {
  let names: string[];
  try {
    names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return undefined;
  }
  if (names.length === 0) return undefined;
  return names.flatMap((name) => {
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      return [{ pid: Number(name), command: `${readlinkSync(`/proc/${name}/exe`)} ${words.join(' ')}` }];
    } catch {
      // The process has ended, or belongs to another user.
      return [];
    }
  });
}
