import { randomUUID } from 'node:crypto';
import { CcwbError } from '../../protocol/errors.ts';
import type { CloudFormation, StackState } from '../aws/cloudformation-types.ts';
import type { AdminEdges } from '../edges.ts';
import { followStack } from './follow-operation.ts';
import { isUnderWay } from './operation-end.ts';
import { stackFailure } from './stack-failure.ts';

/**
 * Deletes a stack and follows the deletion. A stack that does not exist is no error.
 *
 * @throws CcwbError ERR_STACK_STATE when it is protected; ERR_STACK_FAILED with what could not be deleted.
 */
export async function removeStack(
  stack: StackState,
  { cloud, edges }: { readonly cloud: CloudFormation; readonly edges: AdminEdges },
): Promise<void> {
  refuseProtected(stack);
  const deleting = stack.status === 'DELETE_IN_PROGRESS';
  if (isUnderWay(stack.status) && !deleting) {
    // CloudFormation deletes no stack that is being updated.
    const others = { token: undefined, mark: await cloud.lastEvent(stack.id), before: undefined };
    await followStack(cloud, stack, others, edges);
  }
  const token = randomUUID();
  const mark = await cloud.lastEvent(stack.id);
  // By its ARN, so that a new stack of the same name is not deleted.
  await cloud.deleteStack(stack.id, token);
  // A deletion in progress goes on with the token of its own request.
  const start = { token: deleting ? undefined : token, mark, before: stack };
  const { stack: after, failure } = await followStack(cloud, stack, start, edges);
  if (after === undefined || after.status === 'DELETE_COMPLETE') return;
  throw stackFailure(stack.name, 'deleted', after, failure);
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
