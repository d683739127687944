import type { Command } from 'commander';
import { chooseProfile, type ProfileConfig, profileNamed } from '../../protocol/config.ts';
import { CcwbError } from '../../protocol/errors.ts';
import {
  type CallerIdentity,
  type ClientSettings,
  openAws,
  refuseOwnProgram,
  refuseOwnRole,
} from '../aws/aws-identity.ts';
import { openCloudFormation } from '../aws/cloudformation.ts';
import type { CloudFormation } from '../aws/cloudformation-types.ts';
import type { Place } from '../deploy/template-values.ts';
import type { AdminEdges } from '../edges.ts';
import { type AdminProfile, deployedAccount } from '../profiles/admin-profile.ts';
import { chooseProfileFile } from '../profiles/current-profile.ts';
import { asProfileConfig } from '../profiles/profile-check.ts';
import { listProfiles, profilePath, readProfile } from '../profiles/profile-store.ts';
import { readConfig } from '../profiles/read-config.ts';

/** The flags with which every command finds its profile. */
export type ProfileFlags = { readonly config?: string; readonly profile?: string };

/** The profile that a command is about, and where it stands. */
export type Chosen = {
  readonly profile: ProfileConfig;
  /** The file it was read from. */
  readonly path: string;
  /** Roles of users that the file names. */
  readonly roleArns: readonly string[];
  /** The administrator's profile; undefined when a config.json was read in its place. */
  readonly admin: AdminProfile | undefined;
};

/** A command's way to AWS, once AWS has said who calls. */
export type Session = {
  readonly cloud: CloudFormation;
  readonly identity: CallerIdentity;
  /** For clients of further services. */
  readonly settings: ClientSettings;
  readonly place: Place;
};

export function addProfileOptions(command: Command): Command {
  return command
    .option(
      '--profile <name>',
      'which profile (default: CCWB_PROFILE, else the current one, else the only one)',
    )
    .option('--config <file>', 'read a config.json in the place of a profile of ccwb init');
}

/**
 * The profile a command line means: that of a config.json when one is named, else an administrator's own. Who
 * has none may name a config.json by CCWB_CONFIG, too.
 *
 * @throws CcwbError ERR_PROFILE_UNKNOWN, ERR_CONFIG_MISSING, ERR_CONFIG_INVALID
 */
export function choose(flags: ProfileFlags, edges: AdminEdges): Chosen {
  const file = flags.config ?? (listProfiles(edges.env).length === 0 ? edges.env.CCWB_CONFIG : undefined);
  if (file) return fromConfig(file, flags.profile, edges);
  const name = chooseProfileFile(flags, edges.env);
  const path = profilePath(name, edges.env);
  const admin = readProfile(name, edges.env);
  const profile = asProfileConfig(admin, path);
  return { profile, path, roleArns: rolesOf([profile]), admin };
}

function fromConfig(file: string, flag: string | undefined, edges: AdminEdges): Chosen {
  const config = readConfig(file);
  const profile = profileNamed(config, chooseProfile(config, flag, edges.env.CCWB_PROFILE));
  return { profile, path: config.path, roleArns: rolesOf([...config.profiles.values()]), admin: undefined };
}

function rolesOf(profiles: readonly ProfileConfig[]): string[] {
  return profiles.flatMap(({ federation }) => (federation.type === 'direct' ? [federation.roleArn] : []));
}

/**
 * Finds out who calls AWS and says so, before anything else is asked of it.
 *
 * @throws CcwbError ERR_ADMIN_CREDENTIALS when there are no credentials, those of a user of the product, or
 *   those of another account than the one the profile is deployed in.
 */
export async function openSession(
  { profile, path, roleArns, admin }: Chosen,
  edges: AdminEdges,
): Promise<Session> {
  if (edges.aws.credentials === undefined) await refuseOwnProgram(edges.env);
  const region = profile.awsRegion;
  const { settings, identity } = await openAws(region, edges);
  refuseOwnRole(identity, roleArns);
  if (admin) refuseOtherAccount(admin, path, identity);
  edges.writeError(`profile      ${profile.name} (${path})\n`);
  edges.writeError(`AWS account  ${identity.account}\n`);
  edges.writeError(`region       ${region}\n`);
  edges.writeError(`as           ${identity.arn}\n`);
  const cloud = await openCloudFormation(settings, edges.interrupted);
  const partition = identity.arn.split(':')[1] ?? 'aws';
  return { cloud, identity, settings, place: { partition, account: identity.account, region } };
}

/** What a profile knows of its stacks must not be taken for those of another account. */
function refuseOtherAccount(admin: AdminProfile, path: string, { account }: CallerIdentity): void {
  const deployed = deployedAccount(admin);
  if (deployed === undefined || deployed === account) return;
  throw new CcwbError(
    'ERR_ADMIN_CREDENTIALS',
    `profile ${admin.name} is deployed in the AWS account ${deployed}, and these credentials are of ${account}`,
    `sign in to ${deployed}, or name its profile in AWS_PROFILE; if that deployment is gone, empty outputs in ${path}`,
  );
}
