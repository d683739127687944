import { resolve } from 'node:path';
import { wrapWords } from '../../common/terminal/layout.ts';
import { asCcwbError } from '../../protocol/errors.ts';
import type { ShimEdges } from '../program/edges.ts';
import { usageError } from '../program/errors.ts';
import { planAwsConfigRemoval } from './aws-config.ts';
import { planClaudeSettingsRemoval } from './claude-settings.ts';
import { planCommandLinkRemoval } from './command-link.ts';
import { planInstallationFolderRemoval, planRuntimeFolderRemoval } from './folders.ts';
import { planLegacyToolRemoval } from './legacy-tool.ts';
import { planDaemonRemoval, planSignOut } from './sign-out.ts';

export type UninstallOptions = {
  /** Folder of the installation that is meant; that of this program when absent. */
  installation?: string;
  dryRun?: boolean;
  yes?: boolean;
  keepConfig?: boolean;
  keepLogs?: boolean;
};

/**
 * `bedrock-auth uninstall`: everything that was installed for this user, the programs last. What cannot be
 * removed is told, and the rest goes on; 1 when something had to stay that should not, or nobody said yes.
 */
export async function uninstall(own: ShimEdges, options: UninstallOptions): Promise<number> {
  const { installation } = options;
  const program = installation === undefined ? own : { ...own, installation: resolve(installation) };
  const signedIn = planSignOut(program);
  const keep = { config: options.keepConfig === true, logs: options.keepLogs === true };
  const plans = [
    signedIn,
    planDaemonRemoval(program),
    planAwsConfigRemoval(program),
    planClaudeSettingsRemoval(program, signedIn.names),
    planLegacyToolRemoval(program, signedIn.names),
    planRuntimeFolderRemoval(program),
    planCommandLinkRemoval(program),
    planInstallationFolderRemoval(program, keep),
  ];
  const steps = plans.flatMap((plan) => plan.steps);
  const kept = plans.flatMap((plan) => plan.kept);
  await program.writeOut(
    `${list(
      'This removes',
      steps.map(({ text }) => text),
    )}${list('It leaves', kept)}`,
  );
  if (options.dryRun) return 0;
  if (!options.yes && !(await confirmRemoval(program))) {
    await program.writeOut('Nothing was removed.\n');
    return 1;
  }
  const left: string[] = [];
  for (const { text, remove } of steps) {
    try {
      left.push(...(await remove()));
    } catch (thrown) {
      const { code } = (thrown ?? {}) as NodeJS.ErrnoException;
      const error = asCcwbError(thrown);
      const why = error.code === 'ERR_INTERNAL' && code ? code : error.message;
      left.push(`${text}: ${why}`);
    }
  }
  await program.writeOut(left.length === 0 ? 'Removed.\n' : list('Removed, but for', left));
  return left.length === 0 ? 0 : 1;
}

/** @throws CcwbError ERR_USAGE where nobody can be asked. */
async function confirmRemoval(edges: ShimEdges): Promise<boolean> {
  if (!edges.terminalInput) {
    throw usageError(edges.name, 'nobody can be asked here; --yes removes without asking');
  }
  await edges.writeOut('Remove all of it? [y/N] ');
  return /^y(es)?$/i.test((await edges.readLine())?.trim() ?? '');
}

function list(title: string, lines: readonly string[]): string {
  const items = lines.flatMap((line) => wrapWords('  ', line, 4));
  return items.length === 0 ? '' : `${title}\n${items.join('\n')}\n`;
}
