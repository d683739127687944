import { LAST_TIME_MS } from '../../protocol/api.ts';
import { invalidIdToken } from './provider-errors.ts';
import type { Claims, SignInTokens, Tokens } from './tokens.ts';

/** The part of a token response that this product reads; `claims()` returns those the library has verified. */
export type TokenResponse = {
  readonly id_token?: string;
  readonly refresh_token?: string;
  claims(): Claims | undefined;
};

/** @throws CcwbError ERR_ID_TOKEN_INVALID when its times are outside the range of a date. */
export function readTokens(response: TokenResponse, issuer: string): Tokens {
  const claims = response.claims();
  const times = claims === undefined ? [] : [claims.iat, claims.exp];
  if (!times.every((seconds) => seconds >= 0 && seconds * 1000 <= LAST_TIME_MS))
    throw invalidIdToken(issuer, 'has times that no clock shows');
  const idToken =
    response.id_token === undefined || claims === undefined
      ? undefined
      : {
          jwt: response.id_token,
          claims,
          expiresAt: claims.exp * 1000,
          lifetimeMs: (claims.exp - claims.iat) * 1000,
        };
  return { idToken, refreshToken: response.refresh_token };
}

/** @throws CcwbError ERR_ID_TOKEN_INVALID when there is no ID token. */
export function requireIdToken(tokens: Tokens, issuer: string): SignInTokens {
  const { idToken } = tokens;
  if (!idToken) throw invalidIdToken(issuer, 'is missing from the reply');
  return { ...tokens, idToken };
}
