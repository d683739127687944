/** Resources that stay in the account when their stack is deleted, and the commands that remove them. */
import type { StackResource } from '../aws/cloudformation-types.ts';
import { typeWords } from '../terminal/text.ts';

/** A retained resource and the shell command that removes it; undefined when there is no such command. */
export type RetainedResource = {
  readonly type: string;
  readonly physicalId: string;
  readonly remove: string | undefined;
};

const BUCKET = 'AWS::S3::Bucket';
/** Type that is deleted with its bucket and needs no command. */
const BUCKET_POLICY = 'AWS::S3::BucketPolicy';

/** Names of buckets among resources. */
export function bucketsIn(resources: readonly StackResource[]): string[] {
  return resources.flatMap(({ type, physicalId }) => (type === BUCKET && physicalId ? [physicalId] : []));
}

export function isOfBucket({ type }: Pick<StackResource, 'type'>): boolean {
  return type === BUCKET || type === BUCKET_POLICY;
}

/** Returns the shell command that empties and deletes a bucket. `aws s3 rb --force` leaves old versions and fails. */
export function deleteBucketCommand(bucket: string, profile: string): string {
  return `ccwb destroy --profile ${profile} --delete-bucket ${bucket}`;
}

export function retainedResources(keeps: readonly StackResource[], profile: string): RetainedResource[] {
  return keeps.flatMap(({ type, physicalId = '' }) => {
    if (type === BUCKET_POLICY) return [];
    const remove = type === BUCKET ? deleteBucketCommand(physicalId, profile) : undefined;
    return [{ type, physicalId, remove }];
  });
}

export function retainedResourceLines(left: readonly RetainedResource[]): string {
  return left
    .map(({ type, physicalId, remove }) => {
      const line = `  stays: ${typeWords(type)} ${physicalId}\n`;
      return remove === undefined ? line : `${line}    to delete it with all that is in it: ${remove}\n`;
    })
    .join('');
}
