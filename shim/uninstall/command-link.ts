import { rmSync } from 'node:fs';
import { commandLinkOf, isOurCommandLink } from '../installation/command-link.ts';
import type { ShimEdges } from '../program/edges.ts';
import { shortPath } from '../terminal/format.ts';
import type { UninstallPlan } from './uninstall-plan.ts';

/** The link of the installer in `~/.local/bin`; one that leads elsewhere is somebody else's. */
export function planCommandLinkRemoval(edges: ShimEdges): UninstallPlan {
  const link = commandLinkOf(edges);
  if (!isOurCommandLink(link)) return { steps: [], kept: [] };
  const remove = async (): Promise<string[]> => {
    rmSync(link.path, { force: true });
    return [];
  };
  return { steps: [{ text: `the link ${shortPath(link.path, edges.env.HOME)}`, remove }], kept: [] };
}
