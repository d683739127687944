import type { Fetch } from '../../network/transport.ts';
import type { Claims } from '../oidc/tokens.ts';
import type { Clock } from '../platform/clock.ts';
import type { Federation } from './aws-calls.ts';
import { clientSettings, readCredentials, timeLimit, translateAwsError } from './aws-calls.ts';

export type RoleFederationOptions = {
  roleArn: string;
  region: string;
  durationSeconds: number;
  endpoint: string | undefined;
};

/** The allowed lengths of a RoleSessionName, in characters. */
const SESSION_NAME = { least: 2, most: 64 } as const;

/**
 * Creates a federation through a role that trusts the identity provider: STS `AssumeRoleWithWebIdentity`,
 * for up to 12 h where the role allows it.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export function createRoleFederation(
  options: RoleFederationOptions,
  edges: { clock: Clock; fetch: Fetch },
): Federation {
  const { clock } = edges;
  let loaded: ReturnType<typeof loadSts> | undefined;
  return {
    credentials: async (idToken) => {
      loaded ??= loadSts(options, edges.fetch).catch((error: unknown) => {
        loaded = undefined;
        throw error;
      });
      const { client, AssumeRoleWithWebIdentityCommand } = await loaded;
      try {
        const reply = await client.send(
          new AssumeRoleWithWebIdentityCommand({
            RoleArn: options.roleArn,
            RoleSessionName: roleSessionName(idToken.claims),
            WebIdentityToken: idToken.jwt,
            DurationSeconds: options.durationSeconds,
          }),
          timeLimit(),
        );
        const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = reply.Credentials ?? {};
        return readCredentials(
          {
            accessKeyId: AccessKeyId,
            secretAccessKey: SecretAccessKey,
            sessionToken: SessionToken,
            expiration: Expiration,
          },
          'AssumeRoleWithWebIdentity',
          clock,
        );
      } catch (thrown) {
        throw translateAwsError(thrown, 'AWS STS', { field: 'federated_role_arn', value: options.roleArn });
      }
    },
  };
}

/** Loads the SDK's client on first use: most installations have no profile with direct federation. */
async function loadSts(options: RoleFederationOptions, fetch: Fetch) {
  const { STSClient, AssumeRoleWithWebIdentityCommand } = await import('@aws-sdk/client-sts');
  const client = new STSClient({
    region: options.region,
    ...(options.endpoint ? { endpoint: options.endpoint } : {}),
    ...clientSettings(fetch),
  });
  return { client, AssumeRoleWithWebIdentityCommand };
}

/** Returns the session name that CloudTrail shows: the e-mail address in the alphabet of STS, else the subject. */
export function roleSessionName(claims: Claims): string {
  const plain = (text: string): string => text.replace(/[^\w+=,.@-]/g, '-');
  const email = typeof claims.email === 'string' ? plain(claims.email).slice(0, SESSION_NAME.most) : '';
  return email.length >= SESSION_NAME.least ? email : `claude-code-${plain(claims.sub).slice(0, 32)}`;
}
