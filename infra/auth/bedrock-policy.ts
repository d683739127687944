import { PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Stack } from 'aws-cdk-lib/core';
import { metricNamespace } from '../outputs.ts';
import { GEOGRAPHIES, isServedBy } from '../profile/geographies.ts';
import { partitionOf } from '../profile/partition.ts';
import type { InfraProfile } from '../profile/profile.ts';

const INVOKE = ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'];
/** `aws:RequestedRegion` when a global inference profile calls the model that it has chosen. */
const NO_REGION = 'unspecified';
const ALL_MODELS = ['*'];

/** The ARNs of Bedrock's resources, in every region unless one is named. */
type Arns = {
  model(id: string): string;
  inferenceProfile(id: string, region?: string): string;
  applicationProfiles(region?: string): string;
};

/**
 * Returns the permissions of a signed-in user: call and list models from the profile's regions, through the
 * inference profiles of its geographies. With monitoring, also write metrics into the deployment's namespace.
 *
 * AWS authorises a call through an inference profile several times: for the profile in the caller's region, and
 * for the model in each region that it may run in, with the profile's ARN as `bedrock:InferenceProfileArn`.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
 */
export function bedrockPolicy(stack: Stack, profile: InfraProfile): PolicyDocument {
  const { bedrock, monitoring } = profile;
  const regions = [...new Set(bedrock.regions)];
  const arns = arnsOf(stack);
  const isGlobal = bedrock.globalInference && partitionOf(profile.region) === 'aws';
  const through = bedrock.geographies.length > 0 ? [throughGeographies(arns, regions, profile)] : [];
  return new PolicyDocument({
    statements: [
      useModels(arns, regions, profile, isGlobal),
      ...through,
      ...(isGlobal ? [throughGlobalProfiles(arns, regions, profile)] : []),
      listModels(regions, bedrock.mantle === true),
      ...(bedrock.guardrail ? [applyGuardrail(stack, bedrock.guardrail.id)] : []),
      ...(bedrock.mantle ? [useMantle(stack, regions, bedrock.models)] : []),
      ...(monitoring ? [putMetrics(profile)] : []),
    ],
  });
}

function arnsOf(stack: Stack): Arns {
  const arn = (region: string, account: string, resource: string, resourceName: string): string =>
    stack.formatArn({ service: 'bedrock', region, account, resource, resourceName });
  return {
    // Foundation models belong to no account. The region may also be empty: `*` matches that too.
    model: (id) => arn('*', '', 'foundation-model', id),
    inferenceProfile: (id, region = '*') => arn(region, stack.account, 'inference-profile', id),
    applicationProfiles: (region = '*') => arn(region, stack.account, 'application-inference-profile', '*'),
  };
}

/** Calls that are made in the regions: of models directly, and of inference profiles. */
function useModels(
  arns: Arns,
  regions: readonly string[],
  { bedrock: { models = ALL_MODELS, geographies } }: InfraProfile,
  isGlobal: boolean,
): PolicyStatement {
  const prefixes = [...geographies, ...(isGlobal ? ['global'] : [])];
  return new PolicyStatement({
    sid: 'UseModels',
    actions: [
      ...INVOKE,
      // Claude Code's /context counts on the foundation model, whatever profile it calls.
      'bedrock:CountTokens',
      'bedrock:GetFoundationModel',
      'bedrock:GetInferenceProfile',
    ],
    resources: [
      ...models.map((model) => arns.model(model)),
      ...prefixes.flatMap((prefix) => models.map((model) => arns.inferenceProfile(`${prefix}.${model}`))),
      // Their ids tell no model. A call through one is authorised for the model behind it too.
      arns.applicationProfiles(),
    ],
    conditions: inRegions(regions),
  });
}

/**
 * The models behind geographic profiles, in whatever region they run. The profile, which does carry the caller's
 * region, keeps this from opening models elsewhere to direct calls.
 */
function throughGeographies(
  arns: Arns,
  regions: readonly string[],
  { bedrock: { models = ALL_MODELS, geographies } }: InfraProfile,
): PolicyStatement {
  const chosen = GEOGRAPHIES.filter(({ id }) => geographies.includes(id));
  const profiles = regions.flatMap((region) => [
    ...chosen
      .filter((geography) => isServedBy(region, geography))
      .map(({ id }) => arns.inferenceProfile(`${id}.*`, region)),
    // An administrator may have wrapped a geographic profile in one of the account's own.
    arns.applicationProfiles(region),
  ]);
  return new PolicyStatement({
    sid: 'InvokeThroughGeographies',
    actions: INVOKE,
    resources: models.map((model) => arns.model(model)),
    conditions: {
      ArnLike: { 'bedrock:InferenceProfileArn': profiles },
      // An application profile may wrap a global one as well.
      StringNotEquals: { 'aws:RequestedRegion': NO_REGION },
    },
  });
}

/** The models behind global profiles, which AWS authorises without a region. */
function throughGlobalProfiles(
  arns: Arns,
  regions: readonly string[],
  { bedrock: { models = ALL_MODELS } }: InfraProfile,
): PolicyStatement {
  const profiles = regions.flatMap((region) => [
    arns.inferenceProfile('global.*', region),
    arns.applicationProfiles(region),
  ]);
  return new PolicyStatement({
    sid: 'InvokeThroughGlobalProfiles',
    actions: INVOKE,
    resources: models.map((model) => arns.model(model)),
    conditions: {
      StringEquals: { 'aws:RequestedRegion': NO_REGION },
      ArnLike: { 'bedrock:InferenceProfileArn': profiles },
    },
  });
}

function listModels(regions: readonly string[], withMantle: boolean): PolicyStatement {
  return new PolicyStatement({
    sid: 'ListModels',
    // None of these has a resource to name. A bearer token only authenticates: what it may then do is decided
    // by the other statements.
    actions: [
      'bedrock:CallWithBearerToken',
      'bedrock:ListFoundationModels',
      'bedrock:ListInferenceProfiles',
      ...(withMantle ? ['bedrock-mantle:CallWithBearerToken'] : []),
    ],
    resources: ['*'],
    conditions: inRegions(regions),
  });
}

/** The one guardrail, and the profiles by which AWS evaluates it in other regions of its geography. */
function applyGuardrail(stack: Stack, id: string): PolicyStatement {
  const arn = (resource: string, resourceName: string): string =>
    stack.formatArn({ service: 'bedrock', region: '*', resource, resourceName });
  return new PolicyStatement({
    sid: 'ApplyGuardrail',
    actions: ['bedrock:ApplyGuardrail'],
    resources: [id.startsWith('arn:') ? id : arn('guardrail', id), arn('guardrail-profile', '*')],
  });
}

/** Bedrock's endpoint for the Messages API. It has no inference profiles: a call runs in its own region. */
function useMantle(
  stack: Stack,
  regions: readonly string[],
  models: readonly string[] | undefined,
): PolicyStatement {
  return new PolicyStatement({
    sid: 'UseMantle',
    actions: ['bedrock-mantle:CountTokens', 'bedrock-mantle:CreateInference'],
    resources: [
      stack.formatArn({ service: 'bedrock-mantle', region: '*', resource: 'project', resourceName: '*' }),
    ],
    conditions: {
      ...inRegions(regions),
      ...(models && { StringLike: { 'bedrock-mantle:Model': models } }),
    },
  });
}

function inRegions(regions: readonly string[]): Record<string, Record<string, readonly string[]>> {
  return { StringEquals: { 'aws:RequestedRegion': regions } };
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
