import { wrapWords } from '../../common/terminal/layout.ts';
import { compareBuilds } from '../../protocol/version.ts';
import type { ShimEdges } from '../program/edges.ts';
import { shortPath } from '../terminal/format.ts';
import type { InstallOptions } from './install-options.ts';
import type { InstallPlan, ManualStep } from './install-plan.ts';
import type { Package } from './package.ts';
import { currentVersion } from './program-files.ts';
import type { SelfCheckResult } from './self-check.ts';

/** Result of an installation, as `--json` prints it. */
export type InstallReport = {
  build: string;
  /** The build that was installed before; null if there was none. */
  from: string | null;
  folder: string;
  outcome: 'installed' | 'upgraded' | 'downgraded' | 'changed' | 'unchanged' | 'planned';
  changes: string[];
  notes: string[];
  leftToDo: ManualStep[];
  checks: SelfCheckResult['findings'];
  next: string | null;
};

/** Returns the report of a plan before anything of it is applied. Call it before the version changes. */
export function createReport(
  { installation }: ShimEdges,
  pack: Package,
  plan: InstallPlan,
  { dryRun }: InstallOptions,
): InstallReport {
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

/** Returns the lines that are printed before the first change. */
export function formatHeading(
  { env }: ShimEdges,
  { build, from, folder, outcome, changes }: InstallReport,
): string {
  const where = shortPath(folder, env.HOME);
  const order = from === null ? 0 : compareBuilds(from, build);
  const replaced =
    from === null || from === build ? '' : `, in the place of ${order > 0 ? 'the newer ' : ''}${from}`;
  const what = `Claude Code with Amazon Bedrock ${build} into ${where}${replaced}`;
  const here = `${build} is installed in ${where}`;
  if (outcome === 'unchanged') return formatSentence(`${here}; there is nothing to change.`);
  if (outcome !== 'planned') return formatSentence(`Installing ${what}`);
  if (changes.length === 0) return formatSentence(`${here}; nothing would change.`);
  return formatSentence(`This would install ${what}`) + formatItems(changes);
}

/** Returns the lines that are printed last: findings of the self-check, manual steps and the next command. */
export function formatClosing({ leftToDo }: InstallReport, checked: SelfCheckResult | undefined): string {
  const left = leftToDo.flatMap(({ text, fix }) => {
    const [first = '', ...rest] = fix.split('\n');
    return [...wrapWords('  ', text, 4), ...wrapWords('    fix: ', first, 9), ...rest];
  });
  const todo = left.length === 0 ? '' : `\nLeft to do by hand:\n${left.join('\n')}\n`;
  return checked ? `\n${checked.text}${todo}\nNext: ${checked.next}\n` : todo;
}

/** Returns each text as an indented item, wrapped. */
export function formatItems(texts: readonly string[]): string {
  return texts
    .flatMap((text) => wrapWords('  ', text, 4))
    .map((line) => `${line}\n`)
    .join('');
}

function formatSentence(text: string): string {
  return `${wrapWords('', text, 0).join('\n')}\n`;
}
