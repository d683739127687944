import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnBucket, CfnBucketPolicy } from 'aws-cdk-lib/aws-s3';
import { CfnDeletionPolicy, type Stack, Validations } from 'aws-cdk-lib/core';
import { PRIVATE_BUCKET } from '../private-bucket.ts';

type LifecycleRule = CfnBucket.RuleProperty;

/** Incomplete uploads cost money until they are aborted. */
const UNFINISHED: LifecycleRule = {
  id: 'unfinished-uploads',
  status: 'Enabled',
  abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
};

/** Creates the bucket of the data. No rule deletes the data; old data moves to a cheaper storage class. */
export function dataBucket(stack: Stack, glacierAfterDays: number): CfnBucket {
  return privateBucket(stack, 'Data', [
    {
      id: 'archive',
      status: 'Enabled',
      prefix: 'data/',
      // Instant Retrieval: from the other Glacier classes Athena reads nothing, and says nothing.
      transitions: [{ storageClass: 'GLACIER_IR', transitionInDays: glacierAfterDays }],
    },
    UNFINISHED,
  ]);
}

/** Creates the bucket of query results, which are as personal as the data and expire. */
export function resultsBucket(stack: Stack, resultsDays: number): CfnBucket {
  return privateBucket(stack, 'Results', [
    { id: 'expire', status: 'Enabled', expirationInDays: resultsDays },
    UNFINISHED,
  ]);
}

/** Creates a private bucket that accepts TLS only and stays when its stack is deleted. */
function privateBucket(stack: Stack, id: string, rules: LifecycleRule[]): CfnBucket {
  const bucket = new CfnBucket(stack, `${id}Bucket`, {
    ...PRIVATE_BUCKET,
    lifecycleConfiguration: { rules },
  });
  // An empty bucket of a failed first deployment is removed, one with data never.
  bucket.cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE;
  bucket.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
  Validations.of(bucket).acknowledge({
    id: 'AwsSolutions-S1',
    reason:
      'Reads go through Athena, whose history names the person, the query and the time; CloudTrail data events tell the rest where they are wanted. An access log would be a further bucket of personal data.',
  });
  new CfnBucketPolicy(stack, `${id}BucketPolicy`, {
    bucket: bucket.ref,
    policyDocument: new PolicyDocument({
      statements: [
        new PolicyStatement({
          sid: 'OnlyOverTls',
          effect: Effect.DENY,
          principals: [new AnyPrincipal()],
          actions: ['s3:*'],
          resources: [bucket.attrArn, `${bucket.attrArn}/*`],
          conditions: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
      ],
    }),
  });
  return bucket;
}
