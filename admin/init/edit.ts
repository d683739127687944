/** A profile with some fields changed. A field that is undefined goes. */

import type { AdminProfile, ClaudeChoices } from '../profiles/admin-profile.ts';
import type { InfraSettings, MonitoringSettings } from '../profiles/infra-file.ts';

type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

export function withConfig(profile: AdminProfile, fields: Readonly<Record<string, unknown>>): AdminProfile {
  return { ...profile, config: patched(profile.config, fields) };
}

export function withInfra(profile: AdminProfile, fields: Optional<InfraSettings>): AdminProfile {
  return { ...profile, infra: patched(profile.infra, fields) };
}

export function withClaude(profile: AdminProfile, fields: Optional<ClaudeChoices>): AdminProfile {
  return { ...profile, claude: patched(profile.claude, fields) };
}

type Bedrock = NonNullable<InfraSettings['bedrock']>;

export function withBedrock(profile: AdminProfile, fields: Optional<Bedrock>): AdminProfile {
  return withInfra(profile, { bedrock: patched(profile.infra.bedrock ?? {}, fields) });
}

/** Monitoring with some fields changed; without monitoring the profile stays as it is. */
export function withMonitoring(profile: AdminProfile, fields: Optional<MonitoringSettings>): AdminProfile {
  const { monitoring } = profile.infra;
  return monitoring ? withInfra(profile, { monitoring: patched(monitoring, fields) }) : profile;
}

/** Fields keep their order; new ones come last. */
export function patched<T extends object>(before: T, fields: Optional<T>): T {
  const entries = Object.entries({ ...before, ...fields }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as T;
}
