/**
 * What the stacks are called and what they give back, for readers that must not load CDK. The stacks
 * take the same names from here, so the two cannot differ.
 */

/** Every stack, in the order of deployment. */
export const STACKS = ['auth'] as const;
export type StackId = (typeof STACKS)[number];

/** Name of a deployment's stack in CloudFormation, e.g. `ccwb-ClaudeCode-auth`. */
export function stackName(profileName: string, stack: StackId): string {
  return `${deploymentName(profileName)}-${stack}`;
}

/** What resources are named after where AWS asks for a name, e.g. `ccwb-ClaudeCode`. */
export function deploymentName(profileName: string): string {
  return `ccwb-${profileName}`;
}

/** CloudFormation output keys of the `auth` stack. */
export const AUTH_OUTPUTS = {
  /** ARN of the role users get; config.json's `federated_role_arn` for direct federation. Always there. */
  roleArn: 'RoleArn',
  /** Id of the identity pool; config.json's `identity_pool_id`. Absent for direct federation. */
  identityPoolId: 'IdentityPoolId',
} as const;
