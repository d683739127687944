import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import { type AdminProfile, deployedAccount } from '../profiles/admin-profile.ts';
import type { ChosenProfile } from '../profiles/chosen-profile.ts';
import {
  type CallerIdentity,
  type ClientSettings,
  identifyCaller,
  refuseOwnProgram,
  refuseOwnRole,
} from './aws-identity.ts';
import { createCloudFormation } from './cloudformation.ts';
import type { CloudFormation, DeploymentTarget } from './cloudformation-types.ts';

/** The connection of a command to AWS, made once AWS has named the caller. */
export type AwsConnection = {
  readonly cloud: CloudFormation;
  readonly identity: CallerIdentity;
  /** Settings for clients of further services. */
  readonly settings: ClientSettings;
  readonly target: DeploymentTarget;
};

/**
 * Identifies the caller of AWS and shows it, before any other call.
 *
 * @throws CcwbError ERR_ADMIN_CREDENTIALS when there are no credentials, those of a user of the product, or
 *   those of another account than the one the profile is deployed in.
 */
export async function connectToAws(
  { profile, path, roleArns, admin }: ChosenProfile,
  edges: AdminEdges,
): Promise<AwsConnection> {
  if (edges.aws.credentials === undefined) await refuseOwnProgram(edges.env);
  const region = profile.awsRegion;
  const { settings, identity } = await identifyCaller(region, edges);
  refuseOwnRole(identity, roleArns);
  if (admin) refuseOtherAccount(admin, path, identity);
  edges.writeError(`profile      ${profile.name} (${path})\n`);
  edges.writeError(`AWS account  ${identity.account}\n`);
  edges.writeError(`region       ${region}\n`);
  edges.writeError(`as           ${identity.arn}\n`);
  const cloud = await createCloudFormation(settings, edges.interrupted);
  const partition = identity.arn.split(':')[1] ?? 'aws';
  return { cloud, identity, settings, target: { partition, account: identity.account, region } };
}

/** Refuses another account than the one in which the profile is deployed: its outputs belong to that one. */
function refuseOtherAccount(admin: AdminProfile, path: string, { account }: CallerIdentity): void {
  const deployed = deployedAccount(admin);
  if (deployed === undefined || deployed === account) return;
  throw new CcwbError(
    'ERR_ADMIN_CREDENTIALS',
    `profile ${admin.name} is deployed in the AWS account ${deployed}, and these credentials are of ${account}`,
    `sign in to ${deployed}, or name its profile in AWS_PROFILE; if that deployment is gone, empty outputs in ${path}`,
  );
}
