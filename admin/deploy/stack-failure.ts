import { CcwbError } from '../../protocol/errors.ts';
import type { StackEvent, StackState } from '../aws/cloudformation-types.ts';

/** Fixes for reasons that CloudFormation gives. */
const FIXES: readonly (readonly [reason: RegExp, way: string])[] = [
  [
    /not authorized to perform|AccessDenied|access denied/i,
    'have the permission in that reason added for whoever deploys (docs/deploy.md), then run it again',
  ],
  [
    /^Provider with url \S+ already exists/i,
    'that name is taken by something outside the stack: where that registration shall be used, set providerRegistered to true (docs/infrastructure.md), else remove it; then run it again',
  ],
  [
    /already exists/i,
    'that name is taken by something outside the stack: remove or rename it, or choose another profile name; then run it again',
  ],
  [
    /limit|quota/i,
    'have the quota in that reason raised (Service Quotas), or free what is not needed; then run it again',
  ],
  [/expired|security token/i, 'sign in to AWS again, then run it again'],
];

/** Next steps for the states in which a failed operation leaves a stack. */
const STATES: Readonly<Record<string, string>> = {
  ROLLBACK_COMPLETE: 'the next ccwb deploy deletes what is left of the stack first',
  ROLLBACK_FAILED: 'the next ccwb deploy deletes what is left of the stack first',
  UPDATE_ROLLBACK_COMPLETE: 'the stack is as it was before',
  UPDATE_ROLLBACK_FAILED: 'the next ccwb deploy continues the rollback first',
  DELETE_FAILED: 'the next ccwb destroy tries again',
};

/** Creates the error of a failed operation: the first failed resource, its reason and the next step. */
export function stackFailure(
  name: string,
  verb: 'created' | 'updated' | 'deleted',
  stack: StackState | undefined,
  failure: StackEvent | undefined,
): CcwbError {
  const status = stack?.status ?? 'DELETE_COMPLETE';
  const where =
    failure === undefined || failure.ofStack
      ? ''
      : `: ${failure.logicalId} (${failure.type}) ${failure.status}`;
  const reason = failure?.reason ?? stack?.reason ?? 'CloudFormation gives no reason';
  const after = STATES[status];
  return new CcwbError(
    'ERR_STACK_FAILED',
    `${name} was not ${verb} (${status})${where}: ${reason}`,
    `${fixOf(reason, verb)}${after === undefined ? '' : `; ${after}`}`,
  );
}

function fixOf(reason: string, verb: string): string {
  const found = FIXES.find(([pattern]) => pattern.test(reason));
  if (found) return found[1];
  if (verb !== 'deleted') return 'correct what the reason names, then run it again';
  return /not empty/i.test(reason)
    ? 'empty what the reason names, then run it again'
    : 'remove what keeps the resource from being deleted, then run it again';
}
