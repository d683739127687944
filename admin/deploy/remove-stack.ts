import { CcwbError } from '../../protocol/errors.ts';
import type { CloudFormation, StackState } from '../aws/cloudformation-types.ts';
import type { AdminEdges } from '../edges.ts';
import { followStack } from './follow-operation.ts';
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
  const mark = await cloud.lastEventId(stack.id);
  // By its ARN, so that a new stack of the same name is not deleted.
  await cloud.deleteStack(stack.id);
  const { stack: after, failure } = await followStack(cloud, stack, mark, edges);
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
