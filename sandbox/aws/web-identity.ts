import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';

/** A provider that the account trusts. */
export interface TrustedIssuer {
  /** Exactly the `iss` of its tokens. */
  readonly issuer: string;
  /** Returns its current signing keys. A request for them would change the provider's counts. */
  readonly jwks: () => JSONWebKeySet | Promise<JSONWebKeySet>;
}

export type TokenProblem =
  | 'malformed'
  | 'unknown-issuer'
  | 'wrong-audience'
  | 'missing-claim'
  | 'expired'
  | 'not-yet-valid'
  | 'bad-signature';

export type TokenVerdict =
  | { readonly ok: true; readonly issuer: string; readonly sub: string; readonly claims: JWTPayload }
  | {
      readonly ok: false;
      readonly problem: TokenProblem;
      readonly detail: string;
      readonly claims?: JWTPayload;
    };

/** Signing algorithms that IAM accepts from an OpenID provider; `none` is not one of them. */
const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];

/** Verifies an ID token as AWS does: signature, iss, aud, exp, nbf. No tolerance for clocks. */
export async function verifyWebIdentity(
  token: string,
  trust: { readonly issuers: readonly TrustedIssuer[]; readonly audience: string; readonly nowMs: number },
): Promise<TokenVerdict> {
  const iss = issuerOf(token);
  if (iss === undefined)
    return { ok: false, problem: 'malformed', detail: 'not a JSON Web Token with an issuer' };
  const issuer = trust.issuers.find((candidate) => candidate.issuer === iss);
  if (issuer === undefined) return { ok: false, problem: 'unknown-issuer', detail: iss };

  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(await issuer.jwks()), {
      algorithms,
      issuer: issuer.issuer,
      audience: trust.audience,
      currentDate: new Date(trust.nowMs),
      requiredClaims: ['sub', 'aud', 'exp', 'iat'],
    });
    return { ok: true, issuer: issuer.issuer, sub: String(payload.sub), claims: payload };
  } catch (error) {
    return { ok: false, ...describe(error) };
  }
}

function issuerOf(token: string): string | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const iss = (claims as { iss?: unknown } | null)?.iss;
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined;
  }
}

function describe(error: unknown): { problem: TokenProblem; detail: string; claims?: JWTPayload } {
  const detail = error instanceof Error ? error.message : String(error);
  if (error instanceof errors.JWTExpired) return { problem: 'expired', detail, claims: error.payload };
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason, payload: claims } = error;
    if (reason === 'missing') return { problem: 'missing-claim', detail: claim, claims };
    if (claim === 'nbf') return { problem: 'not-yet-valid', detail, claims };
    return { problem: claim === 'aud' ? 'wrong-audience' : 'malformed', detail, claims };
  }
  const malformed = error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid;
  return { problem: malformed ? 'malformed' : 'bad-signature', detail };
}
