import { createHash } from 'node:crypto';
import type { ProfileConfig } from '../../../protocol/config.ts';
import type { CcwbError } from '../../../protocol/errors.ts';

/**
 * What is kept of one sign-in across restarts. Only the refresh token is worth keeping: everything else
 * is got with it.
 */
export type StoredSession = {
  version: 1;
  refreshToken: string;
  /**
   * `sub` of the user who signed in; a refreshed ID token must be for the same one (OIDC Core 12.2).
   * {@link UNKNOWN_SUBJECT} until the first refresh of a token that another tool had kept.
   */
  subject: string;
  /** What `status` calls the user before the first refresh of a new daemon. */
  user: string | null;
  /** Whether the provider gives another refresh token at each use; absent until that is known. */
  rotates?: boolean;
  /** The journal: since when, in milliseconds since the epoch, a use of this token has had no end. */
  spentAt?: number;
};

/** One item per credential, keyed by issuer and client. All methods may take as long as a keyring does. */
export type SecretStore = {
  readonly kind: 'keyring' | 'session';
  /** One line for `status`: where it keeps things and for how long. */
  readonly description: string;
  /** @throws CcwbError ERR_STORE_… ; never for an item that is not there. */
  read(key: string): Promise<StoredSession | undefined>;
  /** Written, and read back the same, when it resolves. @throws CcwbError ERR_STORE_… */
  write(key: string, session: StoredSession): Promise<void>;
  /** @throws CcwbError ERR_STORE_… ; never for an item that is not there. */
  remove(key: string): Promise<void>;
};

export type StoreErrorCode = Extract<CcwbError['code'], `ERR_STORE_${string}`>;

/** The stored text, or undefined for what no version of this program wrote. */
export function parseStoredSession(text: string): StoredSession | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { version, refreshToken, subject, user, rotates, spentAt } = value as Record<string, unknown>;
  if (version !== 1 || typeof refreshToken !== 'string' || typeof subject !== 'string') return undefined;
  return {
    version,
    refreshToken,
    subject,
    user: typeof user === 'string' ? user : null,
    ...(typeof rotates === 'boolean' ? { rotates } : {}),
    ...(typeof spentAt === 'number' ? { spentAt } : {}),
  };
}

/** The store's name for a credential: one per issuer and client, without telling either. */
export function sessionKey({
  identityProvider,
  clientId,
}: Pick<ProfileConfig, 'identityProvider' | 'clientId'>): string {
  return createHash('sha256').update(`${identityProvider.issuer}\n${clientId}`).digest('hex').slice(0, 32);
}
