/** Runs the installed programs as their user would, and reads their errors. */
import { join } from 'node:path';
import { isErrorCode } from '../../protocol/error-codes.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import { type ProgramOptions, type ProgramResult, runToEnd } from '../processes.ts';
import { oneLine } from '../terminal/text.ts';
import { userEnvironment } from './environment.ts';
import { testFailure } from './steps.ts';
import type { TrialFolders } from './trial-folders.ts';

export type Programs = {
  /**
   * Runs a program of the installation to its end.
   *
   * @returns the ended program, if it ended with 0 or one of `statuses`.
   * @throws CcwbError with the error that the program reports.
   */
  run(
    name: 'credential-process' | 'otel-helper' | 'bedrock-auth',
    args: readonly string[],
    options?: Partial<ProgramOptions> & { readonly statuses?: readonly number[] },
  ): Promise<ProgramResult>;
};

/** No program but a sign-in waits longer, in milliseconds. */
const LIMIT_MS = 60_000;

export function createInstalledPrograms(folders: TrialFolders, edges: AdminEdges): Programs {
  return {
    async run(name, args, { statuses = [0], ...options } = {}) {
      const env = { ...userEnvironment(folders, edges.env), CCWB_SIGN_IN: 'off' };
      const ran = await runToEnd(join(folders.installation, name), args, {
        env,
        limitMs: LIMIT_MS,
        ...options,
      });
      return checkEnd(name, ran, statuses);
    },
  };
}

/** @throws CcwbError */
export function checkEnd(name: string, ran: ProgramResult, statuses: readonly number[] = [0]): ProgramResult {
  if (ran.end.kind === 'exited' && statuses.includes(ran.end.status)) return ran;
  throw errorOf(name, ran);
}

/** Returns the two lines of an error of ours, or the end of the output. */
function errorOf(name: string, { end, output, errors }: ProgramResult): CcwbError {
  const [, message, code] = /^\S+: (.+) \((ERR_\w+)\)$/m.exec(errors) ?? [];
  const [, fix] = /^ {2}fix: (.+)$/m.exec(errors) ?? [];
  if (message !== undefined && isErrorCode(code))
    return new CcwbError(code, oneLine(message), oneLine(fix ?? ''));
  const how = end.kind === 'exited' ? `ended with ${end.status}` : `did not run to its end (${end.reason})`;
  const last = (errors.trim() || output.trim()).split('\n').at(-1) ?? '';
  return testFailure(
    oneLine(`${name} ${how}${last === '' ? '' : `: ${last}`}`),
    'run the same program by hand and see',
  );
}
