import {
  CognitoIdentityClient,
  GetCredentialsForIdentityCommand,
  GetIdCommand,
} from '@aws-sdk/client-cognito-identity';
import type { Fetch } from '../../network/transport.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Federation } from './aws-calls.ts';
import {
  clientSettings,
  isText,
  malformedReply,
  readCredentials,
  timeLimit,
  translateAwsError,
} from './aws-calls.ts';

export type IdentityPoolOptions = {
  identityPoolId: string;
  region: string;
  loginKey: string;
  endpoint: string | undefined;
};

/**
 * Creates a federation through a Cognito identity pool, enhanced flow: `GetId` once per user, then
 * `GetCredentialsForIdentity`, which has no duration parameter: the credentials last an hour.
 *
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/authentication-flow.html
 */
export function createIdentityPoolFederation(
  options: IdentityPoolOptions,
  edges: { clock: Clock; fetch: Fetch },
): Federation {
  const { clock } = edges;
  const client = new CognitoIdentityClient({
    region: options.region,
    ...(options.endpoint ? { endpoint: options.endpoint } : {}),
    ...clientSettings(edges.fetch),
  });
  /** Identity ids by `sub`. An identity id names a person in this pool and is not secret. */
  const identityIds = new Map<string, string>();

  return {
    credentials: async (idToken) => {
      const Logins = { [options.loginKey]: idToken.jwt };
      const { sub } = idToken.claims;
      try {
        let IdentityId = identityIds.get(sub);
        if (IdentityId === undefined) {
          const command = new GetIdCommand({ IdentityPoolId: options.identityPoolId, Logins });
          ({ IdentityId } = await client.send(command, timeLimit()));
          if (!isText(IdentityId)) throw malformedReply('GetId');
          identityIds.set(sub, IdentityId);
        }
        const reply = await client.send(
          new GetCredentialsForIdentityCommand({ IdentityId, Logins }),
          timeLimit(),
        );
        const { AccessKeyId, SecretKey, SessionToken, Expiration } = reply.Credentials ?? {};
        return readCredentials(
          {
            accessKeyId: AccessKeyId,
            secretAccessKey: SecretKey,
            sessionToken: SessionToken,
            expiration: Expiration,
          },
          'GetCredentialsForIdentity',
          clock,
        );
      } catch (thrown) {
        const error = translateAwsError(thrown, 'Amazon Cognito', {
          field: 'identity_pool_id',
          value: options.identityPoolId,
        });
        // A pool that was deleted and created again has none of the old identities.
        if (error instanceof CcwbError && error.code === 'ERR_AWS_CONFIG') identityIds.delete(sub);
        throw error;
      }
    },
  };
}
