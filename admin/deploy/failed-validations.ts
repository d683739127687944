/** Reasons of a failed change set that CloudFormation tells only by DescribeEvents (early validation). */

import { CcwbError } from '../../protocol/errors.ts';
import type { CloudFormation, FailedValidation } from '../aws/cloudformation-types.ts';
import { fixFor } from './stack-failure.ts';

/**
 * Creates the error of a change set that could not be made. Read before the change set is deleted: its events go with it.
 *
 * @param reason of the change set.
 */
export async function changeSetFailure(
  cloud: CloudFormation,
  { id, stackId, stackName, reason }: { id: string; stackId: string; stackName: string; reason: string },
): Promise<CcwbError> {
  const { found, denied } = await readValidations(cloud, id);
  const why = found.length === 0 ? reason : found.map(validationLine).join('; ');
  const region = stackId.split(':')[3];
  const fixes = [
    ...new Set(
      (found.length === 0 ? [reason] : found.map(({ text }) => text)).map(
        (text) =>
          fixFor(text, region) ??
          (denied || 'correct what it names; if it is no setting of yours, report it'),
      ),
    ),
  ];
  return new CcwbError(
    'ERR_TEMPLATE_INVALID',
    `CloudFormation made no change set for ${stackName}: ${why}`,
    fixes.join('; '),
  );
}

async function readValidations(
  cloud: CloudFormation,
  changeSet: string,
): Promise<{ readonly found: readonly FailedValidation[]; readonly denied?: string }> {
  try {
    return { found: await cloud.failedValidations(changeSet) };
  } catch (thrown) {
    // The reason of the change set is the error; this call only explains it.
    if (!(thrown instanceof CcwbError)) throw thrown;
    return thrown.code === 'ERR_ADMIN_DENIED'
      ? {
          found: [],
          denied:
            'have cloudformation:DescribeEvents added to your permissions, then run it again: it tells the resource',
        }
      : { found: [] };
  }
}

function validationLine({ logicalId, type, text }: FailedValidation): string {
  return `${logicalId} (${type}): ${text}`;
}
