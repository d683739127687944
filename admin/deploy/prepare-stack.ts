/** Brings a stack into a state in which CloudFormation accepts a change set. */
import { randomUUID } from 'node:crypto';
import { CcwbError } from '../../protocol/errors.ts';
import type { StackState } from '../aws/cloudformation-types.ts';
import { confirm } from '../terminal/confirm.ts';
import { paragraph } from '../terminal/text.ts';
import type { Deployment, PreparedStack } from './deployment.ts';
import { followStack } from './follow-operation.ts';
import { firstFailure, isUnderWay, lastOperation } from './operation-end.ts';
import { removeStack } from './remove-stack.ts';

/** States after a failed creation or deletion: such a stack can only be deleted. */
const ONLY_DELETE = new Set(['ROLLBACK_COMPLETE', 'ROLLBACK_FAILED', 'CREATE_FAILED', 'DELETE_FAILED']);

const UPDATABLE = new Set([
  'CREATE_COMPLETE',
  'UPDATE_COMPLETE',
  'UPDATE_ROLLBACK_COMPLETE',
  'IMPORT_COMPLETE',
  'IMPORT_ROLLBACK_COMPLETE',
]);

/**
 * Waits for an operation in progress, continues a failed rollback, and deletes the remains of a failed creation.
 * The last two need a yes.
 *
 * @throws CcwbError ERR_STACK_STATE for a state that needs a person.
 */
export async function prepareStack(name: string, deployment: Deployment): Promise<PreparedStack> {
  const { dryRun } = deployment.options;
  const ready = (
    kind: PreparedStack['kind'],
    stack: StackState | undefined,
    mustBeDeleted = false,
  ): PreparedStack => ({
    name,
    kind,
    stack,
    mustBeDeleted,
    dryRun,
  });
  const stack = await waitUntilSettled(name, deployment);
  if (stack === undefined) return ready('CREATE', undefined);
  const { status } = stack;
  // Its first change set was never executed, so the stack is empty.
  if (status === 'REVIEW_IN_PROGRESS') return ready('CREATE', stack);
  if (UPDATABLE.has(status)) return ready('UPDATE', stack);
  if (ONLY_DELETE.has(status)) {
    await explain(stack, deployment);
    if (dryRun) return ready('CREATE', stack, true);
    await confirm(
      `Delete what is left of ${name} and create it anew?`,
      deployment.options.yes,
      '--yes',
      deployment.edges,
    );
    await removeStack(stack, deployment);
    return ready('CREATE', undefined);
  }
  if (status === 'UPDATE_ROLLBACK_FAILED' && !dryRun) {
    await explain(stack, deployment);
    return ready('UPDATE', await continueRollback(stack, deployment));
  }
  throw new CcwbError(
    'ERR_STACK_STATE',
    `${name} is in the state ${status}, in which it cannot be updated${because(stack.reason)}`,
    status === 'UPDATE_ROLLBACK_FAILED'
      ? 'run ccwb deploy without --dry-run: it continues the rollback'
      : 'bring it back to a complete state in the CloudFormation console, then run it again',
  );
}

/** Returns the stack when no operation is in progress; follows an operation of anyone to its end. */
async function waitUntilSettled(name: string, { cloud, edges }: Deployment): Promise<StackState | undefined> {
  const first = await cloud.describeStack(name);
  if (first === undefined || !isUnderWay(first.status)) return first;
  // The mark is read before the status is read again, so no event after it is missed.
  const mark = await cloud.lastEvent(first.id);
  const again = await cloud.describeStack(first.id);
  if (again === undefined || !isUnderWay(again.status)) return existing(again);
  edges.writeError(
    paragraph(`${name} is being worked on already (${again.status}): following that first`, edges.columns),
  );
  const { stack } = await followStack(cloud, again, { token: undefined, mark, before: undefined }, edges);
  // Reading it again by name could show it as it was seconds ago.
  return existing(stack);
}

function existing(stack: StackState | undefined): StackState | undefined {
  return stack?.status === 'DELETE_COMPLETE' ? undefined : stack;
}

/** Shows the reason of the state: the first failure in the history of the stack. */
async function explain(stack: StackState, { cloud, edges }: Deployment): Promise<void> {
  const failure = firstFailure(lastOperation(await cloud.eventsAfter(stack.id, undefined)));
  const where = failure === undefined || failure.ofStack ? '' : `: ${failure.logicalId} (${failure.type})`;
  const why = failure?.reason ?? stack.reason ?? 'CloudFormation gives no reason';
  edges.writeError(paragraph(`${stack.name} is in the state ${stack.status}${where}: ${why}`, edges.columns));
}

async function continueRollback(
  stack: StackState,
  { cloud, edges, options }: Deployment,
): Promise<StackState> {
  await confirm(`Continue the rollback of ${stack.name}?`, options.yes, '--yes', edges);
  const start = { token: randomUUID(), mark: await cloud.lastEvent(stack.id), before: stack };
  await cloud.continueRollback(stack.id, start.token);
  const { stack: after, failure } = await followStack(cloud, stack, start, edges);
  if (after && UPDATABLE.has(after.status)) return after;
  throw new CcwbError(
    'ERR_STACK_STATE',
    `the rollback of ${stack.name} failed again${because(failure?.reason ?? after?.reason)}`,
    'correct what the reason names and run it again, or continue the rollback in the console without that resource',
  );
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : `: ${reason}`;
}
