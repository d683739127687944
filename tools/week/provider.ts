/**
 * An identity provider on true time. (The sandbox's goes by the process's clock, which here is the laptop's
 * and may be wrong.) It rotates its refresh tokens, takes a spent one again for a short grace, and ends the
 * session on any later use.
 */
import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { SigningKey } from '../../sandbox/provider/signing-keys.ts';
import { HOUR, SECOND } from './plan.ts';

export const ISSUER = 'https://login.example.com';
export const CLIENT_ID = 'week-client';
export const SUBJECT = 'user-1';

const ID_TOKEN_SECONDS = 3600;
/** Okta's. */
const GRACE_MS = 30 * SECOND;
/** A former key stays published while ID tokens signed with it live. */
const KEY_OVERLAP_MS = 2 * HOUR;

export type ProviderReply = { status: number; body: unknown };

export type Provider = {
  /** A refresh token as a sign-in gives it. */
  signIn(): string;
  /** @param form of a request to the token endpoint. */
  token(form: URLSearchParams): Promise<ProviderReply>;
  discovery(): unknown;
  jwks(): { keys: SigningKey['publicJwk'][] };
  rotateKeys(): void;
  readonly counts: {
    /** Refresh tokens taken, and replaced by new ones. */
    grants: number;
    /** Of these, spent ones that came again within the grace. */
    repeats: number;
    /** Spent ones that came again after it: the session is over. */
    reuses: number;
    refused: number;
  };
};

type RefreshToken = { session: { ended: boolean }; spentAt: number | undefined };

/** @param keys the signing keys, in the order of their use. */
export function createProvider(now: () => number, keys: readonly SigningKey[]): Provider {
  const refreshTokens = new Map<string, RefreshToken>();
  const counts = { grants: 0, repeats: 0, reuses: 0, refused: 0 };
  let current = 0;
  let rotatedAt = Number.NEGATIVE_INFINITY;

  const issue = (session: RefreshToken['session']): string => {
    const token = `rt-${randomUUID()}`;
    refreshTokens.set(token, { session, spentAt: undefined });
    return token;
  };

  const sign = async (): Promise<string> => {
    const key = keys[current];
    if (!key) throw new Error('no signing key left');
    const seconds = Math.floor(now() / 1000);
    return new SignJWT({ email: 'ada@example.com' })
      .setProtectedHeader({ alg: 'RS256', kid: key.kid })
      .setIssuer(ISSUER)
      .setSubject(SUBJECT)
      .setAudience(CLIENT_ID)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + ID_TOKEN_SECONDS)
      .sign(key.privateKey);
  };

  const refuse = (error: string): ProviderReply => {
    counts.refused += 1;
    return { status: 400, body: { error } };
  };

  const refresh = async (refreshToken: string): Promise<ProviderReply> => {
    const known = refreshTokens.get(refreshToken);
    if (!known || known.session.ended) return refuse('invalid_grant');
    if (known.spentAt !== undefined && now() - known.spentAt > GRACE_MS) {
      counts.reuses += 1;
      known.session.ended = true;
      return refuse('invalid_grant');
    }
    counts.grants += 1;
    if (known.spentAt !== undefined) counts.repeats += 1;
    known.spentAt ??= now();
    const successor = issue(known.session);
    return {
      status: 200,
      body: {
        access_token: `at-${randomUUID()}`,
        token_type: 'Bearer',
        expires_in: ID_TOKEN_SECONDS,
        scope: 'openid profile email offline_access',
        refresh_token: successor,
        id_token: await sign(),
      },
    };
  };

  return {
    counts,
    signIn: () => issue({ ended: false }),
    token: async (form) => {
      if (form.get('client_id') !== CLIENT_ID) return refuse('invalid_client');
      if (form.get('grant_type') !== 'refresh_token') return refuse('unsupported_grant_type');
      return refresh(form.get('refresh_token') ?? '');
    },
    discovery: () => discovery(ISSUER),
    jwks: () => {
      const overlap = current > 0 && now() - rotatedAt < KEY_OVERLAP_MS;
      return { keys: keys.slice(overlap ? current - 1 : current, current + 1).map((key) => key.publicJwk) };
    },
    rotateKeys: () => {
      current += 1;
      rotatedAt = now();
    },
  };
}

/** The discovery document of a provider. */
export function discovery(issuer: string): unknown {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
}
