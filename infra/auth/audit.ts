import { CfnTrail } from 'aws-cdk-lib/aws-cloudtrail';
import {
  CfnRole,
  Effect,
  PolicyDocument,
  PolicyStatement,
  ServicePrincipal,
  StarPrincipal,
} from 'aws-cdk-lib/aws-iam';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnBucket, CfnBucketPolicy } from 'aws-cdk-lib/aws-s3';
import { CfnDeletionPolicy, type Stack } from 'aws-cdk-lib/core';
import { deploymentName, logGroupName } from '../outputs.ts';
import { PRIVATE_BUCKET } from '../private-bucket.ts';

const CLOUD_TRAIL = new ServicePrincipal('cloudtrail.amazonaws.com');

/**
 * Creates a trail of the calls of Bedrock, in a bucket that stays when the stack is deleted, and in a log
 * group for queries.
 *
 * Calls of models are management events. CloudTrail records those of all services, except the two that it
 * lets a trail exclude. The trail needs the events of STS: they link a session to the user of its token.
 */
export function createAuditTrail(stack: Stack, profileName: string, retentionDays: number): CfnBucket {
  const name = `${deploymentName(profileName)}-audit`;
  const trailArn = stack.formatArn({ service: 'cloudtrail', resource: 'trail', resourceName: name });
  const bucket = createBucket(stack, retentionDays);
  const policy = new CfnBucketPolicy(stack, 'AuditBucketPolicy', {
    bucket: bucket.ref,
    policyDocument: bucketPolicy(stack, bucket, trailArn),
  });
  keepOnDestroy(policy);
  const logGroup = new CfnLogGroup(stack, 'AuditLogGroup', {
    logGroupName: logGroupName(profileName, 'audit'),
    retentionInDays: retentionDays,
  });
  const role = createLogRole(stack, logGroup);
  const trail = new CfnTrail(stack, 'AuditTrail', {
    trailName: name,
    isLogging: true,
    // Models run in more regions than the stack's, and STS's global endpoint reports in one only.
    isMultiRegionTrail: true,
    includeGlobalServiceEvents: true,
    enableLogFileValidation: true,
    s3BucketName: bucket.ref,
    cloudWatchLogsLogGroupArn: logGroup.attrArn,
    cloudWatchLogsRoleArn: role.attrArn,
    advancedEventSelectors: [
      {
        name: 'Calls of Bedrock and sign-ins, without the noisiest services',
        fieldSelectors: [
          { field: 'eventCategory', equalTo: ['Management'] },
          { field: 'eventSource', notEquals: ['kms.amazonaws.com', 'rdsdata.amazonaws.com'] },
        ],
      },
    ],
  });
  // CloudTrail tries the bucket when the trail is made.
  trail.addResourceDependency(policy);
  return bucket;
}

function createBucket(stack: Stack, retentionDays: number): CfnBucket {
  const bucket = new CfnBucket(stack, 'AuditBucket', {
    ...PRIVATE_BUCKET,
    versioningConfiguration: { status: 'Enabled' },
    lifecycleConfiguration: {
      rules: [
        {
          id: 'Expire',
          status: 'Enabled',
          expirationInDays: retentionDays,
          // Deleted and overwritten objects can be restored for the same time again.
          noncurrentVersionExpiration: { noncurrentDays: retentionDays },
          abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
        },
      ],
    },
  });
  keepOnDestroy(bucket);
  return bucket;
}

function bucketPolicy(stack: Stack, bucket: CfnBucket, trailArn: string): PolicyDocument {
  const fromTrail = { 'aws:SourceArn': trailArn };
  return new PolicyDocument({
    statements: [
      new PolicyStatement({
        sid: 'TlsOnly',
        effect: Effect.DENY,
        principals: [new StarPrincipal()],
        actions: ['s3:*'],
        resources: [bucket.attrArn, `${bucket.attrArn}/*`],
        conditions: { Bool: { 'aws:SecureTransport': 'false' } },
      }),
      new PolicyStatement({
        sid: 'CloudTrailLooks',
        principals: [CLOUD_TRAIL],
        actions: ['s3:GetBucketAcl'],
        resources: [bucket.attrArn],
        conditions: { StringEquals: fromTrail },
      }),
      new PolicyStatement({
        sid: 'CloudTrailWrites',
        principals: [CLOUD_TRAIL],
        actions: ['s3:PutObject'],
        resources: [`${bucket.attrArn}/AWSLogs/${stack.account}/*`],
        conditions: { StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control', ...fromTrail } },
      }),
    ],
  });
}

function createLogRole(stack: Stack, logGroup: CfnLogGroup): CfnRole {
  // No condition on the source: CloudTrail names none when it takes this role. Nobody else's trail can be
  // given it, because roles are passed within an account only.
  const trust = new PolicyStatement({ principals: [CLOUD_TRAIL], actions: ['sts:AssumeRole'] });
  const write = new PolicyStatement({
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    // Every stream of the group: CloudTrail names one for each region.
    resources: [logGroup.attrArn],
  });
  return new CfnRole(stack, 'AuditLogRole', {
    description: 'CloudTrail writes the audit log group',
    assumeRolePolicyDocument: new PolicyDocument({ statements: [trust] }),
    policies: [{ policyName: 'Write', policyDocument: new PolicyDocument({ statements: [write] }) }],
  });
}

function keepOnDestroy(resource: CfnBucket | CfnBucketPolicy): void {
  // A first deployment that fails would leave an empty bucket at each try.
  resource.cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE;
  resource.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
}
