import { lstatSync, readlinkSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Paths } from '../../protocol/paths.ts';
import { isSamePlace } from '../user-files/edit-file.ts';

/** The program that users type, and that errors tell them to run. */
const COMMAND = 'bedrock-auth';

/** The link in the folder of the user's own programs, and its target. */
export type CommandLink = { path: string; target: string };

/** Returns the link in `~/.local/bin`, the folder of file-hierarchy(7) that Claude Code's installer uses too. */
export function commandLinkOf({
  paths,
  installation,
}: {
  paths: Pick<Paths, 'installDirectory'>;
  installation: string;
}): CommandLink {
  const home = dirname(paths.installDirectory);
  return { path: join(home, '.local', 'bin', COMMAND), target: join(installation, COMMAND) };
}

/** Checks that the link exists and leads into this installation, by any path of its folder. */
export function isOurCommandLink({ path, target }: CommandLink): boolean {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return false;
  const leadsTo = resolve(dirname(path), readlinkSync(path));
  return (
    leadsTo === target || (basename(leadsTo) === COMMAND && isSamePlace(dirname(leadsTo), dirname(target)))
  );
}
