import type { ProfileConfig } from '../protocol/config.ts';
import type { Clock } from './edges.ts';
import { identityPool } from './identity-pool.ts';
import type { IdToken } from './oidc-client.ts';
import { roleFederation } from './role-federation.ts';

/** Temporary AWS credentials; `expiresAt` in milliseconds since the epoch. */
export type AwsCredentials = {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiresAt: number;
  /** Whole life when they were issued, in milliseconds. */
  lifetimeMs: number;
};

/** Exchanges an ID token for AWS credentials: an identity pool, or a role directly. */
export type Federation = {
  /**
   * @throws CcwbError ERR_AWS_UNREACHABLE for what passes, ERR_AWS_DENIED, ERR_AWS_CONFIG;
   *   {@link StaleIdToken} when AWS finds the ID token expired.
   */
  credentials(idToken: IdToken): Promise<AwsCredentials>;
};

/** AWS calls the ID token expired although we did not: get a new one and ask once more. */
export class StaleIdToken extends Error {
  override readonly name = 'StaleIdToken';
}

/** The profile's way from an ID token to AWS credentials. */
export function openFederation(profile: ProfileConfig, clock: Clock): Federation {
  const { federation } = profile;
  return federation.type === 'cognito'
    ? identityPool(
        { ...federation, region: profile.awsRegion, loginKey: profile.identityProvider.loginKey },
        clock,
      )
    : roleFederation({ ...federation, region: profile.awsRegion }, clock);
}
