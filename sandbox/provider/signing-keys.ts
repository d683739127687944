import { generateKeyPair, type KeyObject, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { JWK } from 'jose';

/** An RSA-2048 key for RS256, the algorithm that every provider we support signs ID tokens with. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly privateJwk: JWK;
  readonly publicJwk: JWK;
}

export async function createSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  const kid = randomBytes(8).toString('hex');
  const labels = { kid, use: 'sig', alg: 'RS256' };
  return {
    kid,
    privateKey,
    privateJwk: { ...(privateKey.export({ format: 'jwk' }) as JWK), ...labels },
    publicJwk: { ...(publicKey.export({ format: 'jwk' }) as JWK), ...labels },
  };
}

/**
 * The key that every provider of this process starts with.
 * Made while the other modules load: a second spent on it in each test would add up.
 */
export const firstSigningKey: Promise<SigningKey> = createSigningKey();
