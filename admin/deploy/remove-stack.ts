import { randomUUID } from 'node:crypto';
import { CcwbError } from '../../protocol/errors.ts';
import type { CloudFormation, StackResource, StackState } from '../aws/cloudformation-types.ts';
import type { AdminEdges } from '../edges.ts';
import { followStack, type OperationOutcome } from './follow-operation.ts';
import { isUnderWay } from './operation-end.ts';
import { stackFailure } from './stack-failure.ts';

/** The connection of a removal, and what it may do. */
export type Removal = {
  readonly cloud: CloudFormation;
  readonly edges: AdminEdges;
  /** True: a resource that cannot be deleted stays in the account, and its stack is deleted all the same. */
  readonly keepFailed?: boolean;
};

/**
 * Deletes a stack and follows the deletion. A stack that does not exist is no error.
 *
 * @returns the resources that could not be deleted and are left without a stack.
 * @throws CcwbError ERR_STACK_STATE when it is protected; ERR_STACK_FAILED with what could not be deleted.
 */
export async function removeStack(stack: StackState, removal: Removal): Promise<readonly StackResource[]> {
  const { cloud, edges, keepFailed = false } = removal;
  refuseProtected(stack);
  if (isUnderWay(stack.status) && stack.status !== 'DELETE_IN_PROGRESS') {
    // CloudFormation deletes no stack that is being updated.
    const others = { token: undefined, mark: await cloud.lastEvent(stack.id), before: undefined };
    await followStack(cloud, stack, others, edges);
  }
  const first = await deleteOnce(stack, removal);
  if (first.stack === undefined || first.stack.status === 'DELETE_COMPLETE') return [];
  if (!keepFailed || first.stack.status !== 'DELETE_FAILED') {
    throw stackFailure(stack.name, 'deleted', first.stack, first.failure);
  }
  const failed = (await cloud.listResources(stack.id)).filter(({ status }) => status === 'DELETE_FAILED');
  const { stack: after, failure } = await deleteOnce(
    first.stack,
    removal,
    failed.map(({ logicalId }) => logicalId),
  );
  if (after === undefined || after.status === 'DELETE_COMPLETE') return failed;
  throw stackFailure(stack.name, 'deleted', after, failure);
}

async function deleteOnce(
  stack: StackState,
  { cloud, edges }: Removal,
  without?: readonly string[],
): Promise<OperationOutcome> {
  const token = randomUUID();
  const mark = await cloud.lastEvent(stack.id);
  // By its ARN, so that a new stack of the same name is not deleted.
  await cloud.deleteStack(stack.id, token, without);
  // A deletion in progress goes on with the token of its own request.
  const deleting = stack.status === 'DELETE_IN_PROGRESS';
  const start = { token: deleting ? undefined : token, mark, before: stack };
  return followStack(cloud, stack, start, edges);
}

/** @throws CcwbError ERR_STACK_STATE when termination protection is on. */
export function refuseProtected({ name, terminationProtection }: StackState): void {
  if (!terminationProtection) return;
  throw new CcwbError(
    'ERR_STACK_STATE',
    `${name} is protected against termination`,
    `if it shall go: aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name ${name}`,
  );
}
