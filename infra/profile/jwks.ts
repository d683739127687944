import type { RegisteredProvider } from './profile.ts';

/**
 * Returns the address of the keys that a provider signs tokens with. Discovery would tell, but templates are made
 * offline; these are the places that each type documents. Undefined for a generic provider that does not say.
 */
export function jwksUriOf({ type, issuer, jwksUri }: RegisteredProvider): string | undefined {
  if (jwksUri !== undefined) return jwksUri;
  const base = issuer.replace(/\/$/, '');
  switch (type) {
    case 'okta':
      // The organisation's own authorization server has a longer path than the others.
      return base.includes('/oauth2/') ? `${base}/v1/keys` : `${base}/oauth2/v1/keys`;
    case 'auth0':
    case 'cognito':
      return `${base}/.well-known/jwks.json`;
    case 'azure':
      return `${base.replace(/\/v2\.0$/, '')}/discovery/v2.0/keys`;
    case 'google':
      return 'https://www.googleapis.com/oauth2/v3/certs';
    case 'generic':
      return undefined;
  }
}
