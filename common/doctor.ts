/** Runs the checks of a doctor command and reports their findings. */
import { asCcwbError } from '../protocol/errors.ts';
import { type DoctorReport, type Finding, findingLines, problem, reportOf, summaryLine } from './findings.ts';
import { painter } from './terminal/layout.ts';

/** A check of one subject; `Context` is what it may read. */
export type DoctorCheck<Context> = (context: Context) => Promise<Finding[]> | Finding[];

/** A check and its name in the report, as in docs/command-line.md. */
export type NamedCheck<Context> = { readonly name: string; readonly check: DoctorCheck<Context> };

export type DoctorOutput = {
  /** Prints the report as one JSON object instead of text. */
  readonly json: boolean;
  readonly colours: boolean;
  /** Names the profile of each finding that has one. */
  readonly severalProfiles: boolean;
  writeOut(text: string): Promise<void> | void;
};

/** A finding with the name of its check, as in the report. */
export type CheckFinding = DoctorReport['checks'][number];

/** Runs all checks at once, and writes their findings in the order of the list, then the summary. */
export async function runDoctor<Context>(
  checks: readonly NamedCheck<Context>[],
  context: Context,
  output: DoctorOutput,
): Promise<DoctorReport> {
  const running = checks.map((check) => runCheck(check, context));
  const paint = painter(output.colours);
  const all: CheckFinding[] = [];
  for (const findings of running) {
    for (const finding of await findings) {
      all.push(finding);
      if (!output.json) await output.writeOut(findingLines(finding, paint, output.severalProfiles));
    }
  }
  const report = reportOf(all);
  await output.writeOut(output.json ? `${JSON.stringify(report, null, 2)}\n` : summaryLine(report));
  return report;
}

/** Runs one check. An error it throws becomes a finding, so that the other checks go on. */
export async function runCheck<Context>(
  { name, check }: NamedCheck<Context>,
  context: Context,
): Promise<CheckFinding[]> {
  const findings = await findingsOf(() => check(context));
  return findings.map((finding) => ({ check: name, ...finding }));
}

async function findingsOf(check: () => Promise<Finding[]> | Finding[]): Promise<Finding[]> {
  try {
    return await check();
  } catch (error) {
    const { message, fix } = asCcwbError(error);
    return [problem(`could not be checked: ${message}`, fix)];
  }
}
