import { createHash } from 'node:crypto';
import type { ProfileConfig } from '../../../protocol/config.ts';
import type { CcwbError } from '../../../protocol/errors.ts';

/**
 * The stored state of one sign-in, which survives restarts. It holds the refresh token and no other token:
 * the refresh token brings all others.
 */
export type StoredSession = {
  version: 1;
  refreshToken: string;
  /**
   * The `sub` of the user who signed in; a refreshed ID token must have the same (OIDC Core 12.2). The
   * `UNKNOWN_SUBJECT` of tokens.ts until the first refresh of an imported token.
   */
  subject: string;
  /** The name that `status` shows before the first refresh of a new daemon. */
  user: string | null;
  /** True when the provider issues another refresh token at each use; absent until that is known. */
  rotates?: boolean;
  /** The journal: when the unfinished use of this token started, in milliseconds since the epoch. */
  spentAt?: number;
};

/** A store of one item per credential, keyed by issuer and client. Every method may wait for a keyring. */
export type SecretStore = {
  readonly kind: 'keyring' | 'session';
  /** One line for `status`: the place of the items. */
  readonly description: string;
  /** @throws CcwbError ERR_STORE_…, but not for an item that does not exist. */
  read(key: string): Promise<StoredSession | undefined>;
  /** Resolves when the item is written, and read back the same. @throws CcwbError ERR_STORE_… */
  write(key: string, session: StoredSession): Promise<void>;
  /** @throws CcwbError ERR_STORE_…, but not for an item that does not exist. */
  remove(key: string): Promise<void>;
};

export type StoreErrorCode = Extract<CcwbError['code'], `ERR_STORE_${string}`>;

/** Parses a stored item. Returns undefined for text that no version of this program wrote. */
export function parseStoredSession(text: string): StoredSession | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { version, refreshToken, subject, user, rotates, spentAt } = value as Record<string, unknown>;
  if (version !== 1 || typeof refreshToken !== 'string' || refreshToken === '') return undefined;
  if (typeof subject !== 'string') return undefined;
  return {
    version,
    refreshToken,
    subject,
    user: typeof user === 'string' ? user : null,
    ...(typeof rotates === 'boolean' ? { rotates } : {}),
    ...(typeof spentAt === 'number' ? { spentAt } : {}),
  };
}

/** Returns the store's key for a credential: one per issuer and client, which hides both. */
export function sessionKey({
  identityProvider,
  clientId,
}: Pick<ProfileConfig, 'identityProvider' | 'clientId'>): string {
  return createHash('sha256').update(`${identityProvider.issuer}\n${clientId}`).digest('hex').slice(0, 32);
}
