import { basename } from 'node:path';
import type { STSClientConfig } from '@aws-sdk/client-sts';
import { createAwsTransport } from '../../network/aws-transport.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges, Environment } from '../edges.ts';
import { requireField, toAdminError } from './aws-errors.ts';

/** The caller of AWS, as STS GetCallerIdentity returns it. */
export type CallerIdentity = { readonly account: string; readonly arn: string };

/** Settings that the clients of all services share: region, transport and one chain of credentials. */
export type ClientSettings = Pick<
  STSClientConfig,
  'region' | 'endpoint' | 'credentials' | 'maxAttempts' | 'logger' | 'requestHandler'
>;

/**
 * Tries of one call, the first included. The SDK waits between them with back-off and jitter, longer when it
 * is throttled; CloudFormation throttles accounts in which much is deployed.
 */
const ATTEMPTS = 6;

/** Program that returns credentials to users. An administrator cannot deploy with the credentials of a user. */
const OUR_PROGRAM = 'credential-process';
/** Roles of users, as the auth stack names them: stack, logical id, a suffix of CloudFormation's. */
const OUR_ROLE = /^ccwb-.*AuthenticatedRole-\w+$/;
/** Session name of every caller with credentials of a Cognito identity pool. */
const POOL_SESSION = 'CognitoIdentityCredentials';

const OTHER_PROFILE =
  'sign in with a profile of an administrator and name it in AWS_PROFILE; users of this product may only invoke models';

/**
 * Returns the caller, as AWS identifies it.
 *
 * @param interrupted ends the wait.
 * @throws CcwbError ERR_ADMIN_CREDENTIALS when there are none that AWS accepts.
 */
export async function identifyCaller(
  region: string,
  { aws, fetch }: Pick<AdminEdges, 'aws' | 'fetch'>,
  interrupted?: AbortSignal,
): Promise<{ settings: ClientSettings; identity: CallerIdentity }> {
  const { STSClient, GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
  const common = commonSettings(region, fetch);
  const client = new STSClient({ ...common, credentials: await credentialChain(common), ...aws });
  try {
    const { Account, Arn } = await client.send(
      new GetCallerIdentityCommand({}),
      interrupted && { abortSignal: interrupted },
    );
    // One chain for all clients: a credential process or a sign-in page runs once.
    const { credentials } = client.config;
    const settings = { ...common, ...aws, credentials };
    const account = requireField(Account, 'GetCallerIdentity');
    return { settings, identity: { account, arn: requireField(Arn, 'GetCallerIdentity') } };
  } catch (thrown) {
    throw toAdminError(thrown, 'asking who calls');
  }
}

/** Creates the credential chain of the AWS CLI; its own calls to AWS use the same transport. */
async function credentialChain(
  clientConfig: ClientSettings,
): Promise<NonNullable<ClientSettings['credentials']>> {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  return defaultProvider({ clientConfig });
}

function commonSettings(region: string, fetch: AdminEdges['fetch']): ClientSettings {
  const ignore = (): void => {};
  return {
    region,
    maxAttempts: ATTEMPTS,
    requestHandler: createAwsTransport(fetch),
    // The SDK would write its warnings to the console.
    logger: { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore },
  };
}

/**
 * Refuses an AWS profile that gets its credentials from our own program, before the program runs. It would
 * open a sign-in page and return a role that can only use Bedrock.
 *
 * @throws CcwbError ERR_ADMIN_CREDENTIALS
 */
export async function refuseOwnProgram(env: Environment): Promise<void> {
  // Same order as the SDK's chain: keys in the environment override profiles, unless a profile is named.
  if (env.AWS_ACCESS_KEY_ID && env.AWS_SECRET_ACCESS_KEY && !env.AWS_PROFILE) return;
  const profiles = await awsProfiles(env);
  const first = env.AWS_PROFILE || 'default';
  const seen = new Set<string>();
  for (let name: string | undefined = first; name !== undefined && !seen.has(name); ) {
    seen.add(name);
    const profile: Partial<Record<string, string>> | undefined = profiles[name];
    const command = profile?.credential_process;
    if (command !== undefined && !profile?.aws_access_key_id && callsOurProgram(command)) {
      const through = name === first ? '' : ` (through source_profile ${name})`;
      throw new CcwbError(
        'ERR_ADMIN_CREDENTIALS',
        `the AWS profile ${first}${through} gets its credentials from this product: ${command}`,
        OTHER_PROFILE,
      );
    }
    name = profile?.source_profile;
  }
}

async function awsProfiles(
  env: Environment,
): Promise<Partial<Record<string, Partial<Record<string, string>>>>> {
  const { parseKnownFiles } = await import('@smithy/core/config');
  const path = (variable: string, field: string) =>
    env[variable] === undefined ? {} : { [field]: env[variable] };
  return parseKnownFiles({
    ...path('AWS_CONFIG_FILE', 'configFilepath'),
    ...path('AWS_SHARED_CREDENTIALS_FILE', 'filepath'),
    // Not from the cache: the file may have changed.
    ignoreCache: true,
  }).catch(() => ({}));
}

function callsOurProgram(command: string): boolean {
  return command.split(/\s+/).some((word) => basename(word.replace(/^["']|["']$/g, '')) === OUR_PROGRAM);
}

/**
 * Refuses the credentials of a user of the product.
 *
 * @param roleArns roles of users that config.json names.
 * @throws CcwbError ERR_ADMIN_CREDENTIALS
 */
export function refuseOwnRole({ arn }: CallerIdentity, roleArns: readonly string[]): void {
  const [, roleName, session] = /:assumed-role\/([^/]+)\/(.+)$/.exec(arn) ?? [];
  if (roleName === undefined) return;
  const named = roleArns.some((role) => role.split('/').at(-1) === roleName);
  if (!named && !OUR_ROLE.test(roleName) && session !== POOL_SESSION) return;
  throw new CcwbError(
    'ERR_ADMIN_CREDENTIALS',
    `these credentials are those of a user of Claude Code with Bedrock: ${arn}`,
    OTHER_PROFILE,
  );
}
