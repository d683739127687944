/** Steps that sign out and uninstall, and check that nothing is left. */
import { setTimeout as sleep } from 'node:timers/promises';
import { programsAtHome } from '../processes.ts';
import { changesSince, type Snapshot } from './install.ts';
import type { Programs } from './programs.ts';
import { done, type StepResult, testFailure } from './steps.ts';
import type { TrialFolders } from './trial-folders.ts';

/** Time that programs have to end after the uninstallation, in milliseconds. */
const PARTING_MS = 5_000;

/** @throws CcwbError */
export async function signOut(name: string, programs: Programs): Promise<StepResult<true>> {
  const { output } = await programs.run('bedrock-auth', ['logout', '--profile', name]);
  const { end } = await programs.run('credential-process', ['--profile', name, '--check-expiration'], {
    statuses: [0, 1],
  });
  if (end.kind === 'exited' && end.status === 0) {
    throw testFailure(
      'there are credentials after the sign-out',
      'report it; credentials end by themselves in an hour',
    );
  }
  const told = /; (.+)\.$/m.exec(output)?.[1];
  return done(told ?? 'nobody was signed in');
}

/** @throws CcwbError */
export async function uninstall(
  before: Snapshot,
  folders: TrialFolders,
  programs: Programs,
): Promise<StepResult<true>> {
  await programs.run('bedrock-auth', ['uninstall', '--yes']);
  const changed = changesSince(before, folders);
  if (changed.length > 0) {
    throw testFailure(`uninstall left the home otherwise than it was: ${changed.join(', ')}`, 'report it');
  }
  const deadline = performance.now() + PARTING_MS;
  let running = await programsAtHome(folders.home);
  while (running.length > 0 && performance.now() < deadline) {
    await sleep(100);
    running = await programsAtHome(folders.home);
  }
  if (running.length > 0) throw testFailure(`uninstall left ${running.length} programs running`, 'report it');
  return done('the home is as it was before, byte for byte');
}
