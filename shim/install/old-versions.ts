import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isLitter, UNFINISHED, VERSIONS } from '../layout.ts';
import { MAX_OUTPUT, runBriefly } from '../processes.ts';
import type { Program } from '../program.ts';
import type { Plan } from './step.ts';

/** Longest that the list of processes is waited for, in milliseconds. */
const PROCESSES_MS = 5_000;

/**
 * What is not needed any more: versions that nothing runs from, and what an installer left that was killed. A
 * version in use stays, and the next installation looks again.
 */
export function planCleaning(program: Program, version: string): Plan {
  const { installation } = program;
  const versions = join(installation, VERSIONS);
  const old = entries(versions).filter((name) => name !== version);
  const litter = entries(installation).filter(isLitter);
  if (old.length + litter.length === 0) return { changes: [], byHand: [] };
  const make = async (): Promise<readonly string[]> => {
    for (const name of litter) rmSync(join(installation, name), { recursive: true, force: true });
    const used = await commandsOfProcesses(program);
    // Where it cannot be told, all of them may be in use.
    const isUsed = (name: string): boolean =>
      used?.some((command) => command.includes(join(versions, name, '/'))) ?? !name.endsWith(UNFINISHED);
    const kept = old.filter(isUsed);
    for (const name of old.filter((each) => !kept.includes(each))) {
      rmSync(join(versions, name), { recursive: true, force: true });
    }
    return kept.map(
      (name) => `${VERSIONS}/${name} stays, programs run from it; the next installation removes it`,
    );
  };
  const what = [...old.map((name) => join(VERSIONS, name)), ...litter].join(', ');
  return { changes: [{ text: `not needed any more: ${what}`, make }], byHand: [] };
}

/** The programs and arguments of all processes; undefined when they cannot be told. */
async function commandsOfProcesses({ platform }: Program): Promise<string[] | undefined> {
  if (platform === 'linux') return processesOfLinux();
  const { end, output } = await runBriefly(
    '/bin/ps',
    ['-x', '-ww', '-o', 'command='],
    { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    PROCESSES_MS,
  );
  const whole = end.kind === 'exited' && end.status === 0 && output.length < MAX_OUTPUT;
  return whole ? output.split('\n') : undefined;
}

function processesOfLinux(): string[] | undefined {
  const ids = entries('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  if (ids.length === 0) return undefined;
  return ids.flatMap((id) => {
    try {
      const words = readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0');
      return [words.join(' '), readlinkSync(`/proc/${id}/exe`)];
    } catch {
      // It has ended, or is another user's.
      return [];
    }
  });
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
