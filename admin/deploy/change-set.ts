import { CcwbError } from '../../protocol/errors.ts';
import type { ChangeSet, ChangeSetRef, CloudFormation, NewChangeSet } from '../aws/cloudformation-types.ts';
import type { AdminEdges } from '../edges.ts';
import { oneLine, paragraph } from '../terminal/text.ts';
import { changeSetFailure } from './failed-validations.ts';

/** Limit for computing a change set, in milliseconds. It usually takes seconds. */
const LIMIT_MS = 300_000;
const LEAST_WAIT_MS = 500;
const MOST_WAIT_MS = 3_000;

/** The two messages with which CloudFormation says that nothing changes; it has no code for that. */
const NOTHING_TO_DO = /didn't contain changes|No updates are to be performed/i;

/**
 * Creates a change set and waits until CloudFormation has computed the changes.
 *
 * @param created true when the stack is new: the change set then creates an empty stack.
 * @returns undefined when it changes nothing: then no change set is left.
 * @throws CcwbError ERR_TEMPLATE_INVALID with CloudFormation's reason; nothing is left behind.
 */
export async function prepareChangeSet(
  cloud: CloudFormation,
  input: NewChangeSet,
  created: boolean,
  edges: AdminEdges,
): Promise<ChangeSet | undefined> {
  const made = await cloud.createChangeSet(input);
  let changeSet: ChangeSet;
  try {
    changeSet = await waitForChangeSet(cloud, made.id, input.stackName, edges);
  } catch (error) {
    await discardChangeSet(cloud, made, created, edges);
    throw error;
  }
  if (changeSet.status === 'CREATE_COMPLETE' && changeSet.executionStatus === 'AVAILABLE') return changeSet;
  const reason = oneLine(changeSet.reason ?? `${changeSet.status}, ${changeSet.executionStatus}`);
  const failure = NOTHING_TO_DO.test(reason)
    ? undefined
    : await changeSetFailure(cloud, { ...made, stackName: input.stackName, reason });
  await discardChangeSet(cloud, made, created, edges);
  if (failure) throw failure;
  return undefined;
}

/** Deletes a change set that is not executed, and the empty stack that was created for it. */
export async function discardChangeSet(
  cloud: CloudFormation,
  { id, stackId }: ChangeSetRef,
  created: boolean,
  edges: AdminEdges,
): Promise<void> {
  try {
    await cloud.deleteChangeSet(id);
    if (created) await cloud.deleteEmptyStack(stackId);
  } catch (error) {
    if (!(error instanceof CcwbError)) throw error;
    // A failed cleanup must not hide the result or the first error.
    const text = `a change set that changes nothing stays behind: ${error.message}`;
    edges.writeError(paragraph(text, edges.columns));
  }
}

async function waitForChangeSet(
  cloud: CloudFormation,
  id: string,
  name: string,
  edges: AdminEdges,
): Promise<ChangeSet> {
  const since = edges.now();
  for (let waitMs = LEAST_WAIT_MS; ; waitMs = Math.min(waitMs * 1.5, MOST_WAIT_MS)) {
    const changeSet = await cloud.describeChangeSet(id);
    if (!/_(PENDING|IN_PROGRESS)$/.test(changeSet.status)) return changeSet;
    if (edges.now() - since > LIMIT_MS) {
      throw new CcwbError(
        'ERR_STACK_PENDING',
        `CloudFormation has not finished the change set of ${name} after ${LIMIT_MS / 60_000} minutes`,
        'run it again later; a change set that is not executed changes nothing',
      );
    }
    await edges.sleep(waitMs * (0.5 + edges.random() / 2));
    if (edges.interrupted.aborted) {
      throw new CcwbError('ERR_INTERRUPTED', `interrupted before ${name} was changed`, 'run it again');
    }
  }
}
