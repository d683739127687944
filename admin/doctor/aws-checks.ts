import { ok, problem, skipped, warning } from '../../common/findings.ts';
import { asCcwbError } from '../../protocol/errors.ts';
import { refuseOwnRole } from '../aws/aws-identity.ts';
import { deployedAccount } from '../profiles/admin-profile.ts';
import { listWords, oneLine } from '../terminal/text.ts';
import { type AdminCheck, withProfile } from './check.ts';

/** Duration of a deployment in milliseconds. Credentials must not expire before it ends. */
const LEAST_LIFE_MS = 15 * 60_000;

/** Shows the caller of AWS and the expiry of its credentials; fails for credentials of a user of the product. */
export const credentials: AdminCheck = withProfile(async ({ edges, chosen, aws }) => {
  try {
    const { settings, identity } = await aws();
    refuseOwnRole(identity, chosen().roleArns);
    const given =
      typeof settings.credentials === 'function' ? await settings.credentials() : settings.credentials;
    const endsAt = given?.expiration?.getTime();
    if (endsAt === undefined) return [ok(identity.arn)];
    const minutes = Math.round((endsAt - edges.now()) / 60_000);
    const text = `${identity.arn}, for ${minutes} min more`;
    if (endsAt - edges.now() >= LEAST_LIFE_MS) return [ok(text)];
    return [warning(text, 'sign in again before a deployment (aws sso login)')];
  } catch (thrown) {
    const { message, fix } = asCcwbError(thrown);
    return [problem(message, fix)];
  }
});

/** Checks that the account and the region are those of the deployed profile. */
export const account: AdminCheck = withProfile(async ({ chosen, aws }) => {
  const { admin, profile, path } = chosen();
  const caller = await aws().catch(() => undefined);
  if (!caller) return [skipped('without AWS credentials')];
  const { account: now } = caller.identity;
  const deployed = admin && deployedAccount(admin);
  if (deployed !== undefined && deployed !== now) {
    const text = `${profile.name} is deployed in ${deployed}, and these credentials are of ${now}`;
    return [problem(text, `name a profile of ${deployed} in AWS_PROFILE`)];
  }
  const region = admin?.outputs.auth?.IdentityPoolId?.split(':')[0];
  if (region !== undefined && region !== profile.awsRegion) {
    const text = `${profile.name} is deployed in ${region}, and its aws_region is ${profile.awsRegion}`;
    return [problem(text, `set aws_region to ${region} in ${path}, or run ccwb deploy to deploy there anew`)];
  }
  const known = deployed === undefined ? 'not deployed yet' : 'as deployed';
  return [ok(`${now} in ${profile.awsRegion}, ${known}`)];
});

/** Checks that every service that `ccwb` or users call can be reached; any answer counts. */
export const services: AdminCheck = withProfile(async ({ edges, chosen }) => {
  const { admin, profile } = chosen();
  const { awsRegion } = profile;
  const regions = admin?.infra.bedrock?.regions ?? [awsRegion];
  const hosts = [
    hostOf('cloudformation', awsRegion),
    hostOf('sts', awsRegion),
    hostOf('cognito-identity', awsRegion),
    ...regions.map((region) => hostOf('bedrock-runtime', region)),
  ];
  const found = await Promise.all(
    hosts.map(async (host): Promise<string[]> => {
      try {
        const signal = AbortSignal.any([edges.interrupted, AbortSignal.timeout(SERVICE_LIMIT_MS)]);
        const url = edges.aws.endpoint ?? (edges.env.AWS_ENDPOINT_URL || `https://${host}`);
        const reply = await edges.fetch(url, { signal, redirect: 'manual' });
        await reply.arrayBuffer();
        return [];
      } catch (thrown) {
        return [`${host} (${reasonOf(thrown)})`];
      }
    }),
  );
  const silent = found.flat();
  if (silent.length === 0) return [ok(`${hosts.length} answer`)];
  return [problem(`no answer from ${listWords(silent)}`, NETWORK)];
});

const SERVICE_LIMIT_MS = 10_000;
const NETWORK = 'check the network, VPN and proxy; a private network needs an endpoint for it';

function hostOf(service: string, region: string): string {
  return `${service}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}

/** Returns the reason of a failed fetch, which is in the causes of its error. */
function reasonOf(thrown: unknown): string {
  let last = 'unknown';
  for (let error = thrown; error instanceof Error; error = error.cause) {
    last = 'code' in error && typeof error.code === 'string' ? error.code : oneLine(error.message);
  }
  return last;
}
