/**
 * `npm run test:fuzz`: sends a million mutated requests and callbacks to the built daemon, and mutated files
 * and replies to what reads them.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Measure } from './measure.ts';
import { FoundFailure, fuzz } from './run.ts';
import type { Target } from './target.ts';
import { TARGETS } from './targets.ts';

/** How far the last run came: written after each round, read by --resume. */
const STATE = fileURLToPath(new URL('../../../fuzz.json', import.meta.url));
type State = { seed: number; done: Record<string, number> };

const HELP = `npm run test:fuzz: mutated input to everything that reads input from outside, until something breaks.

Usage: npm run test:fuzz -- [options]
  --target NAMES  which, separated by commas (default: all)
  --seed N        where the mutations start from (default: another one each time)
  --from N        first iteration of each target (default 0)
  --count N       iterations of each target (default: the count below)
  --resume        go on where the last run stopped, with its seed
  -h, --help      print this help

Targets:
${TARGETS.map(({ name, count }) => `  ${name.padEnd(10)} ${number(count).padStart(9)}`).join('\n')}

A failure is printed with the line that runs its iteration again, alone. Ctrl-C stops after the round.
Exit status: 0 nothing found, 1 something found, 2 wrong usage, 130 stopped.
`;

type Options = { targets: Target[]; state: State; from: number; count: number | undefined };

const options = readOptions();
let stopping = false;
process.once('SIGINT', () => {
  stopping = true;
});
process.exitCode = await main(options);

async function main({ targets, state, from, count }: Options): Promise<number> {
  process.stdout.write(`seed ${state.seed}\n`);
  let total = 0;
  for (const target of targets) {
    const start = state.done[target.name] ?? from;
    const end = from + (count ?? target.count);
    if (start >= end) continue;
    try {
      const progress = progressOf(target, start, end, state);
      const range = { seed: state.seed, from: start, count: end - start };
      total += await fuzz(target, range, { ...progress, stopping: () => stopping });
    } catch (error) {
      if (!(error instanceof FoundFailure)) throw error;
      report(target, state.seed, error);
      return 1;
    }
    if (stopping) {
      process.stdout.write(
        `stopped after ${number(total)} iterations; go on with npm run test:fuzz -- --resume\n`,
      );
      return 130;
    }
  }
  process.stdout.write(`${number(total)} iterations, nothing found\n`);
  return 0;
}

/** Tells a person how it goes, and the next run how far it went. */
function progressOf(target: Target, start: number, end: number, state: State) {
  const terminal = process.stdout.isTTY;
  const of = number(end);
  let first: Measure | undefined;
  let figures = '';
  return {
    onIteration: (done: number): void => {
      if (terminal)
        process.stdout.write(`\r\x1b[K${target.name}: ${number(start + done)} of ${of}${figures}`);
    },
    onRound: ({ done, seconds, measure }: { done: number; seconds: number; measure: Measure }): void => {
      first ??= measure;
      figures = `, ${number(Math.round(done / seconds))}/s, ${growth(first, measure)}`;
      const line = `${target.name}: ${number(start + done)} of ${of}${figures}`;
      process.stdout.write(terminal ? `\r\x1b[K${line}${start + done === end ? '\n' : ''}` : `${line}\n`);
      state.done[target.name] = start + done;
      mkdirSync(dirname(STATE), { recursive: true });
      writeFileSync(STATE, `${JSON.stringify(state)}\n`);
    },
  };
}

function growth(first: Measure, now: Measure): string {
  const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  const sizes = (what: 'heap' | 'resident'): string =>
    `${what} ${mebibytes(first[what])} to ${mebibytes(now[what])} MiB`;
  return `${sizes('heap')}, ${sizes('resident')}, descriptors ${first.descriptors} to ${now.descriptors}`;
}

function report(target: Target, seed: number, { failure, from, count }: FoundFailure): void {
  const where = count === 1 ? `iteration ${from}` : `iterations ${from} to ${from + count - 1}`;
  process.stdout.write(
    `\n${target.name}, ${where}, seed ${seed}: ${failure.message}
  sent ${failure.sent}
  got  ${failure.got}
again: npm run test:fuzz -- --target ${target.name} --seed ${seed} --from ${from} --count ${count}\n`,
  );
}

function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        target: { type: 'string' },
        seed: { type: 'string' },
        from: { type: 'string' },
        count: { type: 'string' },
        resume: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    const names = values.target?.split(',') ?? TARGETS.map(({ name }) => name);
    const unknown = names.find((name) => !TARGETS.some((target) => target.name === name));
    if (unknown !== undefined) throw new Error(`--target ${unknown}: there is no such target`);
    const seed = whole('seed', values.seed) ?? Date.now() % 2 ** 31;
    return {
      targets: TARGETS.filter(({ name }) => names.includes(name)),
      state: values.resume ? (JSON.parse(readFileSync(STATE, 'utf8')) as State) : { seed, done: {} },
      from: whole('from', values.from) ?? 0,
      count: whole('count', values.count),
    };
  } catch (error) {
    process.stderr.write(`test:fuzz: ${(error as Error).message}\n  fix: run npm run test:fuzz -- --help\n`);
    process.exit(2);
  }
}

function whole(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Error(`--${name} ${text}: allowed are whole numbers from 0`);
}

function number(value: number): string {
  return value.toLocaleString('en');
}
