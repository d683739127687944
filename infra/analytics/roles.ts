import {
  CfnRole,
  CfnRolePolicy,
  PolicyDocument,
  PolicyStatement,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import type { CfnDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose';
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import type { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { ArnFormat, type Stack, Validations } from 'aws-cdk-lib/core';

/** Creates the role of the function: it writes its log; see {@link grantResend}. */
export function createTransformRole(stack: Stack, logGroup: CfnLogGroup): CfnRole {
  return createRole(stack, 'TransformRole', 'lambda.amazonaws.com', {}, [
    new PolicyStatement({ sid: 'WriteLog', actions: WRITE_LOG, resources: [streamsOf(logGroup)] }),
  ]);
}

/** Grants the function write access to the stream. Separate from the role, which the stream depends on. */
export function grantResend(stack: Stack, transform: CfnRole, stream: CfnDeliveryStream): void {
  new CfnRolePolicy(stack, 'TransformSendsAgain', {
    roleName: transform.ref,
    policyName: 'SendAgain',
    policyDocument: new PolicyDocument({
      statements: [
        new PolicyStatement({ actions: ['firehose:PutRecordBatch'], resources: [stream.attrArn] }),
      ],
    }),
  });
}

/** Creates the role of the delivery stream: it reads the schema, invokes the function, writes bucket and log. */
export function createDeliveryRole(
  stack: Stack,
  uses: {
    readonly bucket: CfnBucket;
    readonly database: string;
    readonly table: string;
    readonly transform: CfnFunction;
    readonly logGroup: CfnLogGroup;
  },
): CfnRole {
  const { bucket, database, table, transform, logGroup } = uses;
  const glue = (resource: string, resourceName?: string): string =>
    stack.formatArn({ service: 'glue', resource, ...(resourceName ? { resourceName } : {}) });
  // The stream names the account it works for in this way.
  const ofThisAccount = { StringEquals: { 'sts:ExternalId': stack.account } };
  const role = createRole(stack, 'DeliveryRole', 'firehose.amazonaws.com', ofThisAccount, [
    new PolicyStatement({
      sid: 'WriteFiles',
      actions: ['s3:AbortMultipartUpload', 's3:PutObject'],
      resources: [`${bucket.attrArn}/data/*`, `${bucket.attrArn}/errors/*`],
    }),
    new PolicyStatement({
      sid: 'SeeBucket',
      actions: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'],
      resources: [bucket.attrArn],
    }),
    new PolicyStatement({
      sid: 'ReadSchema',
      actions: ['glue:GetTable', 'glue:GetTableVersion', 'glue:GetTableVersions'],
      resources: [glue('catalog'), glue('database', database), glue('table', `${database}/${table}`)],
    }),
    new PolicyStatement({
      sid: 'Transform',
      actions: ['lambda:InvokeFunction', 'lambda:GetFunctionConfiguration'],
      resources: [transform.attrArn, `${transform.attrArn}:$LATEST`],
    }),
    new PolicyStatement({
      sid: 'WriteLog',
      actions: ['logs:PutLogEvents'],
      resources: [streamsOf(logGroup)],
    }),
  ]);
  for (const folder of ['data', 'errors']) {
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${bucket.node.id}.Arn>/${folder}/*]`,
      reason: 'The stream names its files itself, by time and at random; it may write them, not read them.',
    });
  }
  return role;
}

/** Creates the role of CloudWatch Logs, for the log groups of this account. */
export function createSubscriptionRole(stack: Stack, stream: CfnDeliveryStream): CfnRole {
  const { NO_RESOURCE_NAME } = ArnFormat;
  const logs = stack.formatArn({ service: 'logs', resource: '*', arnFormat: NO_RESOURCE_NAME });
  const ofThisAccount = { StringLike: { 'aws:SourceArn': logs } };
  return createRole(stack, 'SubscriptionRole', 'logs.amazonaws.com', ofThisAccount, [
    new PolicyStatement({
      sid: 'Deliver',
      actions: ['firehose:PutRecord', 'firehose:PutRecordBatch'],
      resources: [stream.attrArn],
    }),
  ]);
}

function createRole(
  stack: Stack,
  id: string,
  service: string,
  conditions: object,
  statements: PolicyStatement[],
): CfnRole {
  const principals = [new ServicePrincipal(service)];
  return new CfnRole(stack, id, {
    assumeRolePolicyDocument: new PolicyDocument({
      statements: [
        new PolicyStatement({ principals, actions: ['sts:AssumeRole'], conditions: { ...conditions } }),
      ],
    }),
    policies: [{ policyName: 'Needs', policyDocument: new PolicyDocument({ statements }) }],
  });
}

const WRITE_LOG = ['logs:CreateLogStream', 'logs:PutLogEvents'];

function streamsOf(logGroup: CfnLogGroup): string {
  // attrArn ends in `:*`, which stands for the group's streams.
  return logGroup.attrArn;
}
