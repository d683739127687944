import { toAdminError } from './aws-errors.ts';
import type { ClientSettings } from './aws-identity.ts';

/** The calls of S3 that `ccwb` makes. Each throws CcwbError, see `toAdminError`. */
export type Buckets = {
  /**
   * Deletes up to a thousand objects, including old versions and delete markers.
   *
   * @returns the number of deleted objects; 0 when the bucket is empty or does not exist.
   */
  deleteSome(bucket: string): Promise<number>;
  /** Deletes an empty bucket. @returns false when it contains objects again. */
  remove(bucket: string): Promise<boolean>;
};

/**
 * Creates the calls of S3 with the AWS SDK, which is loaded here and not before.
 *
 * @param byPath true to put the bucket's name into the path: a custom endpoint has no host for each bucket.
 */
export async function createBuckets(settings: ClientSettings, byPath: boolean): Promise<Buckets> {
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({ ...settings, forcePathStyle: byPath });
  return {
    async deleteSome(bucket) {
      try {
        const listed = await client.send(new sdk.ListObjectVersionsCommand({ Bucket: bucket }));
        const Objects = [...(listed.Versions ?? []), ...(listed.DeleteMarkers ?? [])].map(
          ({ Key, VersionId }) => ({ Key, VersionId }),
        );
        if (Objects.length === 0) return 0;
        const { Errors = [] } = await client.send(
          new sdk.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
        );
        const [refused] = Errors;
        if (refused === undefined) return Objects.length;
        const error = new Error(`${refused.Key}: ${refused.Message ?? refused.Code}`);
        throw Object.assign(error, { name: refused.Code ?? '', $metadata: { httpStatusCode: 403 } });
      } catch (thrown) {
        if (isGone(thrown)) return 0;
        throw toAdminError(thrown, `emptying the bucket ${bucket}`);
      }
    },
    async remove(bucket) {
      try {
        await client.send(new sdk.DeleteBucketCommand({ Bucket: bucket }));
        return true;
      } catch (thrown) {
        if (isGone(thrown)) return true;
        if (thrown instanceof Error && thrown.name === 'BucketNotEmpty') return false;
        throw toAdminError(thrown, `deleting the bucket ${bucket}`);
      }
    },
  };
}

function isGone(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'NoSuchBucket';
}
