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
  /** Folder of the installation to remove; absent means that of this program. */
  installation?: string;
  dryRun?: boolean;
  yes?: boolean;
  keepConfig?: boolean;
  keepLogs?: boolean;
};

/**
 * Runs `bedrock-auth uninstall`: removes everything that was installed for this user, the programs last. A removal that
 * fails is reported, and the others go on.
 *
 * @returns the exit status: 1 if a removal failed, or if the user did not confirm.
 */
export async function uninstall(caller: ShimEdges, options: UninstallOptions): Promise<number> {
  const { installation } = options;
  const edges = installation === undefined ? caller : { ...caller, installation: resolve(installation) };
  const signedIn = planSignOut(edges);
  const keep = { config: options.keepConfig === true, logs: options.keepLogs === true };
  const plans = [
    signedIn,
    planDaemonRemoval(edges),
    planAwsConfigRemoval(edges),
    planClaudeSettingsRemoval(edges, signedIn.names),
    planLegacyToolRemoval(edges, signedIn.names),
    planRuntimeFolderRemoval(edges),
    planCommandLinkRemoval(edges),
    planInstallationFolderRemoval(edges, keep),
  ];
  const steps = plans.flatMap((plan) => plan.steps);
  const kept = plans.flatMap((plan) => plan.kept);
  await edges.writeOut(
    `${list(
      'This removes',
      steps.map(({ text }) => text),
    )}${list('It leaves', kept)}`,
  );
  if (options.dryRun) return 0;
  if (!options.yes && !(await confirmRemoval(edges))) {
    await edges.writeOut('Nothing was removed.\n');
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
  await edges.writeOut(left.length === 0 ? 'Removed.\n' : list('Removed, but for', left));
  return left.length === 0 ? 0 : 1;
}

/** @throws CcwbError ERR_USAGE if standard input is not a terminal. */
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
