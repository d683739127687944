/** The rules for the fields about Bedrock, and for the policy that is made of them. */
import { geographiesServing, PROFILE_PREFIX } from './geographies.ts';
import { partitionOf } from './partition.ts';
import type { InfraCandidate, ProfileProblem } from './profile.ts';

const MODELS = { most: 10, longest: 100 };

/**
 * IAM's limit for policies written into a role, and the parts of the Bedrock policy, all in characters and none
 * too low: a deployment would fail half-way for want of room.
 */
const POLICY = { most: 10_240, base: 2_300, arn: 85, inferenceProfile: 75, inList: 3 } as const;
/** Statements that list the regions. */
const REGION_LISTS = 3;

const GUARDRAIL_ID = /^([a-z0-9]{1,32}|arn:[\w-]+:bedrock:[a-z0-9-]+:\d{12}:guardrail\/[a-z0-9]+)$/;
const GUARDRAIL_VERSION = /^(DRAFT|[1-9]\d{0,7})$/;

/** Returns the first wrong field about Bedrock; undefined when AWS takes them all. */
export function findBedrockProblem(profile: InfraCandidate): ProfileProblem | undefined {
  return (
    checkRegions(profile) ??
    checkGeographies(profile) ??
    checkModels(profile) ??
    checkPolicyLength(profile) ??
    checkGuardrail(profile)
  );
}

function checkRegions({ region, bedrock }: InfraCandidate): ProfileProblem | undefined {
  const partition = partitionOf(region);
  const wellFormed = bedrock.regions.every((candidate) => partitionOf(candidate) === partition);
  if (bedrock.regions.length > 0 && wellFormed) return undefined;
  const allowed = `at least one region, all in the partition of ${region}`;
  return { field: 'bedrock.regions', value: bedrock.regions, allowed };
}

function checkGeographies({ bedrock }: InfraCandidate): ProfileProblem | undefined {
  const { geographies, regions } = bedrock;
  const allowed = unservedGeographies(geographies, regions);
  return allowed === undefined ? undefined : { field: 'bedrock.geographies', value: geographies, allowed };
}

/** Returns the geographies to choose from when some cannot be called from the regions; undefined when all can. */
export function unservedGeographies(
  geographies: readonly string[],
  regions: readonly string[],
): string | undefined {
  const serving: readonly string[] = geographiesServing(regions).map(({ id }) => id);
  if (geographies.every((id) => serving.includes(id))) return undefined;
  return serving.length > 0
    ? `what can be called from ${regions.join(', ')}: ${serving.join(', ')}`
    : `none, since no geography serves ${regions.join(', ')}: an empty list`;
}

function checkModels({ bedrock: { models } }: InfraCandidate): ProfileProblem | undefined {
  if (models === undefined) return undefined;
  const wellFormed = models.every(
    (model) =>
      /^[a-z0-9*][A-Za-z0-9.:*_-]*$/.test(model) &&
      model.length <= MODELS.longest &&
      // In the list of models the prefix of a profile matches nothing.
      !PROFILE_PREFIX.test(model),
  );
  if (models.length > 0 && models.length <= MODELS.most && wellFormed) return undefined;
  const allowed = `1 to ${MODELS.most} model ids without a geography, such as anthropic.claude-*`;
  return { field: 'bedrock.models', value: models, allowed };
}

function checkPolicyLength({ bedrock }: InfraCandidate): ProfileProblem | undefined {
  const { regions, models } = bedrock;
  if (policyCharacters(bedrock) <= POLICY.most) return undefined;
  const tooLong = 'they make a longer policy than IAM takes';
  if (models === undefined || policyCharacters({ ...bedrock, models: undefined }) > POLICY.most)
    return { field: 'bedrock.regions', value: regions, allowed: `fewer regions: ${tooLong}` };
  const allowed = `fewer or shorter ids: with ${regions.length} regions ${tooLong}`;
  return { field: 'bedrock.models', value: models, allowed };
}

/** Returns a number of characters that the role's policy does not exceed. */
export function policyCharacters({
  regions,
  geographies,
  models = ['*'],
}: Pick<InfraCandidate['bedrock'], 'regions' | 'geographies'> & {
  readonly models?: readonly string[] | undefined;
}): number {
  const { base, arn, inferenceProfile, inList } = POLICY;
  const ofRegions = regions.reduce((sum, region) => {
    const profiles = geographiesServing([region]).filter(({ id }) => geographies.includes(id)).length + 1;
    // An account's own profiles stand in the statements of both kinds of inference profiles.
    return sum + REGION_LISTS * (region.length + inList) + profiles * inferenceProfile + 2 * arn;
  }, 0);
  const ofModels = models.reduce((sum, model) => {
    // In three statements as a model, in one as a profile of each geography and of the global one.
    return sum + (3 + geographies.length + 1) * (inferenceProfile + model.length) + inList + model.length;
  }, 0);
  return base + ofRegions + ofModels;
}

function checkGuardrail({ bedrock: { guardrail } }: InfraCandidate): ProfileProblem | undefined {
  if (!guardrail || (GUARDRAIL_ID.test(guardrail.id) && GUARDRAIL_VERSION.test(guardrail.version)))
    return undefined;
  const allowed = 'the id or the ARN of a guardrail, and as version DRAFT or a number';
  return { field: 'bedrock.guardrail', value: guardrail, allowed };
}
