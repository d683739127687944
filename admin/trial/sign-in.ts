/** A sign-in with the installed `bedrock-auth`, in the administrator's browser or with a code. */
import { join } from 'node:path';
import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import { runToEnd } from '../processes.ts';
import { signInEnvironment } from './environment.ts';
import { checkEnd } from './programs.ts';
import type { TrialFlags } from './trial-flags.ts';
import type { TrialFolders } from './trial-folders.ts';

/**
 * @returns the signed-in user as the program reports it; undefined when it does not.
 * @throws CcwbError ERR_LOGIN_EXPIRED when nobody does in time; what the program says.
 */
export async function signInAsUser(
  name: string,
  flags: TrialFlags,
  folders: TrialFolders,
  edges: AdminEdges,
): Promise<string | undefined> {
  const args = ['login', '--profile', name];
  if (flags.device) args.push('--device');
  if (flags.browser === false) args.push('--no-browser');
  const seconds = Number(flags.timeout);
  const late = AbortSignal.timeout(seconds * 1000);
  const ran = await runToEnd(join(folders.installation, 'bedrock-auth'), args, {
    env: signInEnvironment(folders, edges.env),
    // The signal comes earlier, so that the program can report what it waits for.
    limitMs: seconds * 1000 + 10_000,
    signal: AbortSignal.any([late, edges.interrupted]),
    // The table shows the message of a failure.
    onOutput: (text) => edges.writeError(text),
  });
  if (late.aborted && !(ran.end.kind === 'exited' && ran.end.status === 0)) {
    throw new CcwbError(
      'ERR_LOGIN_EXPIRED',
      `nobody signed in within ${seconds} s`,
      'run it again and finish it in the browser; with --device that may be one on another machine',
    );
  }
  const { output } = checkEnd('bedrock-auth login', ran);
  return /^(?:Signed in|Already signed in) for \S+ as (.+)\.$/m.exec(output)?.[1];
}
