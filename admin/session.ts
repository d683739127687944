import type { Command } from 'commander';
import {
  type Config,
  chooseProfile,
  loadConfig,
  type ProfileConfig,
  profileNamed,
} from '../protocol/config.ts';
import { resolveConfigPath, thisProcess } from '../protocol/paths.ts';
import { type CallerIdentity, openAws, refuseOwnProgram, refuseOwnRole } from './aws-identity.ts';
import { openCloudFormation } from './cloudformation.ts';
import type { CloudFormation } from './cloudformation-types.ts';
import type { AdminIo } from './io.ts';
import type { Place } from './template-values.ts';

/** The flags with which every command finds its profile. */
export type ProfileFlags = { readonly config?: string; readonly profile?: string };

/** config.json and the profile in it that a command is about. */
export type Chosen = { readonly config: Config; readonly profile: ProfileConfig };

/** A command's way to AWS, once AWS has said who calls. */
export type Session = {
  readonly cloud: CloudFormation;
  readonly identity: CallerIdentity;
  readonly place: Place;
};

export function addProfileOptions(command: Command): Command {
  return command
    .option('--config <file>', 'config.json to read (default: CCWB_CONFIG, else the installed one)')
    .option('--profile <name>', 'profile in it (default: CCWB_PROFILE, else ClaudeCode, else the only one)');
}

export function choose(flags: ProfileFlags, io: AdminIo): Chosen {
  const config = loadConfig(flags.config ?? resolveConfigPath({ ...thisProcess(), env: io.env }));
  const profile = profileNamed(config, chooseProfile(config, flags.profile, io.env.CCWB_PROFILE));
  return { config, profile };
}

/**
 * Finds out who calls AWS and says so, before anything else is asked of it.
 *
 * @throws CcwbError ERR_ADMIN_CREDENTIALS when there are no credentials, or those of a user of the product.
 */
export async function openSession({ config, profile }: Chosen, io: AdminIo): Promise<Session> {
  if (io.aws.credentials === undefined) await refuseOwnProgram(io.env);
  const region = profile.awsRegion;
  const { settings, identity } = await openAws(region, io.aws);
  const roles = [...config.profiles.values()].flatMap(({ federation }) =>
    federation.type === 'direct' ? [federation.roleArn] : [],
  );
  refuseOwnRole(identity, roles);
  io.writeError(`profile      ${profile.name} (${config.path})\n`);
  io.writeError(`AWS account  ${identity.account}\n`);
  io.writeError(`region       ${region}\n`);
  io.writeError(`as           ${identity.arn}\n`);
  const cloud = await openCloudFormation(settings, io.interrupted);
  const partition = identity.arn.split(':')[1] ?? 'aws';
  return { cloud, identity, place: { partition, account: identity.account, region } };
}
