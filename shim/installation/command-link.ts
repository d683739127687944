import { lstatSync, readlinkSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Paths } from '../../protocol/paths.ts';
import { isSamePlace } from '../user-files/edit-file.ts';

/** The one program that people type: it is what errors tell them to run. */
const COMMAND = 'bedrock-auth';

/** Where it is linked to, in the folder for a user's own programs, and where such a link leads. */
export type CommandLink = { path: string; target: string };

/** The folder is that of file-hierarchy(7); Claude Code's own installer uses it, too. */
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

/** Whether the link is there and leads into this installation, by whatever name of its folder. */
export function isOurCommandLink({ path, target }: CommandLink): boolean {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return false;
  const leadsTo = resolve(dirname(path), readlinkSync(path));
  return (
    leadsTo === target || (basename(leadsTo) === COMMAND && isSamePlace(dirname(leadsTo), dirname(target)))
  );
}
