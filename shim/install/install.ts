import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { wrapWords } from '../../common/terminal/layout.ts';
import { asCcwbError, CcwbError } from '../../protocol/errors.ts';
import { compareBuilds } from '../../protocol/version.ts';
import type { ShimEdges } from '../program/edges.ts';
import { isOutputClosed, usageError } from '../program/errors.ts';
import { runProgram } from '../program/run-program.ts';
import { formatJson, shortPath } from '../terminal/format.ts';
import { planAwsConfig } from './aws-config.ts';
import { planAwsCredentials } from './aws-credentials.ts';
import { planClaudeSettings } from './claude-settings.ts';
import { planCleanup } from './cleanup.ts';
import { planCommandLink } from './command-link.ts';
import { planConfigFile } from './config-file.ts';
import { planDaemon } from './daemon-service.ts';
import { acquireInstallLock } from './install-lock.ts';
import { type InstallChange, type InstallPlan, type ManualStep, manualStepAfter } from './install-plan.ts';
import { type Package, readPackage } from './package.ts';
import { checkDiskSpace, findInstallFolder, toInstallError } from './preflight.ts';
import { currentVersion, planCurrentVersion, planProgramFiles, planProgramLinks } from './program-files.ts';
import { runSelfCheck, type SelfCheckResult } from './self-check.ts';

const HELP = `Install Claude Code with Amazon Bedrock for you, or bring it up to date.

Usage: ./install.sh [options]

  --dry-run     show what would change, and change nothing
  --no-service  do not register the daemon with systemd or launchd; the first
                program that needs it starts it
  --json        for programs
  -h, --help    print this text

No sudo: it is all in your home. Run it again to upgrade or to mend; the same
package again changes nothing. bedrock-auth uninstall takes all of it back.
Exit status 0: installed. 1: failed, and what worked before still works.
2: wrong usage. 3: installed, and something is left to do by hand.
`;

/** Done, with something that a person has to do. */
const LEFT_TO_DO = 3;

type Options = { dryRun: boolean; service: boolean; json: boolean };

/** What `--json` prints. */
type Report = {
  build: string;
  /** What was installed before; null when there was nothing. */
  from: string | null;
  folder: string;
  outcome: 'installed' | 'upgraded' | 'downgraded' | 'changed' | 'unchanged' | 'planned';
  changes: string[];
  notes: string[];
  leftToDo: ManualStep[];
  checks: SelfCheckResult['findings'];
  next: string | null;
};

/** `install.sh`, from where it has found a Node.js to run this. */
async function main(started: ShimEdges): Promise<number> {
  const options = parse(started);
  if (!options) {
    await started.writeOut(HELP);
    return 0;
  }
  const pack = readPackage(started.buildFolder);
  const program = {
    ...started,
    installation: findInstallFolder(started),
    print: (text: string) => tell(started, text),
  };
  const plan = await planAll(program, pack, options).catch((thrown: unknown) => {
    throw toInstallError(thrown, 'what is there cannot be looked at');
  });
  const report = reportOf(program, pack, plan, options);
  if (!options.json) await program.print(heading(program, report));
  if (!options.dryRun) await carryOut(program, plan, report, options);
  const checked = options.dryRun ? undefined : await runSelfCheck(program, pack.config.names);
  report.checks = checked?.findings ?? [];
  report.next = checked?.next ?? null;
  const problems = report.checks.filter(({ outcome }) => outcome === 'problem').length;
  await program.print(options.json ? formatJson(report) : closing(report, checked));
  return report.leftToDo.length + problems > 0 ? LEFT_TO_DO : 0;
}

/** Every part, in the order in which one stands on the other. Nothing is changed by planning. */
async function planAll(edges: ShimEdges, pack: Package, { service }: Options): Promise<InstallPlan> {
  const { installation } = edges;
  const payload = planProgramFiles(installation, pack);
  if (payload.changes.length > 0) checkDiskSpace(installation, pack);
  const plans = [
    payload,
    planConfigFile(installation, pack),
    planCurrentVersion(installation, payload.version),
    planProgramLinks(installation, pack),
    planCommandLink(edges),
    planAwsConfig(edges, pack.config),
    planAwsCredentials(edges, pack.config),
    planClaudeSettings(edges, pack.settings, pack.config.names),
    await planDaemon(edges, payload.version, service),
    planCleanup(edges, payload.version),
  ];
  return {
    changes: plans.flatMap(({ changes }) => changes),
    manualSteps: plans.flatMap(({ manualSteps: byHand }) => byHand),
  };
}

/** @throws CcwbError when what the rest stands on fails; any other part becomes something to do by hand. */
async function carryOut(
  edges: ShimEdges,
  plan: InstallPlan,
  report: Report,
  { json }: Options,
): Promise<void> {
  if (plan.changes.length === 0) return;
  const lock = begin(edges);
  try {
    for (const change of plan.changes) {
      if (edges.interrupted.aborted) throw interrupted();
      const told = await make(change, report);
      report.notes.push(...told);
      if (!json) await edges.writeOut(lines([change.text, ...told]));
    }
  } finally {
    lock.release();
  }
}

function begin(edges: ShimEdges): { release(): void } {
  try {
    mkdirSync(edges.installation, { recursive: true, mode: 0o700 });
    return acquireInstallLock(edges);
  } catch (thrown) {
    throw toInstallError(thrown, 'nothing was installed');
  }
}

async function make(
  { text, essential, apply: change }: InstallChange,
  report: Report,
): Promise<readonly string[]> {
  try {
    return (await change()) ?? [];
  } catch (thrown) {
    const error = toInstallError(thrown, text);
    if (essential) throw error;
    report.leftToDo.push(manualStepAfter(text, asCcwbError(thrown instanceof CcwbError ? thrown : error)));
    return ['not done, see below'];
  }
}

function reportOf(
  { installation }: ShimEdges,
  pack: Package,
  plan: InstallPlan,
  { dryRun }: Options,
): Report {
  const current = currentVersion(installation);
  const from = current?.replace(/-[0-9a-f]{8}(\.\d+)?$/, '') ?? null;
  const order = from === null ? 0 : compareBuilds(from, pack.build);
  const changed = order < 0 ? 'upgraded' : order > 0 ? 'downgraded' : 'changed';
  const unchanged = plan.changes.length === 0;
  return {
    build: pack.build,
    from,
    folder: installation,
    outcome: dryRun ? 'planned' : unchanged ? 'unchanged' : from === null ? 'installed' : changed,
    changes: plan.changes.map(({ text }) => text),
    notes: [],
    leftToDo: [...plan.manualSteps],
    checks: [],
    next: null,
  };
}

function heading({ env }: ShimEdges, { build, from, folder, outcome, changes }: Report): string {
  const where = shortPath(folder, env.HOME);
  const order = from === null ? 0 : compareBuilds(from, build);
  const was =
    from === null || from === build ? '' : `, in the place of ${order > 0 ? 'the newer ' : ''}${from}`;
  const what = `Claude Code with Amazon Bedrock ${build} into ${where}${was}`;
  const here = `${build} is installed in ${where}`;
  if (outcome === 'unchanged') return sentence(`${here}; there is nothing to change.`);
  if (outcome !== 'planned') return sentence(`Installing ${what}`);
  if (changes.length === 0) return sentence(`${here}; nothing would change.`);
  return sentence(`This would install ${what}`) + lines(changes);
}

function sentence(text: string): string {
  return `${wrapWords('', text, 0).join('\n')}\n`;
}

function closing({ leftToDo }: Report, checked: SelfCheckResult | undefined): string {
  const left = leftToDo.flatMap(({ text, fix }) => {
    const [first = '', ...rest] = fix.split('\n');
    return [...wrapWords('  ', text, 4), ...wrapWords('    fix: ', first, 9), ...rest];
  });
  const todo = left.length === 0 ? '' : `\nLeft to do by hand:\n${left.join('\n')}\n`;
  return checked ? `\n${checked.text}${todo}\nNext: ${checked.next}\n` : todo;
}

function lines(texts: readonly string[]): string {
  return texts
    .flatMap((text) => wrapWords('  ', text, 4))
    .map((line) => `${line}\n`)
    .join('');
}

/** Undefined for the help. @throws CcwbError ERR_USAGE */
function parse({ name, args }: ShimEdges): Options | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        'dry-run': { type: 'boolean' },
        'no-service': { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) return undefined;
    const { 'dry-run': dryRun, 'no-service': noService, json } = values;
    return { dryRun: dryRun === true, service: noService !== true, json: json === true };
  } catch (error) {
    const [first = ''] = (error instanceof Error ? error.message : '').split('. ');
    throw usageError(name, first);
  }
}

/** Whoever reads may go; the installation goes on. */
async function tell({ writeOut: print }: ShimEdges, text: string): Promise<void> {
  await print(text).catch((error: unknown) => {
    if (!isOutputClosed(error)) throw error;
  });
}

function interrupted(): CcwbError {
  return new CcwbError('ERR_INTERRUPTED', 'interrupted; what worked before still works', 'run it again');
}

await runProgram('./install.sh', main);
