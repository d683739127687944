/**
 * The one file of `admin` that loads CDK; import it dynamically, from the commands that need a template.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthesize } from '../../infra/app.ts';
import { type StackId, stackInputs, stacksOf } from '../../infra/outputs.ts';
import { findProfileProblem } from '../../infra/profile/check-profile.ts';
import type { InfraProfile, ProfileField, ProfileProblem } from '../../infra/profile/profile.ts';
import type { UndeployedProfile } from '../../protocol/config.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { type InfraSettings, infraInvalid, readInfraFile } from '../profiles/infra-file.ts';
import { infraProfileOf } from '../profiles/infra-profile.ts';
import { planStack, type StackPlan } from './stack-plan.ts';

/** Decisions of the administrator that config.json does not hold. */
export type BedrockAccess = {
  /** Regions in which models may run; the profile's own region when absent. */
  regions?: readonly string[] | undefined;
  /** True when `global.` inference profiles may be used, which run in any commercial region. */
  globalInference: boolean;
  /** File of further settings. Flags override its `regions`; global inference needs both. */
  infraFile?: string | undefined;
  /** The administrator's profile, and its file. Its settings apply when no other file of settings is given. */
  admin?: { readonly infra: InfraSettings; readonly path: string } | undefined;
};

/** The places where a person sets fields of the typed profile; other fields are those of the file of settings. */
const SET_BY: Readonly<Partial<Record<ProfileField, string>>> = {
  name: 'its name',
  issuer: 'provider_domain or issuer',
  clientId: 'client_id',
  region: 'aws_region',
  'bedrock.regions': '--bedrock-regions',
  'federation.maxSessionSeconds': 'max_session_duration',
};

/**
 * Returns the plans of stacks, in the given order; all stacks of the profile when none is given.
 *
 * @throws CcwbError as {@link checkedProfile} does; ERR_USAGE for a stack that the profile does not ask for.
 */
export function planStacks(
  stacks: readonly StackId[] | undefined,
  config: UndeployedProfile,
  bedrock: BedrockAccess,
): StackPlan[] {
  const profile = checkedProfile(config, bedrock);
  for (const stack of stacks ?? []) checkWanted(stack, profile, bedrock);
  const directory = mkdtempSync(join(tmpdir(), 'ccwb-synth-'));
  try {
    return (stacks ?? stacksOf(profile)).map((stack) =>
      planStack(stack, profile.name, synthesize(stack, profile, directory), stackInputs(stack, profile)),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Returns the typed profile made from a profile of config.json and the file of settings.
 *
 * @throws CcwbError ERR_USAGE for a wrong flag, ERR_CONFIG_INVALID for a field AWS cannot take.
 */
export function checkedProfile(config: UndeployedProfile, bedrock: BedrockAccess): InfraProfile {
  const { infraFile, admin } = bedrock;
  const settings = infraFile === undefined ? (admin?.infra ?? {}) : readInfraFile(infraFile);
  const profile = infraProfileOf(config, withFlags(settings, bedrock));
  const problem = findProfileProblem(profile);
  if (problem) throw profileInvalid(problem, config, bedrock);
  return profile;
}

function profileInvalid(
  { field, value, allowed }: ProfileProblem,
  { name }: UndeployedProfile,
  { infraFile, regions, admin }: BedrockAccess,
): CcwbError {
  const setBy = SET_BY[field];
  const inFile = setBy === undefined || (field === 'bedrock.regions' && regions === undefined);
  if (infraFile !== undefined && inFile) return infraInvalid(infraFile, field, value, allowed);
  if (admin !== undefined && inFile) return infraInvalid(admin.path, `infra.${field}`, value, allowed);
  const isFlag = setBy?.startsWith('--');
  return new CcwbError(
    isFlag ? 'ERR_USAGE' : 'ERR_CONFIG_INVALID',
    `profile ${name}: ${setBy} is ${JSON.stringify(value)}; allowed: ${allowed}`,
    isFlag ? 'run ccwb deploy --help' : `correct ${setBy} in ${admin?.path ?? 'config.json'}`,
  );
}

function checkWanted(stack: StackId, profile: InfraProfile, { admin }: BedrockAccess): void {
  const wanted = stacksOf(profile);
  if (wanted.includes(stack)) return;
  throw new CcwbError(
    'ERR_USAGE',
    `profile ${profile.name} asks for no ${stack} stack, only for ${wanted.join(', ')}`,
    admin === undefined
      ? 'describe what it is for under monitoring in a file and pass that with --infra (docs/infrastructure.md)'
      : 'run ccwb init and ask for monitoring and what belongs to it, or for a new network',
  );
}

/** Returns the settings with the flags of the command: regions override, global inference needs both. */
function withFlags(settings: InfraSettings, { regions, globalInference }: BedrockAccess): InfraSettings {
  const { bedrock } = settings;
  return {
    ...settings,
    bedrock: {
      ...bedrock,
      ...(regions && { regions }),
      globalInference: globalInference && bedrock?.globalInference !== false,
    },
  };
}
