/**
 * Decides when an operation on a stack has ended. CloudFormation's reads are eventually consistent: the status may be
 * that of the operation before, and so may the newest event.
 */
import type { StackEvent, StackState } from '../aws/cloudformation-types.ts';

/** Facts about an operation when it is requested. */
export type OperationStart = {
  /** ClientRequestToken of the request; undefined: somebody else requested it. */
  readonly token: string | undefined;
  /** The newest event before it, as far as a read showed. */
  readonly mark: StackEvent | undefined;
  /** The stack before it; undefined when there was none. */
  readonly before: StackState | undefined;
};

/**
 * Time in milliseconds after which a status is not that of the operation before: reads are late by a few seconds
 * (aws-cdk-cli pull request 1848).
 */
const SETTLED_MS = 10_000;

const STARTS = /^(CREATE|UPDATE|DELETE|IMPORT|UPDATE_ROLLBACK|ROLLBACK)_IN_PROGRESS$/;

/** Returns the events of the operation among those after its mark: late events of the one before may be there. */
export function operationEvents(
  events: readonly StackEvent[],
  { token }: Pick<OperationStart, 'token'>,
): readonly StackEvent[] {
  if (token === undefined) return events;
  const own = events.findIndex((event) => event.token === token);
  // Where events have no token, and where the stack was being deleted already.
  const begins = ({ ofStack, status, token: other }: StackEvent): boolean =>
    ofStack && ((STARTS.test(status) && other === undefined) || status === 'DELETE_COMPLETE');
  const first = own >= 0 ? own : events.findIndex(begins);
  return first < 0 ? [] : events.slice(first);
}

/** Returns the events of the last creation, update or deletion: older failures are no reason for today's state. */
export function lastOperation(events: readonly StackEvent[]): readonly StackEvent[] {
  const first = events.findLastIndex(
    ({ ofStack, status }) => ofStack && /^(CREATE|UPDATE|DELETE|IMPORT)_IN_PROGRESS$/.test(status),
  );
  return first < 0 ? events : events.slice(first);
}

/**
 * Tells whether an operation has ended: its newest event about the stack is terminal, and the status says the same
 * and is of this operation. A status of the same name may be the one from before, with the outputs from before.
 *
 * @param events of the operation.
 * @param sinceMs time since the newest event was first seen.
 */
export function hasEnded(
  state: StackState | undefined,
  events: readonly StackEvent[],
  start: OperationStart,
  sinceMs: number,
): boolean {
  const { token, mark, before } = start;
  const known = token === undefined && mark ? [mark, ...events] : events;
  const end = known.findLast(({ ofStack }) => ofStack)?.status;
  if (end === undefined || isUnderWay(end) || end === 'REVIEW_IN_PROGRESS') return false;
  if (state === undefined) return end === 'DELETE_COMPLETE';
  if (state.status !== end) return false;
  return isOfOperation(state, known, before) || sinceMs >= SETTLED_MS;
}

function isOfOperation(
  state: StackState,
  events: readonly StackEvent[],
  before: StackState | undefined,
): boolean {
  const ids = events.flatMap(({ operation }) => operation ?? []);
  if (ids.length > 0 && state.operations.length > 0) return state.operations.some((id) => ids.includes(id));
  return state.status !== before?.status || state.changedAt !== before.changedAt;
}

/** Tells whether an operation is in progress. A stack under review waits for a request. */
export function isUnderWay(status: string | undefined): boolean {
  return status?.endsWith('_IN_PROGRESS') === true && status !== 'REVIEW_IN_PROGRESS';
}

/** Returns the first event that failed by itself. Events that CloudFormation cancelled because of it say so. */
export function firstFailure(events: readonly StackEvent[]): StackEvent | undefined {
  const failed = events.filter(({ status }) => status.endsWith('_FAILED'));
  const own = failed.filter(({ ofStack }) => !ofStack);
  return own.find(({ reason = '' }) => !/cancell?ed/i.test(reason)) ?? own[0] ?? failed[0];
}
