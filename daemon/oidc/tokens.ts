/** The claims of a verified ID token (OIDC Core 2); times in seconds since the epoch. */
export type Claims = Readonly<Record<string, unknown>> & { sub: string; exp: number; iat: number };

/** A verified ID token; times in milliseconds. */
export type IdToken = {
  /** The compact JWT, as AWS accepts it. */
  jwt: string;
  claims: Claims;
  expiresAt: number;
  lifetimeMs: number;
};

/** The tokens of one token response. A refresh response may have no ID token (OIDC Core 12.2). */
export type Tokens = { idToken: IdToken | undefined; refreshToken: string | undefined };

/** The tokens of a sign-in, which always include an ID token. */
export type SignInTokens = Tokens & { idToken: IdToken };

/** The subject of a session whose ID token was never seen. A provider's `sub` has at least one character. */
export const UNKNOWN_SUBJECT = '';

/** Returns the name under which a person recognises the account. */
export function displayName(claims: Claims): string {
  for (const name of ['email', 'preferred_username', 'name']) {
    const value = claims[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return claims.sub;
}
