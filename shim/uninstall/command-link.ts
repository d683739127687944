import { rmSync } from 'node:fs';
import { commandLinkOf, isOurCommandLink } from '../installation/command-link.ts';
import type { ShimEdges } from '../program/edges.ts';
import { shortPath } from '../terminal/format.ts';
import type { UninstallPlan } from './uninstall-plan.ts';

/** Plans the removal of the installer's link in `~/.local/bin`. A link that leads elsewhere stays. */
export function planCommandLinkRemoval(edges: ShimEdges): UninstallPlan {
  const link = commandLinkOf(edges);
  if (!isOurCommandLink(link)) return { steps: [], kept: [] };
  const remove = async (): Promise<string[]> => {
    rmSync(link.path, { force: true });
    return [];
  };
  return { steps: [{ text: `the link ${shortPath(link.path, edges.env.HOME)}`, remove }], kept: [] };
}
