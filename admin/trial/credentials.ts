/** Reads the credentials of the installed `credential-process`, and checks their role. */
import type { Credentials } from '../../protocol/api.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { type CallerIdentity, type ClientSettings, identifyCaller } from '../aws/aws-identity.ts';
import type { AdminEdges } from '../edges.ts';
import type { Expected } from './expected.ts';
import type { Programs } from './programs.ts';
import { done, type StepResult, testFailure } from './steps.ts';

/** A caller of AWS, and the way of its calls. */
export type Caller = { readonly identity: CallerIdentity; readonly settings: ClientSettings };

/** @throws CcwbError */
export async function getCredentials(
  name: string,
  programs: Programs,
  edges: AdminEdges,
): Promise<StepResult<Credentials>> {
  const { output } = await programs.run('credential-process', ['--profile', name], {
    signal: edges.interrupted,
  });
  const credentials = asCredentials(output);
  const minutes = Math.floor((Date.parse(credentials.Expiration) - edges.now()) / 60_000);
  if (minutes < 0) {
    const fix = "check this computer's clock, then what bedrock-auth doctor says of it";
    throw testFailure(`the credentials ended at ${credentials.Expiration}`, fix);
  }
  return { detail: `valid for ${minutes} min`, value: credentials };
}

function asCredentials(output: string): Credentials {
  try {
    const value = JSON.parse(output) as Partial<Credentials>;
    const texts = [value.AccessKeyId, value.SecretAccessKey, value.SessionToken, value.Expiration];
    const whole = texts.every((text) => typeof text === 'string' && text !== '');
    if (value.Version === 1 && whole && output.trim().split('\n').length === 1) return value as Credentials;
  } catch {
    // Reported below without the output, which may be a secret.
  }
  throw testFailure('credential-process printed something else than one line of credentials', 'report it');
}

/** Returns the caller that AWS sees for the credentials. @throws CcwbError */
export async function identify(
  credentials: Credentials,
  { profile }: Expected,
  { aws, fetch }: AdminEdges,
): Promise<StepResult<Caller>> {
  const {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
  } = credentials;
  try {
    const keys = { accessKeyId, secretAccessKey, sessionToken };
    const caller = await identifyCaller(profile.awsRegion, { aws: { ...aws, credentials: keys }, fetch });
    return { detail: `AWS account ${caller.identity.account}`, value: caller };
  } catch (thrown) {
    if (!(thrown instanceof CcwbError) || thrown.code !== 'ERR_ADMIN_CREDENTIALS') throw thrown;
    // The fixes for administrators do not apply to these credentials.
    const fix = "check this computer's clock, and aws_region of the profile";
    throw new CcwbError('ERR_AWS_DENIED', thrown.message, fix, { cause: thrown });
  }
}

/**
 * Checks that the credentials are those of the role that users should get, in its account.
 *
 * @param user the signed-in user.
 * @throws CcwbError
 */
export async function checkRole(
  { identity: { arn, account } }: Caller,
  user: string | undefined,
  { roleArn, profile }: Expected,
): Promise<StepResult<true>> {
  const [, role = '', session = ''] = /:assumed-role\/([^/]+)\/(.+)$/.exec(arn) ?? [];
  if (roleArn === undefined)
    return { skipped: `nothing here says which role it is to be: it is ${role || arn}` };
  const wanted = /^arn:[\w-]+:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(roleArn);
  const [, wantedAccount, wantedRole] = wanted ?? [];
  if (account !== wantedAccount || role !== wantedRole) {
    throw testFailure(
      `the credentials are of ${arn}, and users are to get ${roleArn}`,
      'deploy the auth stack and make the package again: ccwb deploy, ccwb package',
    );
  }
  if (!isSessionOf(session, profile.federation.type, user)) {
    const fix = 'see which claims the ID tokens have: audit and cost reports go by the name of the session';
    throw testFailure(`the session of ${user ?? 'the user'} is called ${session}`, fix);
  }
  return done(`${role}, session ${session}`);
}

/** Identity pools name all sessions the same; the daemon, those it asks STS for by e-mail, or by `sub`. */
function isSessionOf(session: string, federation: 'cognito' | 'direct', user: string | undefined): boolean {
  if (federation === 'cognito') return session === 'CognitoIdentityCredentials';
  return session.startsWith('claude-code-') || session === user?.replaceAll(/[^\w+=,.@-]/g, '-').slice(0, 64);
}
