import { createHash } from 'node:crypto';
import type { KoaContext } from 'oidc-provider';

/**
 * Proof Key for Code Exchange in the device grant (RFC 7636), demanded of every client as Keycloak does where a
 * client requires it. oidc-provider checks it in the authorization code flow alone.
 */
export interface DevicePkce {
  /** Returns false after it refused a request for a code that has no challenge. */
  accepts(ctx: KoaContext, form: URLSearchParams): boolean;
  issued(deviceCode: string, form: URLSearchParams): void;
  /** Returns false after it refused a poll whose verifier does not fit the challenge (RFC 7636 4.6). */
  verifies(ctx: KoaContext, form: URLSearchParams): boolean;
}

export function createDevicePkce(): DevicePkce {
  const challenges = new Map<string, string>();
  return {
    accepts(ctx, form) {
      const isWhole = form.get('code_challenge') && form.get('code_challenge_method') === 'S256';
      if (!isWhole) refuse(ctx, 'invalid_request', 'Missing parameter: code_challenge_method');
      return Boolean(isWhole);
    },
    issued(deviceCode, form) {
      challenges.set(deviceCode, form.get('code_challenge') ?? '');
    },
    verifies(ctx, form) {
      const expected = challenges.get(form.get('device_code') ?? '');
      // An unknown code is for the provider to refuse.
      if (expected === undefined) return true;
      const verifier = form.get('code_verifier') ?? '';
      const fits = createHash('sha256').update(verifier).digest('base64url') === expected;
      if (!fits) refuse(ctx, 'invalid_grant', 'PKCE verification failed');
      return fits;
    },
  };
}

function refuse(ctx: KoaContext, error: string, description: string): void {
  ctx.status = 400;
  ctx.body = { error, error_description: description };
}
