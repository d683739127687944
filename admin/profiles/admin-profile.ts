/** A deployment as its administrator keeps it: `~/.ccwb/profiles/NAME.json`. Everything `ccwb` does starts from it. */
import { AUTH_OUTPUTS, MONITORING_OUTPUTS, type StackId } from '../../infra/outputs.ts';
import type { InfraSettings } from './infra-file.ts';

/** The version of the form below. An older file is migrated when it is read, and written back so when it is saved. */
export const PROFILE_SCHEMA = 1;

/** CloudFormation's rule for the name of a stack, with room for our prefix and suffix. */
export const PROFILE_NAME = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;
export const PROFILE_NAME_WORDS =
  'at most 64 letters, digits and hyphens, the first no hyphen: stacks are named after it';

export type AdminProfile = {
  readonly schema: typeof PROFILE_SCHEMA;
  /** Name of the deployment, of its stacks, and of the AWS profile that users get. */
  readonly name: string;
  /** Fields of the users' config.json, named as there, without those that stacks give. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Settings of the stacks. */
  readonly infra: InfraSettings;
  /** Values of Claude Code's settings.json beside those that every package has. */
  readonly claude: ClaudeChoices;
  /** Number of people who will use it, for the estimate of cost. */
  readonly users?: number;
  /** Outputs of the stacks at their last deployment. */
  readonly outputs: Readonly<Partial<Record<StackId, Readonly<Record<string, string>>>>>;
};

export type ClaudeChoices = {
  /** `ANTHROPIC_MODEL`. */
  readonly model?: string;
  /** `ANTHROPIC_DEFAULT_HAIKU_MODEL`. */
  readonly haikuModel?: string;
  /** `OTEL_RESOURCE_ATTRIBUTES`, e.g. `{ "department": "research" }`. */
  readonly attributes?: Readonly<Record<string, string>>;
};

/** Returns a profile of which only the name is known. */
export function emptyProfile(name: string): AdminProfile {
  return { schema: PROFILE_SCHEMA, name, config: {}, infra: {}, claude: {}, outputs: {} };
}

/**
 * The fields of the profile in the users' config.json: those that were chosen, and those that stacks gave.
 * Without a deployed auth stack the field that its output fills is absent.
 */
export function userConfig({ config, infra, outputs }: AdminProfile): Record<string, unknown> {
  const { auth = {}, monitoring = {} } = outputs;
  const poolId = auth[AUTH_OUTPUTS.identityPoolId];
  const roleArn = auth[AUTH_OUTPUTS.roleArn];
  const endpoint = monitoring[MONITORING_OUTPUTS.collectorEndpoint];
  return {
    ...config,
    ...(isDirect(config)
      ? roleArn !== undefined && { federated_role_arn: roleArn }
      : poolId !== undefined && { identity_pool_id: poolId }),
    ...(endpoint !== undefined && {
      otel_collector_endpoint: endpoint,
      // A collector with a name of its own is reached by https, and its load balancer checks every ID token.
      otel_collector_validates_token: infra.monitoring?.domain !== undefined,
    }),
  };
}

/** Returns the AWS account of the deployed stacks, from the ARN of the users' role; undefined when unknown. */
export function deployedAccount({ outputs }: AdminProfile): string | undefined {
  return /^arn:[\w-]+:iam::(\d{12}):/.exec(outputs.auth?.[AUTH_OUTPUTS.roleArn] ?? '')?.[1];
}

/** Tells whether STS gives credentials for an ID token directly: by `federation_type`, else by the other fields. */
export function isDirect({ federation_type: type, ...config }: AdminProfile['config']): boolean {
  const pool = config.identity_pool_id ?? config.identity_pool_name;
  return (type ?? (config.federated_role_arn && !pool ? 'direct' : 'cognito')) === 'direct';
}
