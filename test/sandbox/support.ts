import {
  CognitoIdentityClient,
  type Credentials,
  GetCredentialsForIdentityCommand,
  GetIdCommand,
} from '@aws-sdk/client-cognito-identity';
import { STSClient } from '@aws-sdk/client-sts';
import { obtainTokens } from '../../sandbox/provider/oauth-client.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/sandbox.ts';

/** What a test gives so that things are cleared up after it. */
export interface Cleanup {
  teardown(end: () => unknown): void;
}

/** The claims of a JSON Web Token, unverified. */
export function claimsOf(token: string | undefined): Record<string, unknown> {
  return JSON.parse(Buffer.from((token ?? '').split('.')[1] ?? '', 'base64url').toString());
}

/** A sandbox, an ID token of its demo user, and the real SDK's Cognito client without retries. */
export async function setUp(t: Cleanup, options?: SandboxOptions) {
  const sandbox = await startSandbox(options);
  t.teardown(sandbox.close);
  const cognito = new CognitoIdentityClient({
    endpoint: sandbox.aws.url,
    region: 'us-east-1',
    maxAttempts: 1,
  });
  t.teardown(() => cognito.destroy());
  const idToken = (await obtainTokens(sandbox.provider)).id_token ?? '';

  const getId = (token = idToken, key = loginKey(sandbox)) =>
    cognito.send(new GetIdCommand({ IdentityPoolId: sandbox.aws.identityPoolId, Logins: { [key]: token } }));
  const getCredentials = async (token = idToken): Promise<Credentials> => {
    const Logins = { [loginKey(sandbox)]: token };
    const { IdentityId } = await getId(token);
    const answer = await cognito.send(new GetCredentialsForIdentityCommand({ IdentityId, Logins }));
    return answer.Credentials ?? {};
  };
  return { sandbox, cognito, idToken, getId, getCredentials };
}

/** The name of the sandbox's provider in a `Logins` map. */
export function loginKey({ provider }: Sandbox): string {
  return provider.issuer.slice('http://'.length);
}

/** The real SDK's STS client without retries. */
export function stsClient(
  t: Cleanup,
  { aws }: Sandbox,
  credentials: Credentials = {},
  region = 'us-east-1',
): STSClient {
  const client = new STSClient({
    endpoint: aws.url,
    region,
    maxAttempts: 1,
    credentials: {
      accessKeyId: credentials.AccessKeyId ?? 'none',
      secretAccessKey: credentials.SecretKey ?? 'none',
      ...(credentials.SessionToken === undefined ? {} : { sessionToken: credentials.SessionToken }),
    },
  });
  t.teardown(() => client.destroy());
  return client;
}
