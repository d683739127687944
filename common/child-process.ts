/** Types and helpers for child processes. Starting them is left to one file of each program. */

/** The end of a child process: its exit status, or why it did not start, or the signal that ended it. */
export type ChildEnd =
  | { readonly kind: 'exited'; readonly status: number }
  /** `reason` is an error code such as ENOENT, or the name of a signal. */
  | { readonly kind: 'failed'; readonly reason: string };

/** The end of a child process, and the beginning of its standard output. */
export type ChildResult = { readonly end: ChildEnd; readonly output: string };

/** Returns the end of a child process that emitted `error`: it could not be started. */
export function endOfError(error: NodeJS.ErrnoException): ChildEnd {
  return { kind: 'failed', reason: error.code ?? error.name };
}

/** Returns the end of a child process that emitted `exit` or `close` with these arguments. */
export function endOfExit(status: number | null, signal: NodeJS.Signals | null): ChildEnd {
  return status === null
    ? { kind: 'failed', reason: signal ?? 'unknown signal' }
    : { kind: 'exited', status };
}
