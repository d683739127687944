/** Values of a profile with the meaning of its absent fields, also of one that is not complete yet. */
import { type GeographyId, ownGeographies } from '../../infra/profile/geographies.ts';
import {
  detectProviderType,
  type IdentityProvider,
  type IdentityProviderFields,
  PROVIDER_TYPES,
  type ProviderType,
  resolveIdentityProvider,
} from '../../protocol/issuer.ts';
import { type AdminProfile, isDirect } from './admin-profile.ts';

export const DEFAULT_REGION = 'us-east-1';
/** Longest session that STS grants with direct federation, and the default; in seconds. */
export const LONGEST_SESSION_SECONDS = 43_200;

/** Returns a field of `config` that is a text; undefined when it is absent or empty. */
export function textField({ config }: AdminProfile, field: string): string | undefined {
  const value = config[field];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Returns a field of `config` that is a number; undefined when it is absent. */
export function numberField({ config }: AdminProfile, field: string): number | undefined {
  const value = config[field];
  return typeof value === 'number' ? value : undefined;
}

/** Returns the fields that decide the identity provider. */
export function providerFields(profile: AdminProfile): IdentityProviderFields {
  const type = [...PROVIDER_TYPES, 'auto' as const].find((each) => each === profile.config.provider_type);
  return {
    provider_type: type,
    provider_domain: textField(profile, 'provider_domain'),
    issuer: textField(profile, 'issuer'),
    okta_auth_server: textField(profile, 'okta_auth_server'),
    cognito_user_pool_id: textField(profile, 'cognito_user_pool_id'),
  };
}

/** Returns the identity provider; undefined while the fields do not determine an issuer. */
export function providerOf(profile: AdminProfile): IdentityProvider | undefined {
  const provider = resolveIdentityProvider(providerFields(profile));
  return 'problem' in provider ? undefined : provider;
}

/** Returns the type of the provider, which is known before its issuer is. */
export function providerTypeOf(profile: AdminProfile): ProviderType | undefined {
  const { provider_type: type, provider_domain: domain, issuer } = providerFields(profile);
  if (type !== undefined && type !== 'auto') return type;
  return detectProviderType(domain ?? issuer ?? '') ?? providerOf(profile)?.providerType;
}

/** Returns the domain of the provider, or its issuer where the profile has no domain. */
export function domainOf(profile: AdminProfile): string | undefined {
  const { provider_domain: domain, issuer } = providerFields(profile);
  return domain ?? issuer ?? providerOf(profile)?.loginKey;
}

export function federationOf({ config }: AdminProfile): 'cognito' | 'direct' {
  return isDirect(config) ? 'direct' : 'cognito';
}

/** Returns how long credentials last with direct federation, in seconds. */
export function sessionSecondsOf(profile: AdminProfile): number {
  return numberField(profile, 'max_session_duration') ?? LONGEST_SESSION_SECONDS;
}

export function regionOf(profile: AdminProfile): string {
  return textField(profile, 'aws_region') ?? DEFAULT_REGION;
}

export function bedrockRegionsOf(profile: AdminProfile): readonly string[] {
  return profile.infra.bedrock?.regions ?? [regionOf(profile)];
}

export function geographiesOf(profile: AdminProfile): readonly GeographyId[] {
  return profile.infra.bedrock?.geographies ?? ownGeographies(bedrockRegionsOf(profile));
}

export function globalInferenceOf({ infra }: AdminProfile): boolean {
  return infra.bedrock?.globalInference ?? true;
}
