import { CcwbError } from '../../protocol/errors.ts';

/** True when the reader of the output has gone, which ends a program such as `logs --follow` without an error. */
export function isOutputClosed(error: unknown): boolean {
  const cause = error instanceof CcwbError ? error.cause : undefined;
  return (cause as NodeJS.ErrnoException | undefined)?.code === 'EPIPE';
}

/** Returns the error of an output that could not be written. */
export function outputError(cause: Error): CcwbError {
  const code = (cause as NodeJS.ErrnoException).code ?? cause.name;
  return new CcwbError(
    'ERR_INTERNAL',
    `the output could not be written (${code})`,
    'check the program or file that reads this output',
    { cause },
  );
}

/** Returns the error of a wrong flag or argument. The fix is the help of the program. */
export function usageError(program: string, message: string): CcwbError {
  return new CcwbError('ERR_USAGE', message, `run ${program} --help`);
}
