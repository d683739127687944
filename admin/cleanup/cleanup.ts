import { existsSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { CcwbError } from '../../protocol/errors.ts';
import { INSTALL_FOLDER } from '../../protocol/paths.ts';
import type { AdminEdges } from '../edges.ts';
import { findPayload } from '../package/payload.ts';
import { runInForeground } from '../processes.ts';
import { useNoProfile } from '../profiles/current-profile.ts';
import { deployedStacks } from '../profiles/manage-profiles.ts';
import { listProfiles, profilesFolder, readProfile } from '../profiles/profile-store.ts';
import { confirm } from '../terminal/confirm.ts';
import { listWords, paragraph } from '../terminal/text.ts';

export type CleanupFlags = { yes?: true; force?: true; dryRun?: true; profiles?: true };

/** Runs `ccwb cleanup`. @returns exit status: 1 when something had to stay. */
export async function cleanUp(flags: CleanupFlags, edges: AdminEdges): Promise<number> {
  if (flags.profiles && !flags.force) refuseDeployed(edges);
  if (!(await uninstall(flags, edges))) return 1;
  if (flags.profiles) await removeProfiles(flags, edges);
  return 0;
}

/** Runs the uninstaller of the installation, or the one of this program if the installation has none. */
async function uninstall(flags: CleanupFlags, edges: AdminEdges): Promise<boolean> {
  const installation = join(edges.env.HOME || homedir(), INSTALL_FOLDER);
  const installed = join(installation, 'bedrock-auth');
  const own = join('app', 'shim', 'bedrock-auth.js');
  const [file, ...before] = existsSync(installed)
    ? [installed, 'uninstall']
    : [process.execPath, join(findPayload(), own), 'uninstall', '--installation', installation];
  const args = [
    ...before,
    ...(flags.dryRun ? ['--dry-run'] : []),
    ...(flags.yes || flags.force ? ['--yes'] : []),
  ];
  const end = await runInForeground(file, args, edges.env);
  if (end.kind === 'exited') return end.status === 0;
  throw new CcwbError(
    'ERR_INSTALL_INCOMPLETE',
    `${file} could not be run (${end.reason})`,
    'run install.sh of a package again, then ccwb cleanup',
  );
}

function refuseDeployed(edges: AdminEdges): void {
  for (const name of listProfiles(edges.env)) {
    const deployed = deployedStacks(readProfile(name, edges.env));
    if (deployed.length === 0) continue;
    throw new CcwbError(
      'ERR_STACK_STATE',
      `profile ${name} is deployed: ${listWords(deployed)}; nothing was removed`,
      `run ccwb destroy --profile ${name} first; with --force the profiles go and the stacks stay in AWS`,
    );
  }
}

async function removeProfiles(flags: CleanupFlags, edges: AdminEdges): Promise<void> {
  const folder = profilesFolder(edges.env);
  const names = listProfiles(edges.env);
  if (names.length === 0) {
    edges.writeError(paragraph(`There is no profile in ${folder}.`, edges.columns));
    return;
  }
  if (flags.dryRun) {
    edges.writeOut(paragraph(`${folder}: ${names.join(', ')}`, undefined, 'This removes '));
    return;
  }
  const yes = flags.yes === true || flags.force === true;
  await confirm(`Remove the profiles ${listWords(names)} in ${folder}?`, yes, '--yes', edges);
  useNoProfile(edges.env);
  rmSync(folder, { recursive: true, force: true });
  edges.writeOut(`removed ${names.join(', ')} from ${dirname(folder)}\n`);
}
