import { existsSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TEMPORARY_PREFIX } from '../../common/atomic-file.ts';
import { claudeSettingsPath } from '../doctor/claude-checks.ts';
import { isStaleFile, UNFINISHED_SUFFIX, VERSIONS_FOLDER } from '../installation/layout.ts';
import { listProcesses, runsFromFolder } from '../installation/running-processes.ts';
import type { ShimEdges } from '../program/edges.ts';
import { shortPath } from '../terminal/format.ts';
import { awsConfigPath } from '../user-files/aws-files.ts';
import type { InstallPlan } from './install-plan.ts';

/**
 * Plans the removal of old versions, and of stale files that a killed installer has left. A version that programs
 * run from stays; the next installation tries again.
 */
export function planCleanup(edges: ShimEdges, version: string): InstallPlan {
  const { installation } = edges;
  const versions = join(installation, VERSIONS_FOLDER);
  const old = entries(versions).filter((name) => name !== version);
  const stale = [
    ...entries(installation)
      .filter(isStaleFile)
      .map((name) => join(installation, name)),
    ...[awsConfigPath(edges), claudeSettingsPath(edges)].flatMap(temporaryFilesBeside),
  ];
  if (old.length + stale.length === 0) return { changes: [], manualSteps: [] };
  const apply = async (): Promise<readonly string[]> => {
    for (const path of stale) rmSync(path, { recursive: true, force: true });
    const used = await listProcesses(edges);
    // If the processes cannot be listed, every complete version may be in use.
    const isUsed = (name: string): boolean =>
      used?.some(({ command }) => runsFromFolder(command, join(versions, name))) ??
      !name.endsWith(UNFINISHED_SUFFIX);
    const kept = old.filter(isUsed);
    for (const name of old.filter((each) => !kept.includes(each))) {
      rmSync(join(versions, name), { recursive: true, force: true });
    }
    return kept.map(
      (name) => `${VERSIONS_FOLDER}/${name} stays, programs run from it; the next installation removes it`,
    );
  };
  const what = [
    ...old.map((name) => join(VERSIONS_FOLDER, name)),
    ...stale.map((path) => shortPath(path, edges.env.HOME)),
  ].join(', ');
  return { changes: [{ text: `not needed any more: ${what}`, apply }], manualSteps: [] };
}

/** Returns unfinished replacements of a file, in the folder that a link to the file leads to. */
function temporaryFilesBeside(path: string): string[] {
  const folder = dirname(existsSync(path) ? realpathSync(path) : path);
  const names = entries(folder).filter((name) => name.startsWith(TEMPORARY_PREFIX) && name.endsWith('.tmp'));
  return names.map((name) => join(folder, name));
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
