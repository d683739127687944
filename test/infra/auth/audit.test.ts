import t from 'tap';
import { withEverything } from '../fixtures/configurations.ts';
import { COGNITO, profileOf } from '../fixtures/profiles.ts';
import { jsonOf, propertiesOf, typesOf } from '../fixtures/templates.ts';

process.env.CDK_VALIDATION = 'false';

const AUDITED = { ...profileOf('okta', COGNITO), audit: { retentionDays: 180 } };
const TRAIL_ARN = {
  'Fn::Join': [
    '',
    [
      'arn:',
      { Ref: 'AWS::Partition' },
      ':cloudtrail:eu-central-1:',
      { Ref: 'AWS::AccountId' },
      ':trail/ccwb-ClaudeCode-audit',
    ],
  ],
};
const BUCKET_ARN = { 'Fn::GetAtt': ['AuditBucket', 'Arn'] };

t.test('an audit adds five resources to the sign-in and an output', async (t) => {
  const plain = jsonOf(t, 'auth', profileOf('okta', COGNITO));
  const audited = jsonOf(t, 'auth', AUDITED);
  t.strictSame(typesOf(audited), {
    ...typesOf(plain),
    AuditBucket: 'AWS::S3::Bucket',
    AuditBucketPolicy: 'AWS::S3::BucketPolicy',
    AuditLogGroup: 'AWS::Logs::LogGroup',
    AuditLogRole: 'AWS::IAM::Role',
    AuditTrail: 'AWS::CloudTrail::Trail',
  });
  t.strictSame(audited.Outputs.AuditBucketName?.Value, { Ref: 'AuditBucket' });
});

t.test('the trail records every region and STS, and validates its log files', async (t) => {
  t.strictSame(propertiesOf(jsonOf(t, 'auth', AUDITED), 'AuditTrail'), {
    TrailName: 'ccwb-ClaudeCode-audit',
    IsLogging: true,
    IsMultiRegionTrail: true,
    IncludeGlobalServiceEvents: true,
    EnableLogFileValidation: true,
    S3BucketName: { Ref: 'AuditBucket' },
    CloudWatchLogsLogGroupArn: { 'Fn::GetAtt': ['AuditLogGroup', 'Arn'] },
    CloudWatchLogsRoleArn: { 'Fn::GetAtt': ['AuditLogRole', 'Arn'] },
    AdvancedEventSelectors: [
      {
        Name: 'Calls of Bedrock and sign-ins, without the noisiest services',
        FieldSelectors: [
          { Field: 'eventCategory', Equals: ['Management'] },
          { Field: 'eventSource', NotEquals: ['kms.amazonaws.com', 'rdsdata.amazonaws.com'] },
        ],
      },
    ],
  });
});

t.test('the bucket is encrypted, private, versioned, expires objects and is retained', async (t) => {
  const { Resources } = jsonOf(t, 'auth', AUDITED);
  const { AuditBucket, AuditBucketPolicy } = Resources;
  for (const kept of [AuditBucket, AuditBucketPolicy]) {
    t.equal(kept?.DeletionPolicy, 'RetainExceptOnCreate', 'a failed first deployment leaves none');
    t.equal(kept?.UpdateReplacePolicy, 'Retain');
  }
  t.match(AuditBucket?.Properties, {
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
    },
    OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    VersioningConfiguration: { Status: 'Enabled' },
    LifecycleConfiguration: {
      Rules: [
        { Status: 'Enabled', ExpirationInDays: 180, NoncurrentVersionExpiration: { NoncurrentDays: 180 } },
      ],
    },
  });
  t.equal(AuditBucket?.Properties?.BucketName, undefined, 'CloudFormation finds a free name');
});

t.test('the bucket accepts TLS only, and from CloudTrail only this trail', async (t) => {
  const { PolicyDocument } = propertiesOf(jsonOf(t, 'auth', AUDITED), 'AuditBucketPolicy') as {
    PolicyDocument: { Statement: Record<string, unknown>[] };
  };
  const cloudTrail = { Service: 'cloudtrail.amazonaws.com' };
  t.strictSame(PolicyDocument.Statement, [
    {
      Sid: 'TlsOnly',
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:*',
      Resource: [BUCKET_ARN, { 'Fn::Join': ['', [BUCKET_ARN, '/*']] }],
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
    {
      Sid: 'CloudTrailLooks',
      Effect: 'Allow',
      Principal: cloudTrail,
      Action: 's3:GetBucketAcl',
      Resource: BUCKET_ARN,
      Condition: { StringEquals: { 'aws:SourceArn': TRAIL_ARN } },
    },
    {
      Sid: 'CloudTrailWrites',
      Effect: 'Allow',
      Principal: cloudTrail,
      Action: 's3:PutObject',
      Resource: { 'Fn::Join': ['', [BUCKET_ARN, '/AWSLogs/', { Ref: 'AWS::AccountId' }, '/*']] },
      Condition: {
        StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control', 'aws:SourceArn': TRAIL_ARN },
      },
    },
  ]);
});

t.test('only CloudTrail can write the log group', async (t) => {
  const template = jsonOf(t, 'auth', AUDITED);
  t.strictSame(propertiesOf(template, 'AuditLogGroup'), {
    LogGroupName: '/aws/claude-code/ClaudeCode/audit',
    RetentionInDays: 180,
  });
  t.match(propertiesOf(template, 'AuditLogRole'), {
    AssumeRolePolicyDocument: {
      Statement: [{ Principal: { Service: 'cloudtrail.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    },
    Policies: [
      {
        PolicyDocument: {
          Statement: [
            {
              Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              Resource: { 'Fn::GetAtt': ['AuditLogGroup', 'Arn'] },
            },
          ],
        },
      },
    ],
  });
});

t.test('the trail is created after the policy of its bucket', async (t) => {
  const { AuditTrail } = jsonOf(t, 'auth', withEverything(profileOf('okta', COGNITO))).Resources;
  t.strictSame(AuditTrail?.DependsOn, ['AuditBucketPolicy']);
});
