import { sign } from 'node:crypto';
import type { SigningKey } from './signing-keys.ts';

/** The ways an ID token can be wrong that a client must notice (OpenID Connect Core §3.1.3.7). */
export type BadIdToken =
  | 'wrong-issuer'
  | 'wrong-audience'
  | 'wrong-nonce'
  | 'wrong-subject'
  | 'alg-none'
  | 'expired'
  | 'not-yet-valid'
  | 'bad-signature';

/** Makes a good ID token wrong in exactly one way; it stays correctly signed unless the signature is the fault. */
export function spoilIdToken(idToken: string, fault: BadIdToken, key: SigningKey): string {
  const [head = '', body = '', signature = ''] = idToken.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
  const nowSeconds = Math.floor(Date.now() / 1000);

  switch (fault) {
    case 'wrong-issuer':
      return signIdToken({ ...claims, iss: 'https://issuer.example.org' }, key);
    case 'wrong-audience':
      return signIdToken({ ...claims, aud: 'another-client' }, key);
    case 'wrong-nonce':
      return signIdToken({ ...claims, nonce: 'not-the-nonce-that-was-sent' }, key);
    case 'wrong-subject':
      return signIdToken({ ...claims, sub: 'somebody-else' }, key);
    case 'expired':
      return signIdToken({ ...claims, iat: nowSeconds - 7200, exp: nowSeconds - 3600 }, key);
    case 'not-yet-valid': {
      const start = nowSeconds + 3600;
      return signIdToken({ ...claims, iat: start, nbf: start, exp: start + 3600 }, key);
    }
    case 'alg-none':
      return `${encode({ alg: 'none', typ: 'JWT' })}.${body}.`;
    case 'bad-signature': {
      const bytes = Buffer.from(signature, 'base64url');
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 0xff, bytes.length - 1);
      return `${head}.${body}.${bytes.toString('base64url')}`;
    }
  }
}

/** Signs claims as a JWT with RS256 (RFC 7519). */
export function signIdToken(claims: Readonly<Record<string, unknown>>, key: SigningKey): string {
  const input = `${encode({ alg: 'RS256', kid: key.kid })}.${encode(claims)}`;
  return `${input}.${sign('sha256', Buffer.from(input), key.privateKey).toString('base64url')}`;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
