import { rmSync } from 'node:fs';
import type { ShimEdges } from '../program/edges.ts';
import { shortPath } from '../terminal/view.ts';
import { commandLink, isOurs } from '../user-files/command-link.ts';
import type { Plan } from './step.ts';

/** The link of the installer in `~/.local/bin`; one that leads elsewhere is somebody else's. */
export function linkOfCommand(edges: ShimEdges): Plan {
  const link = commandLink(edges);
  if (!isOurs(link)) return { steps: [], left: [] };
  const remove = async (): Promise<string[]> => {
    rmSync(link.path, { force: true });
    return [];
  };
  return { steps: [{ text: `the link ${shortPath(link.path, edges.env.HOME)}`, remove }], left: [] };
}
