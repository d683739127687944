import { spawn } from 'node:child_process';

export type Figures = { name: string; medianMs: number; minMs: number; maxMs: number };

/** A shell command to time, with actions before and after each round. */
export type Timed = { command: string; before?: () => Promise<void>; after?: () => Promise<void> };

/**
 * One round of each command in turn, so that a machine that slows down slows them all.
 *
 * @param times how many of a command are started at once.
 */
export async function measure(
  commands: Readonly<Record<string, string | Timed>>,
  times: number,
  rounds: number,
  env: Readonly<Record<string, string>>,
): Promise<Figures[]> {
  const samples = new Map(Object.keys(commands).map((name): [string, number[]] => [name, []]));
  for (let round = -1; round < rounds; round += 1) {
    for (const [name, given] of Object.entries(commands)) {
      const { command, before, after } = typeof given === 'string' ? { command: given } : given;
      await before?.();
      const startedAt = performance.now();
      await Promise.all(Array.from({ length: times }, () => shell(command, env)));
      // The first round warms the file cache and is not counted.
      if (round >= 0) samples.get(name)?.push(performance.now() - startedAt);
      await after?.();
    }
  }
  return [...samples].map(([name, values]) => {
    const sorted = values.sort((a, b) => a - b);
    return {
      name,
      medianMs: at(sorted, sorted.length >> 1),
      minMs: at(sorted, 0),
      maxMs: at(sorted, sorted.length - 1),
    };
  });
}

/** The figures as rows, each beside the first, which is called `base`. */
export function table(title: string, figures: readonly Figures[], base = 'true'): void {
  process.stdout.write(
    `${title.padEnd(30)}${'median'.padStart(9)}${'min'.padStart(9)}${'max'.padStart(9)}${`x ${base}`.padStart(9)}\n`,
  );
  const baseMs = figures[0]?.medianMs ?? 1;
  for (const { name, medianMs, minMs, maxMs } of figures) {
    const cells = [medianMs, minMs, maxMs].map((ms) => ms.toFixed(1).padStart(9)).join('');
    process.stdout.write(`  ${name.padEnd(28)}${cells}${(medianMs / baseMs).toFixed(1).padStart(9)}\n`);
  }
  process.stdout.write('\n');
}

function shell(command: string, env: Readonly<Record<string, string>>): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', command], {
      env: { ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stdout.resume();
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.once('error', reject);
    child.once('close', (status) =>
      status === 0 ? resolve() : reject(new Error(`${command} ended with ${status}: ${said}`)),
    );
  });
}

function at(sorted: readonly number[], index: number): number {
  return sorted[index] ?? Number.NaN;
}
