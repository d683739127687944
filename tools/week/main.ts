/** `npm run test:week`: a week of a laptop in a few seconds, with the daemon's real core and time made up. */
import { parseArgs } from 'node:util';
import { judge } from './judge.ts';
import { weekReport, weeksReport } from './report.ts';
import { liveWeek } from './week.ts';
import { judgeWeeks } from './weeks.ts';

const HELP = `npm run test:week: a week of a laptop with sleeps, bad networks, outages and wrong clocks,
lived through by the daemon's own code on a simulated clock. Ends with 1 when a promise was broken.

Usage: npm run test:week -- [options]
  --seed N     which week (default 1)
  --weeks N    that many weeks, from this seed on, one line each (default 1)
  --log        print the daemon's log of the week too, with the true time
  --json       print the figures as JSON
  -h, --help   print this help
`;

const values = readFlags();
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const seed = whole('seed', values.seed, 0);
const weeks = whole('weeks', values.weeks, 1);
const seeds = Array.from({ length: weeks }, (_, index) => seed + index);
const onLog = values.log ? (line: string) => void process.stdout.write(`${line}\n`) : undefined;
const verdicts = weeks === 1 ? [judge(await liveWeek(seed, onLog))] : await judgeWeeks(seeds);
const [first] = verdicts;
if (values.json)
  process.stdout.write(`${JSON.stringify(weeks === 1 ? first : verdicts, undefined, weeks === 1 ? 0 : 2)}\n`);
else process.stdout.write(weeks === 1 && first ? weekReport(first) : weeksReport(verdicts));
process.exitCode = verdicts.every(({ broken }) => broken.length === 0) ? 0 : 1;

function readFlags() {
  try {
    return parseArgs({
      options: {
        seed: { type: 'string', default: '1' },
        weeks: { type: 'string', default: '1' },
        log: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    return wrongUsage((error as Error).message);
  }
}

function whole(flag: string, text: string, least: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least) return number;
  return wrongUsage(`--${flag} ${text}: allowed are whole numbers from ${least}`);
}

function wrongUsage(problem: string): never {
  process.stderr.write(`test:week: ${problem} (ERR_USAGE)\n  fix: run npm run test:week -- --help\n`);
  process.exit(2);
}
