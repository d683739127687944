/**
 * Issuer and login key per provider type. The daemon asks the issuer for tokens and puts the login key
 * into Cognito's `Logins`; the templates register the same issuer in IAM. Both use this one function.
 */

export const PROVIDER_TYPES = ['okta', 'auth0', 'azure', 'cognito', 'google', 'generic'] as const;
export type ProviderType = (typeof PROVIDER_TYPES)[number];

/** The fields of a profile that decide its identity provider. */
export type IdentityProviderFields = {
  provider_type?: ProviderType | 'auto' | undefined;
  /** Host, optionally with a path (`login.microsoftonline.com/TENANT/v2.0`) or a scheme. */
  provider_domain?: string | undefined;
  issuer?: string | undefined;
  okta_auth_server?: string | undefined;
  cognito_user_pool_id?: string | undefined;
};

export type IdentityProvider = {
  providerType: ProviderType;
  /** OIDC issuer identifier, exactly as in the provider's discovery document and ID tokens. */
  issuer: string;
  /** The issuer without its scheme: the key in Cognito's `Logins` and the name IAM registers. */
  loginKey: string;
};

/** Reason why no provider can be derived: the wrong field and its allowed values. */
export type IdentityProviderProblem = { field: string; value: unknown; allowed: string };

const DOMAIN_SUFFIXES: readonly (readonly [suffix: string, type: ProviderType])[] = [
  ['.okta.com', 'okta'],
  ['.oktapreview.com', 'okta'],
  ['.okta-emea.com', 'okta'],
  ['.auth0.com', 'auth0'],
  ['.microsoftonline.com', 'azure'],
  ['.windows.net', 'azure'],
  ['.amazoncognito.com', 'cognito'],
];

/** Returns the provider type of a domain, by suffix of its host, never by substring; undefined if unknown. */
export function detectProviderType(domain: string): ProviderType | undefined {
  const host = splitDomain(domain).host;
  const bySuffix = DOMAIN_SUFFIXES.find(([suffix]) => host.endsWith(suffix));
  if (bySuffix) return bySuffix[1];
  if (host === 'accounts.google.com') return 'google';
  if (/^cognito-idp\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/.test(host)) return 'cognito';
  return undefined;
}

/** Returns issuer and login key of a profile, or the field that is missing or wrong. */
export function resolveIdentityProvider(
  fields: IdentityProviderFields,
): IdentityProvider | { problem: IdentityProviderProblem } {
  const providerType = resolveType(fields);
  if (typeof providerType !== 'string') return providerType;
  const issuer = fields.issuer ?? deriveIssuer(providerType, fields);
  if (typeof issuer !== 'string') return issuer;
  return { providerType, issuer, loginKey: issuer.replace(/^https?:\/\//, '') };
}

function resolveType(fields: IdentityProviderFields): ProviderType | { problem: IdentityProviderProblem } {
  const declared = fields.provider_type ?? 'auto';
  if (declared !== 'auto') return declared;
  const domain = fields.provider_domain ?? fields.issuer;
  const detected = domain === undefined ? undefined : detectProviderType(domain);
  if (detected) return detected;
  if (fields.issuer !== undefined) return 'generic';
  if (fields.cognito_user_pool_id !== undefined) return 'cognito';
  return {
    problem: {
      field: 'provider_domain',
      value: fields.provider_domain,
      allowed: `a domain whose provider can be told from it, or set provider_type to one of ${PROVIDER_TYPES.join(', ')}`,
    },
  };
}

function deriveIssuer(
  type: ProviderType,
  fields: IdentityProviderFields,
): string | { problem: IdentityProviderProblem } {
  const { host, path } = splitDomain(fields.provider_domain ?? '');
  const needsDomain = (example: string): { problem: IdentityProviderProblem } => ({
    problem: {
      field: 'provider_domain',
      value: fields.provider_domain,
      allowed: `a domain such as ${example}`,
    },
  });
  switch (type) {
    case 'okta':
      if (!host) return needsDomain('company.okta.com');
      return fields.okta_auth_server
        ? `https://${host}/oauth2/${encodeURIComponent(fields.okta_auth_server)}`
        : `https://${host}${path}`;
    case 'auth0':
      // Auth0's issuer ends in a slash, in its tokens and so in IAM.
      return host ? `https://${host}/` : needsDomain('company.auth0.com');
    case 'azure':
      return azureIssuer(host, path, fields.provider_domain);
    case 'cognito':
      return cognitoIssuer(host, path, fields);
    case 'google':
      return 'https://accounts.google.com';
    case 'generic':
      if (host) return `https://${host}${path}`;
      return fields.provider_domain
        ? needsDomain('sso.company.example')
        : { problem: { field: 'issuer', value: fields.issuer, allowed: 'an https URL' } };
  }
}

function azureIssuer(
  host: string,
  path: string,
  value: string | undefined,
): string | { problem: IdentityProviderProblem } {
  const tenant = path.split('/')[1] || (host.endsWith('.onmicrosoft.com') ? host : undefined);
  // `common` and `organizations` sign in anybody's tenant and issue tokens under that tenant's issuer,
  // which is not the one IAM would have registered.
  if (!tenant || ['common', 'organizations', 'consumers'].includes(tenant.toLowerCase())) {
    return {
      problem: {
        field: 'provider_domain',
        value,
        allowed: 'login.microsoftonline.com/TENANT/v2.0 with your own tenant id or domain',
      },
    };
  }
  const authority = host.endsWith('.microsoftonline.com') ? host : 'login.microsoftonline.com';
  return `https://${authority}/${tenant}/v2.0`;
}

function cognitoIssuer(
  host: string,
  path: string,
  fields: IdentityProviderFields,
): string | { problem: IdentityProviderProblem } {
  const pool =
    fields.cognito_user_pool_id ?? (host.startsWith('cognito-idp.') ? path.split('/')[1] : undefined);
  const region = pool?.match(/^([a-z]{2}(?:-[a-z]+)+-\d)_[A-Za-z0-9]+$/)?.[1];
  if (!pool || !region) {
    return {
      problem: {
        field: 'cognito_user_pool_id',
        value: fields.cognito_user_pool_id,
        allowed: 'a user pool id such as us-east-1_Ab12Cd34E',
      },
    };
  }
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `https://cognito-idp.${region}.${suffix}/${pool}`;
}

/**
 * Splits `https://Host/a/b/` into the host in lower case and the path without a final slash. Both are empty
 * for any other text: a text that URL parsers read differently must not decide where people sign in.
 */
function splitDomain(domain: string): { host: string; path: string } {
  const match = /^(?:https?:\/\/)?([a-z0-9.-]+(?::\d+)?)((?:\/[\w.~-]*)*)$/i.exec(domain.trim());
  const [, host = '', path = ''] = match ?? [];
  return { host: host.toLowerCase(), path: path.replace(/\/+$/, '') };
}
