/** The parts of a package that differ by deployment: config.json and the settings of Claude Code. */
import { readFileSync } from 'node:fs';
import {
  type Config,
  chooseProfile,
  type ProfileConfig,
  parseConfig,
  profileNamed,
} from '../../protocol/config.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import { type AdminProfile, type ClaudeChoices, isDirect, userConfig } from '../profiles/admin-profile.ts';
import type { ProfileFlags } from '../profiles/chosen-profile.ts';
import { chooseProfileFile } from '../profiles/current-profile.ts';
import { profilePath, readProfile } from '../profiles/profile-store.ts';
import { readConfig } from '../profiles/read-config.ts';
import { buildClaudeSettings, type PackageClaudeSettings } from './claude-settings.ts';

export type PackageSource = {
  /** Name of the deployment, used for its archives and for the AWS profile of users. */
  readonly name: string;
  /** The file that it comes from. */
  readonly path: string;
  /** Text of config.json. */
  readonly config: string;
  readonly settings: PackageClaudeSettings;
  /** Notes for the administrator about settings that may be mistakes. */
  readonly notes: readonly string[];
};

/**
 * Reads these parts from the administrator's profile, or from the config.json that the flags name.
 *
 * @throws CcwbError ERR_NOT_DEPLOYED when the auth stack is not deployed; ERR_CONFIG_MISSING,
 *   ERR_CONFIG_INVALID, ERR_PROFILE_UNKNOWN.
 */
export function readPackageSource(flags: ProfileFlags, env: AdminEdges['env']): PackageSource {
  return flags.config === undefined ? fromProfile(flags, env) : fromConfig(flags.config, flags, env);
}

function fromProfile(flags: ProfileFlags, env: AdminEdges['env']): PackageSource {
  const name = chooseProfileFile(flags, env);
  const path = profilePath(name, env);
  const profile = readProfile(name, env);
  const fields = userConfig(profile);
  const needed = isDirect(profile.config) ? 'federated_role_arn' : 'identity_pool_id';
  if (fields[needed] === undefined) throw notDeployed(name, needed);
  const text = `${JSON.stringify({ profiles: { [name]: fields } }, undefined, 2)}\n`;
  const config = parseConfig(text, path);
  const checked = profileNamed(config, name);
  const region = bedrockRegion(checked, profile);
  const collector = collectorOf(fields);
  const notes = unknownNotes(config);
  if (profile.infra.monitoring && collector === undefined) {
    notes.push(
      `profile ${name} wants monitoring, whose stack is not deployed: the package has no telemetry (ccwb deploy, then ccwb package again)`,
    );
  }
  return source({ name, path, config: text, collector, region, claude: profile.claude, notes });
}

function fromConfig(path: string, flags: ProfileFlags, env: AdminEdges['env']): PackageSource {
  const config = readConfig(path);
  const [broken] = config.invalid.values();
  if (broken) throw broken;
  const name = chooseProfile(config, flags.profile, env.CCWB_PROFILE);
  const { awsRegion: region } = profileNamed(config, name);
  const text = readFileSync(path, 'utf8');
  const root = JSON.parse(text.replace(/^\uFEFF/, '')) as Record<string, Record<string, unknown>>;
  const fields = (root.profiles ?? root)[name] as Readonly<Record<string, unknown>>;
  const collector = collectorOf(fields);
  return source({ name, path, config: text, collector, region, claude: {}, notes: unknownNotes(config) });
}

function source(parts: {
  name: string;
  path: string;
  config: string;
  region: string;
  collector: string | undefined;
  claude: ClaudeChoices;
  notes: readonly string[];
}): PackageSource {
  const { name, path, config, region, collector, claude, notes } = parts;
  return {
    name,
    path,
    config,
    settings: buildClaudeSettings({ profile: name, region, collector, claude }),
    notes,
  };
}

/** Returns the region in which users invoke models: that of the stacks, unless others were chosen. */
function bedrockRegion({ awsRegion }: ProfileConfig, { infra }: AdminProfile): string {
  const regions = infra.bedrock?.regions ?? [];
  return regions.includes(awsRegion) ? awsRegion : (regions[0] ?? awsRegion);
}

/** Checked as part of config.json. */
function collectorOf(fields: Readonly<Record<string, unknown>>): string | undefined {
  const endpoint = fields.otel_collector_endpoint;
  return typeof endpoint === 'string' ? endpoint : undefined;
}

function unknownNotes({ unknownFields }: Config): string[] {
  return unknownFields.map((field) => `no program knows ${field}; it stands in config.json all the same`);
}

function notDeployed(name: string, field: string): CcwbError {
  return new CcwbError(
    'ERR_NOT_DEPLOYED',
    `the auth stack of profile ${name} is not deployed: users would have no ${field}`,
    `run ccwb deploy --profile ${name}, then this again; or pass --config FILE with a whole config.json`,
  );
}
