/** The stacks' input, made of a profile of config.json and the settings beside it. */
import { ownGeographies } from '../../infra/profile/geographies.ts';
import type { FederationProfile, InfraProfile, RegisteredProvider } from '../../infra/profile/profile.ts';
import type { UndeployedProfile } from '../../protocol/config.ts';
import type { InfraSettings } from './infra-file.ts';

export const DEFAULT_RETENTION_DAYS = 90;

const MONITORING_DEFAULTS = {
  internal: false,
  environment: 'production',
  retentionDays: DEFAULT_RETENTION_DAYS,
} as const;

// IAM does not let a role's longest session be shorter; users may ask for less.
const LEAST_ROLE_SESSION_SECONDS = 3_600;

/** Returns the stacks' input of a deployment. Whether AWS takes its values is for `findProfileProblem`. */
export function infraProfileOf(config: UndeployedProfile, settings: InfraSettings): InfraProfile {
  const { name, identityProvider, clientId, awsRegion: region, federation } = config;
  const { providerType: type, issuer, loginKey } = identityProvider;
  const {
    regions = [region],
    geographies = ownGeographies(regions),
    globalInference = true,
  } = settings.bedrock ?? {};
  const seconds = federation.type === 'direct' ? federation.durationSeconds : 0;
  return withSettings(
    {
      name,
      identityProvider: { type, issuer, loginKey, clientId },
      region,
      bedrock: { regions, geographies, globalInference },
      federation: federationProfile(federation.type, seconds),
    },
    settings,
  );
}

/** @param sessionSeconds longest session of a user; no effect for an identity pool. */
export function federationProfile(type: 'cognito' | 'direct', sessionSeconds: number): FederationProfile {
  if (type === 'cognito') return { type };
  return { type, maxSessionSeconds: Math.max(sessionSeconds, LEAST_ROLE_SESSION_SECONDS) };
}

/** An {@link InfraProfile}, or one whose identity provider lacks some fields. */
type WithProvider<P> = Omit<InfraProfile, 'identityProvider'> & { readonly identityProvider: P };

/** Returns a profile with the settings added, and the defaults of absent ones. */
export function withSettings<P extends Partial<RegisteredProvider>>(
  profile: WithProvider<P>,
  settings: InfraSettings,
): WithProvider<P> {
  const { bedrock, jwksUri, providerRegistered, accessGroups, audit, monitoring } = settings;
  const { requireClientId = providerRegistered, sessionTags } = settings;
  return {
    ...profile,
    bedrock: {
      ...profile.bedrock,
      ...(bedrock?.models && { models: bedrock.models }),
      ...(bedrock?.guardrail && { guardrail: bedrock.guardrail }),
      ...(bedrock?.mantle && { mantle: true }),
    },
    identityProvider: {
      ...profile.identityProvider,
      ...(jwksUri !== undefined && { jwksUri }),
      ...(providerRegistered && { registered: true }),
      ...(requireClientId && { requiresClientId: true }),
    },
    ...(sessionTags && { sessionTags }),
    ...(accessGroups && { accessGroups }),
    ...(audit && { audit: { retentionDays: audit.retentionDays ?? DEFAULT_RETENTION_DAYS } }),
    ...(monitoring && { monitoring: { ...MONITORING_DEFAULTS, ...monitoring } }),
  };
}
