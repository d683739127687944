/** Weeks of many seeds, each in a process of its own: a week has the time of its whole process for itself. */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Verdict } from './judge.ts';

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));

/** In the order of the seeds. */
export async function judgeWeeks(seeds: readonly number[]): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const waiting = [...seeds.entries()];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, seed] = next;
      verdicts[index] = await judgeOne(seed);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return verdicts;
}

function judgeOne(seed: number): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--no-warnings', MAIN, '--seed', String(seed), '--json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.once('error', reject);
    child.once('close', (status) => {
      // 1: the week was lived through, and a promise was broken in it.
      if (status === 0 || status === 1) resolve(JSON.parse(output) as Verdict);
      else reject(new Error(`the week of seed ${seed} ended with status ${status}`));
    });
  });
}
