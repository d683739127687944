/**
 * The one file of `admin` that loads CDK; import it dynamically, from the commands that need a template.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthesize } from '../infra/app.ts';
import { STACKS, type StackId } from '../infra/outputs.ts';
import { findProfileProblem, type InfraProfile, type ProfileField } from '../infra/profile.ts';
import type { ProfileConfig } from '../protocol/config.ts';
import { CcwbError } from '../protocol/errors.ts';
import { planStack, type StackPlan } from './stack-plan.ts';

/** What the administrator decides about Bedrock and config.json does not hold. */
export type BedrockAccess = {
  /** Regions in which models may run; the profile's own region when absent. */
  regions?: readonly string[] | undefined;
  /** Whether `global.` inference profiles may be used, which run in any commercial region. */
  globalInference: boolean;
};

/** Where a person sets each field of the typed profile. */
const SET_BY: Readonly<Record<ProfileField, string>> = {
  name: 'its name',
  issuer: 'provider_domain or issuer',
  clientId: 'client_id',
  region: 'aws_region',
  'bedrock.regions': '--bedrock-regions',
  'federation.maxSessionSeconds': 'max_session_duration',
};

// IAM does not let a role's longest session be shorter.
const LEAST_ROLE_SESSION_SECONDS = 3_600;

/**
 * Stacks of a deployment as they are to be, in the order given; all that the profile asks for when none is
 * given. Throws as {@link synthesizeTemplate} does.
 */
export function planStacks(
  stacks: readonly StackId[] | undefined,
  config: ProfileConfig,
  bedrock: BedrockAccess,
): StackPlan[] {
  return (stacks ?? STACKS).map((stack) =>
    planStack(stack, config.name, synthesizeTemplate(stack, config, bedrock)),
  );
}

/**
 * The CloudFormation template of one stack for a profile of config.json.
 *
 * @throws CcwbError ERR_USAGE for a wrong flag, ERR_CONFIG_INVALID for a field AWS cannot take.
 */
export function synthesizeTemplate(
  stack: StackId,
  config: ProfileConfig,
  bedrock: BedrockAccess,
): Record<string, unknown> {
  const profile = infraProfile(config, bedrock);
  const problem = findProfileProblem(profile);
  if (problem) {
    const place = SET_BY[problem.field];
    const isFlag = place.startsWith('--');
    throw new CcwbError(
      isFlag ? 'ERR_USAGE' : 'ERR_CONFIG_INVALID',
      `profile ${config.name}: ${place} is ${JSON.stringify(problem.value)}; allowed: ${problem.allowed}`,
      isFlag ? 'run ccwb deploy --help' : `correct ${place} in config.json`,
    );
  }
  const directory = mkdtempSync(join(tmpdir(), 'ccwb-synth-'));
  try {
    return synthesize(stack, profile, directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function infraProfile(config: ProfileConfig, bedrock: BedrockAccess): InfraProfile {
  const { providerType, issuer, loginKey } = config.identityProvider;
  const { federation } = config;
  return {
    name: config.name,
    identityProvider: { type: providerType, issuer, loginKey, clientId: config.clientId },
    region: config.awsRegion,
    bedrock: {
      regions: bedrock.regions ?? [config.awsRegion],
      globalInference: bedrock.globalInference,
    },
    federation:
      federation.type === 'cognito'
        ? { type: 'cognito' }
        : {
            type: 'direct',
            maxSessionSeconds: Math.max(federation.durationSeconds, LEAST_ROLE_SESSION_SECONDS),
          },
  };
}
