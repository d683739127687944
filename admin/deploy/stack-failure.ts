import { CcwbError } from '../../protocol/errors.ts';
import type { StackEvent, StackState } from '../aws/cloudformation-types.ts';

/** Fixes for reasons that CloudFormation gives, by their words. */
const FIXES: readonly (readonly [reason: RegExp, way: string])[] = [
  [
    /not authorized to perform|AccessDenied|access denied/i,
    'have the permission in that reason added for the principal that deploys (ccwb deploy --print-permissions prints all of them), then run it again',
  ],
  [
    /^Provider with url \S+ already exists|'AWS::IAM::OIDCProvider' with identifier '[^']*' already exists/i,
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

/** Commands that remove what has a name, by type. */
const REMOVALS: Readonly<Record<string, string>> = {
  'AWS::Athena::WorkGroup': 'aws athena delete-work-group --recursive-delete-option --work-group',
  'AWS::CloudTrail::Trail': 'aws cloudtrail delete-trail --name',
  'AWS::CloudWatch::Alarm': 'aws cloudwatch delete-alarms --alarm-names',
  'AWS::CloudWatch::Dashboard': 'aws cloudwatch delete-dashboards --dashboard-names',
  'AWS::Glue::Database': 'aws glue delete-database --name',
  'AWS::KinesisFirehose::DeliveryStream': 'aws firehose delete-delivery-stream --delivery-stream-name',
  'AWS::Logs::LogGroup': 'aws logs delete-log-group --log-group-name',
};

/** Returns the fix for a reason that CloudFormation gives; undefined when its words are not known. */
export function fixFor(reason: string, region: string | undefined): string | undefined {
  const [, type = '', name = ''] =
    /Resource of type '([^']+)' with identifier '([^']+)' already exists/.exec(reason) ?? [];
  const removal = REMOVALS[type];
  if (removal !== undefined && /^[\w./:-]+$/.test(name)) {
    const at = region === undefined ? '' : ` --region ${region}`;
    return `that name is taken by something outside the stack; if nothing uses it: ${removal} ${name}${at}; else choose another profile name; then run it again`;
  }
  return FIXES.find(([pattern]) => pattern.test(reason))?.[1];
}

/** Next steps for the states in which a failed operation leaves a stack. */
const STATES: Readonly<Record<string, string>> = {
  ROLLBACK_COMPLETE: 'the next ccwb deploy deletes what is left of the stack first',
  ROLLBACK_FAILED: 'the next ccwb deploy deletes what is left of the stack first',
  UPDATE_ROLLBACK_COMPLETE: 'the stack is as it was before',
  UPDATE_ROLLBACK_FAILED: 'the next ccwb deploy continues the rollback first',
  DELETE_FAILED:
    'the next ccwb destroy tries again; with --keep-failed that resource stays and the rest goes',
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
    `${fixOf(reason, verb, stack?.id.split(':')[3])}${after === undefined ? '' : `; ${after}`}`,
  );
}

function fixOf(reason: string, verb: string, region: string | undefined): string {
  const known = fixFor(reason, region);
  if (known !== undefined) return known;
  if (verb !== 'deleted') return 'correct what the reason names, then run it again';
  return /not empty/i.test(reason)
    ? 'empty what the reason names, then run it again'
    : 'remove what keeps the resource from being deleted, then run it again';
}
