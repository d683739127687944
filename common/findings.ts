/** Findings of the doctor commands, and their layout in a terminal. */
import { BUILD_VERSION } from '../protocol/version.ts';
import { type Colour, type Paint, wrapWords } from './terminal/layout.ts';

/** `skipped`: the check could not run, for a reason that another check reports. */
export type FindingOutcome = 'ok' | 'warning' | 'problem' | 'skipped';

/** One result of a check: one line, and a command that repairs it. Never a secret. */
export type Finding = {
  outcome: FindingOutcome;
  text: string;
  fix: string | null;
  /** Null if the finding is not about one profile. */
  profile: string | null;
};

/** Output of `doctor --json`. */
export type DoctorReport = {
  version: string;
  /** The worst outcome of all checks. */
  outcome: 'ok' | 'warning' | 'problem';
  problems: number;
  warnings: number;
  checks: (Finding & { check: string })[];
};

export function ok(text: string, profile: string | null = null): Finding {
  return { outcome: 'ok', text, fix: null, profile };
}

export function warning(text: string, fix: string | null, profile: string | null = null): Finding {
  return { outcome: 'warning', text, fix, profile };
}

export function problem(text: string, fix: string | null, profile: string | null = null): Finding {
  return { outcome: 'problem', text, fix, profile };
}

export function skipped(text: string, profile: string | null = null): Finding {
  return { outcome: 'skipped', text, fix: null, profile };
}

export function reportOf(checks: DoctorReport['checks']): DoctorReport {
  const count = (outcome: FindingOutcome): number => checks.filter((each) => each.outcome === outcome).length;
  const problems = count('problem');
  const warnings = count('warning');
  const outcome = problems > 0 ? 'problem' : warnings > 0 ? 'warning' : 'ok';
  return { version: BUILD_VERSION, outcome, problems, warnings, checks };
}

/** Columns of the check's name and of its text. */
const NAME_COLUMN = 11;
const TEXT_COLUMN = 28;

const COLOURS = { ok: 'green', warning: 'yellow', problem: 'red', skipped: 'dim' } as const satisfies Record<
  FindingOutcome,
  Colour
>;

/** Returns the lines of a finding, with its profile if there are several. */
export function findingLines(
  { outcome, check, text, fix, profile }: DoctorReport['checks'][number],
  paint: Paint,
  several: boolean,
): string {
  const of = profile !== null && several ? `${profile}: ` : '';
  const before = `${outcome.padEnd(NAME_COLUMN - 2)}  ${check.padEnd(TEXT_COLUMN - NAME_COLUMN)}`;
  const [first = '', ...rest] = wrapWords(before, `${of}${text}`, TEXT_COLUMN);
  const lines = [paint(COLOURS[outcome], outcome) + first.slice(outcome.length), ...rest];
  if (fix !== null) lines.push(...fixLines(fix));
  return `${lines.join('\n')}\n`;
}

/** A command with quotes stays on one line, to be copied. */
function fixLines(fix: string): string[] {
  const before = `${' '.repeat(TEXT_COLUMN)}fix: `;
  return /['"]/.test(fix) ? [before.trimEnd(), `  ${fix}`] : wrapWords(before, fix, TEXT_COLUMN + 5);
}

export function summaryLine({ problems, warnings }: DoctorReport): string {
  if (problems + warnings === 0) return '\nNothing is wrong.\n';
  const some = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
  return `\n${some(problems, 'problem')}, ${some(warnings, 'warning')}.\n`;
}
