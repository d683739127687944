import { asCcwbError } from '../../protocol/errors.ts';
import { BUILD_VERSION } from '../../protocol/version.ts';
import type { Program } from '../program.ts';
import { asJson, type Colour, hanging, painter, wantsColours } from '../view.ts';
import { awsConfig, awsCredentials, environment } from './aws-checks.ts';
import { type Check, type Finding, type Looking, type Outcome, problem } from './check.ts';
import { claude, collector } from './claude-checks.ts';
import { daemon, signIn, socket } from './daemon-checks.ts';
import { config, installation, logs } from './installation-checks.ts';
import { beginLooking } from './look.ts';
import { aws, bedrock, clock, discovery, jwks } from './network-checks.ts';
import { network, service } from './service-checks.ts';
import { browser, redirectPort, storage } from './sign-in-checks.ts';

export type DoctorOptions = { profile?: string; json?: boolean; bedrock?: boolean; bundle?: string };

/** What `--json` prints. */
export type DoctorReport = {
  version: string;
  /** The worst of all. */
  outcome: 'ok' | 'warning' | 'problem';
  problems: number;
  warnings: number;
  checks: (Finding & { check: string })[];
};

/** Every check, in the order in which one depends on the other; names as in docs/command-line.md. */
export const CHECKS: readonly { name: string; check: Check; onRequest?: true }[] = [
  { name: 'installation', check: installation },
  { name: 'config', check: config },
  { name: 'logs', check: logs },
  { name: 'socket', check: socket },
  { name: 'daemon', check: daemon },
  { name: 'service', check: service },
  { name: 'storage', check: storage },
  { name: 'network', check: network },
  { name: 'provider', check: discovery },
  { name: 'signing keys', check: jwks },
  { name: 'clock', check: clock },
  { name: 'browser', check: browser },
  { name: 'redirect port', check: redirectPort },
  { name: 'AWS', check: aws },
  { name: 'Bedrock', check: bedrock, onRequest: true },
  { name: 'sign-in', check: signIn },
  { name: 'AWS config', check: awsConfig },
  { name: 'AWS credentials', check: awsCredentials },
  { name: 'environment', check: environment },
  { name: 'Claude Code', check: claude },
  { name: 'collector', check: collector },
];

/** Where the check's name and where its text begins. */
const NAME_COLUMN = 11;
const TEXT_COLUMN = 28;

const COLOURS = { ok: 'green', warning: 'yellow', problem: 'red', skipped: 'dim' } as const satisfies Record<
  Outcome,
  Colour
>;

/** `bedrock-auth doctor`: all checks begin at once, and are shown in their order. 1 when there is a problem. */
export async function doctor(program: Program, options: DoctorOptions): Promise<number> {
  const looking = beginLooking(program, options.profile);
  const begun = CHECKS.filter(({ onRequest }) => !onRequest || options.bedrock === true).map(
    ({ name, check }) => ({ name, found: runCheck(check, looking) }),
  );
  const checks: DoctorReport['checks'] = [];
  try {
    for (const { name, found } of begun) {
      const findings = (await found).map((finding) => ({ check: name, ...finding }));
      checks.push(...findings);
      if (!options.json)
        for (const finding of findings) await program.print(shown(program, looking, finding));
    }
  } finally {
    looking.end();
  }
  const report = reportOf(checks);
  await program.print(options.json ? asJson(report) : summary(report));
  if (options.bundle !== undefined) {
    await (await import('./bundle.ts')).writeBundle(program, looking, report, options.bundle);
  }
  return report.outcome === 'problem' ? 1 : 0;
}

/** A check that fails is a finding of its own: the others go on. */
export async function runCheck(check: Check, looking: Looking): Promise<Finding[]> {
  try {
    return await check(looking);
  } catch (error) {
    const { message, fix } = asCcwbError(error);
    return [problem(`could not be checked: ${message}`, fix)];
  }
}

function reportOf(checks: DoctorReport['checks']): DoctorReport {
  const count = (outcome: Outcome): number => checks.filter((each) => each.outcome === outcome).length;
  const problems = count('problem');
  const warnings = count('warning');
  const outcome = problems > 0 ? 'problem' : warnings > 0 ? 'warning' : 'ok';
  return { version: BUILD_VERSION, outcome, problems, warnings, checks };
}

/** One finding as people read it. */
export function shown(
  program: Program,
  { profiles }: Looking,
  finding: DoctorReport['checks'][number],
): string {
  const { outcome, check, text, fix, profile } = finding;
  const paint = painter(wantsColours(program));
  const of = profile !== null && profiles.length > 1 ? `${profile}: ` : '';
  const before = `${outcome.padEnd(NAME_COLUMN - 2)}  ${check.padEnd(TEXT_COLUMN - NAME_COLUMN)}`;
  const [first = '', ...rest] = hanging(before, `${of}${text}`, TEXT_COLUMN);
  const lines = [paint(COLOURS[outcome], outcome) + first.slice(outcome.length), ...rest];
  if (fix !== null) lines.push(...fixLines(fix));
  return `${lines.join('\n')}\n`;
}

/** What has quotes in it is to be copied in one piece. */
function fixLines(fix: string): string[] {
  const before = `${' '.repeat(TEXT_COLUMN)}fix: `;
  return /['"]/.test(fix) ? [before.trimEnd(), `  ${fix}`] : hanging(before, fix, TEXT_COLUMN + 5);
}

function summary({ problems, warnings }: DoctorReport): string {
  if (problems + warnings === 0) return '\nNothing is wrong.\n';
  const some = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
  return `\n${some(problems, 'problem')}, ${some(warnings, 'warning')}.\n`;
}
