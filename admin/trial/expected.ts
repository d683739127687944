/** The deployment that a package must work with, as the administrator's profile describes it. */
import { join } from 'node:path';
import { AUTH_OUTPUTS } from '../../infra/outputs.ts';
import { ownGeographies } from '../../infra/profile/geographies.ts';
import { loadConfig, type ProfileConfig, profileNamed } from '../../protocol/config.ts';
import type { AdminEdges } from '../edges.ts';
import { userConfig } from '../profiles/admin-profile.ts';
import { type ChosenProfile, readChosenProfile } from '../profiles/chosen-profile.ts';
import { listProfiles } from '../profiles/profile-store.ts';
import { readJson, type UnpackedPackage } from './package-under-test.ts';
import type { TrialFlags } from './trial-flags.ts';

export type Expected = {
  /** The profile in config.json of the package. */
  readonly profile: ProfileConfig;
  /** Role that users must get; undefined when unknown. */
  readonly roleArn: string | undefined;
  /** Regions from which models may be invoked. */
  readonly regions: readonly string[];
  /** Geographies whose inference profiles may be invoked. */
  readonly geographies: readonly string[];
  /** The model of the settings of Claude Code or of the flag; undefined: any model. */
  readonly model: string | undefined;
  /** Models that users can invoke; `*` as in IAM. Undefined: all. */
  readonly models: readonly string[] | undefined;
  readonly globalInference: boolean;
  readonly collector: Collector | undefined;
  /** Fields in which the package differs from the profile as it is now. */
  readonly outdated: readonly string[];
};

export type Collector = { readonly endpoint: string; readonly validatesToken: boolean };

/** Returns the deployment of the flags; undefined when the named package alone determines it. */
export function chooseDeployment(flags: TrialFlags, edges: AdminEdges): ChosenProfile | undefined {
  const packageTells =
    flags.package !== undefined && flags.profile === undefined && flags.config === undefined;
  return packageTells ? undefined : readChosenProfile(flags, edges);
}

/** @throws CcwbError as the readers of config.json and of profiles do. */
export function expectedOf(
  pack: UnpackedPackage,
  chosen: ChosenProfile | undefined,
  flags: TrialFlags,
  edges: AdminEdges,
): Expected {
  const config = loadConfig(join(pack.folder, 'config.json'));
  const name = chosen?.profile.name ?? pack.profile ?? config.names[0] ?? '';
  const profile = profileNamed(config, name);
  const admin = (chosen ?? known(name, edges))?.admin;
  const fields = fieldsOf(pack, name);
  const { federation, awsRegion } = profile;
  const { model, endpoint } = settingsOf(pack);
  const role = admin?.outputs.auth?.[AUTH_OUTPUTS.roleArn];
  const { regions = [awsRegion], geographies, models, globalInference } = admin?.infra.bedrock ?? {};
  return {
    profile,
    roleArn: role ?? (federation.type === 'direct' ? federation.roleArn : undefined),
    regions,
    geographies: geographies ?? ownGeographies(regions),
    model: flags.model ?? model,
    models,
    globalInference: globalInference !== false,
    collector:
      endpoint === undefined
        ? undefined
        : { endpoint, validatesToken: fields.otel_collector_validates_token === true },
    outdated: admin ? differences(userConfig(admin), fields) : [],
  };
}

/** Returns the administrator's profile of that name, if there is one. */
function known(name: string, edges: AdminEdges): ChosenProfile | undefined {
  return listProfiles(edges.env).includes(name) ? readChosenProfile({ profile: name }, edges) : undefined;
}

function fieldsOf({ folder }: UnpackedPackage, name: string): Readonly<Record<string, unknown>> {
  const root = readJson(join(folder, 'config.json')) ?? {};
  const profiles = (root.profiles ?? root) as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  return profiles[name] ?? {};
}

function settingsOf({ folder }: UnpackedPackage): { model?: string; endpoint?: string } {
  const { env } = readJson(join(folder, '.claude', 'settings.json')) ?? {};
  const { ANTHROPIC_MODEL: model, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = (env ?? {}) as Record<
    string,
    unknown
  >;
  return {
    ...(typeof model === 'string' && { model }),
    ...(typeof endpoint === 'string' && { endpoint }),
  };
}

function differences(
  one: Readonly<Record<string, unknown>>,
  other: Readonly<Record<string, unknown>>,
): string[] {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return names.filter((name) => JSON.stringify(one[name]) !== JSON.stringify(other[name]));
}
