/** Changes of a profile's fields. A field that becomes undefined is removed. */
import type { AdminProfile, ClaudeChoices } from '../profiles/admin-profile.ts';
import type { InfraSettings, MonitoringSettings } from '../profiles/infra-file.ts';

/** New values of some fields; undefined removes an optional one. */
export type Changes<T> = {
  readonly [K in keyof T]?: Record<never, never> extends Pick<T, K> ? T[K] | undefined : T[K];
};

export function withConfig(profile: AdminProfile, fields: Readonly<Record<string, unknown>>): AdminProfile {
  return { ...profile, config: changed(profile.config, fields) };
}

export function withInfra(profile: AdminProfile, fields: Changes<InfraSettings>): AdminProfile {
  return { ...profile, infra: changed(profile.infra, fields) };
}

export function withClaude(profile: AdminProfile, fields: Changes<ClaudeChoices>): AdminProfile {
  return { ...profile, claude: changed(profile.claude, fields) };
}

type Bedrock = NonNullable<InfraSettings['bedrock']>;

export function withBedrock(profile: AdminProfile, fields: Changes<Bedrock>): AdminProfile {
  return withInfra(profile, { bedrock: changed<Bedrock>(profile.infra.bedrock ?? {}, fields) });
}

/** Returns the profile with other fields of monitoring; unchanged where it has no monitoring. */
export function withMonitoring(profile: AdminProfile, fields: Changes<MonitoringSettings>): AdminProfile {
  const { monitoring } = profile.infra;
  return monitoring ? withInfra(profile, { monitoring: changed(monitoring, fields) }) : profile;
}

/** Returns an object with other fields. Fields keep their order; new ones come last. */
export function changed<T extends object>(before: T, fields: Changes<T>): T {
  const after: T = { ...before };
  for (const [field, value] of Object.entries(fields)) {
    if (value === undefined) Reflect.deleteProperty(after, field);
    else Reflect.set(after, field, value);
  }
  return after;
}
