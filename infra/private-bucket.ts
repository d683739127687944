import type { CfnBucketProps } from 'aws-cdk-lib/aws-s3';

/** Properties of every bucket of a deployment: encrypted, and closed to the public whatever its policy says. */
export const PRIVATE_BUCKET = {
  bucketEncryption: {
    serverSideEncryptionConfiguration: [{ serverSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }],
  },
  publicAccessBlockConfiguration: {
    blockPublicAcls: true,
    blockPublicPolicy: true,
    ignorePublicAcls: true,
    restrictPublicBuckets: true,
  },
  ownershipControls: { rules: [{ objectOwnership: 'BucketOwnerEnforced' }] },
} as const satisfies CfnBucketProps;
