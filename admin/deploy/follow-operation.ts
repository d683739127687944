import { CcwbError } from '../../protocol/errors.ts';
import type { CloudFormation, StackEvent, StackState } from '../aws/cloudformation-types.ts';
import { OUTAGE_LIMIT_MS } from '../aws/retry.ts';
import type { AdminEdges } from '../edges.ts';
import { firstFailure, hasEnded, type OperationStart, operationEvents } from './operation-end.ts';
import { type Progress, showProgress } from './progress.ts';

/** Bounds of the wait between two polls, in milliseconds: it starts small after an event and grows without one. */
const LEAST_WAIT_MS = 1_000;
const MOST_WAIT_MS = 5_000;
/** Time without an event after which `ccwb` stops following, in milliseconds. Events usually come within minutes. */
const QUIET_LIMIT_MS = 3_600_000;
/** Time in milliseconds in which a request must lead to an event; without one, something else than AWS replied. */
const BEGIN_LIMIT_MS = 60_000;

/** The end of an operation on a stack. */
export type OperationOutcome = {
  /** Undefined when the stack no longer exists. */
  readonly stack: StackState | undefined;
  /** The first resource that failed, not those that were cancelled because of it. */
  readonly failure: StackEvent | undefined;
};

/**
 * Shows the events of a stack until its operation ends.
 *
 * @param stackId ARN, which also finds a deleted stack.
 * @throws CcwbError ERR_STACK_PENDING when the program is interrupted or nothing was heard for an hour;
 *   errors of the calls, with a note that the operation continues in AWS.
 */
export async function followStack(
  cloud: CloudFormation,
  stack: { readonly id: string; readonly name: string },
  start: OperationStart,
  edges: AdminEdges,
): Promise<OperationOutcome> {
  const progress = showProgress(stack.name, edges);
  const seen: StackEvent[] = [];
  let shown = 0;
  const startedAt = edges.now();
  let newsAt = startedAt;
  let waitMs = LEAST_WAIT_MS;
  try {
    for (;;) {
      const { state, events } = await readProgress(cloud, stack, seen.at(-1) ?? start.mark, progress, edges);
      seen.push(...events);
      const own = operationEvents(seen, start);
      for (const event of own.slice(shown)) progress.event(event);
      shown = own.length;
      if (events.length > 0) {
        newsAt = edges.now();
        waitMs = LEAST_WAIT_MS;
      }
      const quietMs = edges.now() - newsAt;
      if (hasEnded(state, own, start, quietMs)) return { stack: state, failure: firstFailure(own) };
      const begun = own.length > 0 || start.token === undefined;
      if (!begun && edges.now() - startedAt > BEGIN_LIMIT_MS) throw notBegun(stack.name);
      if (quietMs > QUIET_LIMIT_MS) throw pending(stack.name, 'nothing was heard of it for an hour', state);
      if (quietMs > MOST_WAIT_MS) progress.waiting(quietMs);
      await edges.sleep(waitMs * (0.5 + edges.random() / 2));
      if (edges.interrupted.aborted) throw pending(stack.name, 'interrupted', state);
      waitMs = Math.min(waitMs * 1.5, MOST_WAIT_MS);
    }
  } finally {
    progress.end();
  }
}

/** Reads status and events once. Retries while AWS cannot be reached, since the operation continues there. */
async function readProgress(
  cloud: CloudFormation,
  stack: { readonly id: string; readonly name: string },
  known: StackEvent | undefined,
  progress: Progress,
  edges: AdminEdges,
): Promise<{ state: StackState | undefined; events: readonly StackEvent[] }> {
  const since = edges.now();
  for (let tries = 0; ; tries += 1) {
    try {
      const state = await cloud.describeStack(stack.id);
      return { state, events: await cloud.eventsAfter(stack.id, known) };
    } catch (thrown) {
      if (edges.interrupted.aborted) throw pending(stack.name, 'interrupted', undefined);
      if (!(thrown instanceof CcwbError)) throw thrown;
      if (!thrown.retryable || edges.now() - since > OUTAGE_LIMIT_MS) throw stillRunning(stack.name, thrown);
      if (tries === 0) progress.note(`${thrown.message}; ${stack.name} goes on in AWS, asking again`);
      await edges.sleep(MOST_WAIT_MS * (0.5 + edges.random() / 2));
    }
  }
}

function notBegun(name: string): CcwbError {
  return new CcwbError(
    'ERR_STACK_PENDING',
    `AWS took the order for ${name} a minute ago and has not begun`,
    'run ccwb status to look at it, or the same command again',
  );
}

function pending(name: string, why: string, state: StackState | undefined): CcwbError {
  const status = state === undefined ? '' : ` (${state.status})`;
  return new CcwbError(
    'ERR_STACK_PENDING',
    `${why}; ${name} goes on in AWS${status}`,
    'run ccwb status to look at it, or the same command again to follow it',
  );
}

function stillRunning(name: string, error: CcwbError): CcwbError {
  return new CcwbError(
    error.code,
    `${error.message}; ${name} goes on in AWS meanwhile`,
    `${error.fix}; then ccwb status shows how it ended`,
    { cause: error },
  );
}
