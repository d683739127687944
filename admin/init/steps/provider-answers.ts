/** Turns answers about an identity provider into its fields of config.json. */
import { detectProviderType, type ProviderType } from '../../../protocol/issuer.ts';
import type { AdminProfile } from '../../profiles/admin-profile.ts';
import { withConfig } from '../edit.ts';

export const PROVIDER_NAMES: Readonly<Record<ProviderType, string>> = {
  okta: 'Okta',
  auth0: 'Auth0',
  azure: 'Microsoft Entra ID',
  cognito: 'Amazon Cognito user pool',
  google: 'Google',
  generic: 'Another OpenID Connect provider',
};

/** Fields that belong to one provider and mean nothing for the next. */
const OF_ONE_PROVIDER = {
  provider_type: undefined,
  provider_domain: undefined,
  issuer: undefined,
  okta_auth_server: undefined,
  cognito_user_pool_id: undefined,
  client_secret: undefined,
};

/** Returns the profile with another provider, without the fields of the previous one. */
export function withProvider(
  profile: AdminProfile,
  fields: { readonly issuer: string } | { readonly provider_domain: string },
): AdminProfile {
  const named = 'issuer' in fields ? fields.issuer : fields.provider_domain;
  const type = detectProviderType(named) ?? ('issuer' in fields ? 'generic' : undefined);
  const { jwksUri: _, providerRegistered: __, requireClientId: ___, ...infra } = profile.infra;
  return withConfig({ ...profile, infra }, { ...OF_ONE_PROVIDER, provider_type: type, ...fields });
}

/** Returns the typed domain, or an issuer for the URL of an unknown host. */
export function domainFields(typed: string): { issuer: string } | { provider_domain: string } {
  const isUrl = /^https?:\/\//i.test(typed);
  if (isUrl && detectProviderType(typed) === undefined) return { issuer: typed };
  return { provider_domain: typed.replace(/^https?:\/\//i, '') };
}

/** Splits a domain into host and path; both are empty when it is not valid. */
export function splitHost(domain: string): { host: string; path: string } {
  const [, host = '', path = ''] = /^(?:https?:\/\/)?([^/]+)(\/.*)?$/i.exec(domain) ?? [];
  return { host: host.toLowerCase(), path: path.replace(/\/+$/, '') };
}
