import { accessSync, constants, lstatSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, isAbsolute } from 'node:path';
import { commandLinkOf } from '../installation/command-link.ts';
import type { ShimEdges } from '../program/edges.ts';
import { shortPath } from '../terminal/format.ts';
import { isSamePlace } from '../user-files/edit-file.ts';
import { type InstallPlan, NO_CHANGES } from './install-plan.ts';

/**
 * Plans a link to `bedrock-auth` in `~/.local/bin`, if that folder exists and is on the PATH. Neither is changed
 * for it, and an existing file of that name stays.
 */
export function planCommandLink(edges: ShimEdges): InstallPlan {
  const { path, target } = commandLinkOf(edges);
  const folder = dirname(path);
  const places = (edges.env.PATH ?? '').split(delimiter).filter(isAbsolute);
  if (!places.some((place) => isSamePlace(place, folder)) || !isWritable(folder)) return NO_CHANGES;
  if (lstatSync(path, { throwIfNoEntry: false })) return NO_CHANGES;
  const apply = (): undefined => {
    symlinkSync(target, path);
  };
  const { HOME: home } = edges.env;
  return {
    changes: [{ text: `${shortPath(path, home)}, a link to ${shortPath(target, home)}`, apply }],
    manualSteps: [],
  };
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
