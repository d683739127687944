import { PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Stack } from 'aws-cdk-lib/core';
import { metricNamespace } from '../outputs.ts';
import { partitionOf } from '../profile/partition.ts';
import type { InfraProfile } from '../profile/profile.ts';

const INVOKE = ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'];

/**
 * Returns the permissions of a signed-in user: invoke and list Bedrock's models in the profile's regions.
 * With monitoring, also write metrics into the deployment's namespace. Every statement about Bedrock is
 * limited by `aws:RequestedRegion`.
 */
export function bedrockPolicy(stack: Stack, profile: InfraProfile): PolicyDocument {
  const regions = [...new Set(profile.bedrock.regions)];
  const inRegions = { StringEquals: { 'aws:RequestedRegion': regions } };
  const models = modelArns(stack, profile.bedrock.models);
  const statements = [
    new PolicyStatement({ sid: 'InvokeModels', actions: INVOKE, resources: models, conditions: inRegions }),
    new PolicyStatement({
      sid: 'ReadModels',
      actions: ['bedrock:GetFoundationModel', 'bedrock:GetInferenceProfile'],
      resources: models,
      conditions: inRegions,
    }),
    new PolicyStatement({
      sid: 'ListModels',
      // None of these has a resource to name. A bearer token only authenticates: what it may then do is
      // decided by the other statements.
      actions: [
        'bedrock:CallWithBearerToken',
        'bedrock:ListFoundationModels',
        'bedrock:ListInferenceProfiles',
      ],
      resources: ['*'],
      conditions: inRegions,
    }),
  ];
  if (profile.bedrock.globalInference && partitionOf(profile.region) === 'aws') {
    statements.push(globalInference(stack, regions, profile.bedrock.models));
  }
  if (profile.monitoring) statements.push(putMetrics(profile));
  return new PolicyDocument({ statements });
}

const ALL_MODELS = ['*'];

function modelArns(stack: Stack, models: readonly string[] = ALL_MODELS): string[] {
  const arn = (account: string, resource: string, resourceName: string): string =>
    stack.formatArn({ service: 'bedrock', region: '*', account, resource, resourceName });
  return [
    // Foundation models belong to no account.
    ...models.map((model) => arn('', 'foundation-model', model)),
    ...models.map((model) => arn(stack.account, 'inference-profile', model === '*' ? model : `*.${model}`)),
    // Their ids tell no model. A call through one is authorised for the model behind it too.
    arn(stack.account, 'application-inference-profile', '*'),
  ];
}

/**
 * A call through a global inference profile is authorised a second time for a model without a region, and
 * there `aws:RequestedRegion` is the word "unspecified". The profile it came through, which does carry
 * the caller's region, keeps this from opening models elsewhere to direct calls.
 */
function globalInference(
  stack: Stack,
  regions: readonly string[],
  models: readonly string[] = ALL_MODELS,
): PolicyStatement {
  const profileArn = (region: string, resource: string, resourceName: string): string =>
    stack.formatArn({ service: 'bedrock', region, resource, resourceName });
  const through = regions.flatMap((region) => [
    profileArn(region, 'inference-profile', 'global.*'),
    // An administrator may have wrapped a global profile in one of the account's own.
    profileArn(region, 'application-inference-profile', '*'),
  ]);
  return new PolicyStatement({
    sid: 'InvokeThroughGlobalProfiles',
    actions: INVOKE,
    resources: models.map((resourceName) =>
      stack.formatArn({
        service: 'bedrock',
        region: '',
        account: '',
        resource: 'foundation-model',
        resourceName,
      }),
    ),
    conditions: {
      StringEquals: { 'aws:RequestedRegion': 'unspecified' },
      ArnLike: { 'bedrock:InferenceProfileArn': through },
    },
  });
}

/** The action knows no resource; the namespace is what limits it. */
function putMetrics({ name }: InfraProfile): PolicyStatement {
  return new PolicyStatement({
    sid: 'PutMetrics',
    actions: ['cloudwatch:PutMetricData'],
    resources: ['*'],
    conditions: { StringEquals: { 'cloudwatch:namespace': metricNamespace(name) } },
  });
}
