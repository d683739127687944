import { createAwsTransport } from '../../network/aws-transport.ts';
import type { Fetch } from '../../network/transport.ts';
import { LAST_TIME_MS } from '../../protocol/api.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { IdToken } from '../oidc/tokens.ts';
import type { Clock } from '../platform/clock.ts';
import { TIMING } from '../timing.ts';

/** Temporary AWS credentials; `expiresAt` is in milliseconds since the epoch. */
export type AwsCredentials = {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiresAt: number;
  /** The time they are valid from issue to expiry, in milliseconds. */
  lifetimeMs: number;
};

/** Exchanges an ID token for AWS credentials: an identity pool, or a role directly. */
export type Federation = {
  /**
   * @throws CcwbError ERR_AWS_UNREACHABLE for faults that pass, ERR_AWS_DENIED, ERR_AWS_CONFIG;
   *   {@link StaleIdToken} when AWS finds the ID token expired.
   */
  credentials(idToken: IdToken): Promise<AwsCredentials>;
};

/** AWS finds an ID token expired that is still valid by this machine's clock. The caller retries once with a new one. */
export class StaleIdToken extends Error {
  override readonly name = 'StaleIdToken';
}

/** The SDK's error names for a reply that it cannot read: it comes from a proxy or captive portal, not from AWS. */
const UNREADABLE_REPLY_NAMES = new Set(['', 'Error', 'SyntaxError', 'TypeError', 'Unknown', 'UnknownError']);

/** The form of AWS error names. The name is shown to a person: a name of another form comes from another sender. */
const AWS_ERROR_NAME = /^[A-Za-z][\w.:-]{0,63}$/;

const ignore = (): void => {};

/** Returns the settings that all AWS clients of the daemon share. */
export function clientSettings(fetch: Fetch) {
  return {
    requestHandler: createAwsTransport(fetch),
    // These operations are public. Without empty credentials the SDK would look for some, and find this product's.
    credentials: { accessKeyId: '', secretAccessKey: '' },
    // Only the scheduler retries: it knows when an answer is needed.
    maxAttempts: 1,
    // The default logger writes warnings to the console, and its debug lines contain tokens.
    logger: { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore },
  };
}

/** Returns the options that abort one call after its time limit. */
export function timeLimit(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(TIMING.callMs) };
}

/** Returns the credentials in a reply. @throws CcwbError ERR_AWS_UNREACHABLE when a field is missing. */
export function readCredentials(
  fields: {
    accessKeyId: string | undefined;
    secretAccessKey: string | undefined;
    sessionToken: string | undefined;
    expiration: Date | undefined;
  },
  operation: string,
  clock: Clock,
): AwsCredentials {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = fields;
  // The SDK does not check a reply: its types say only what AWS promises.
  if (!isText(accessKeyId) || !isText(secretAccessKey) || !isText(sessionToken))
    throw malformedReply(operation);
  const expiresAt = expiration?.getTime() ?? Number.NaN;
  if (!(expiresAt >= 0 && expiresAt <= LAST_TIME_MS)) throw malformedReply(operation);
  return { accessKeyId, secretAccessKey, sessionToken, expiresAt, lifetimeMs: expiresAt - clock.now() };
}

/** True for a field of a reply that has a value: null, empty and absent are one thing. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

export function malformedReply(operation: string): CcwbError {
  return new CcwbError(
    'ERR_AWS_UNREACHABLE',
    `the reply to ${operation} lacks a field; something else than AWS may be answering`,
    'check the network, VPN and proxy; it is tried again by itself',
  );
}

/** AWS error names of throttling and of passing faults of the service or of the network. */
const PASSING = new Set([
  'TooManyRequestsException',
  'ThrottlingException',
  'Throttling',
  'ExternalServiceException',
  'InternalErrorException',
  'InternalFailure',
  'ServiceUnavailable',
  'IDPCommunicationError',
  'IDPCommunicationErrorException',
  'TimeoutError',
]);

/**
 * Translates an error of an AWS SDK client. Its own message is never passed on: services quote the claims of
 * tokens in them.
 *
 * @param service the name a person knows, e.g. "Amazon Cognito".
 * @param configured the field of config.json that names the resource, and its value.
 */
export function translateAwsError(
  thrown: unknown,
  service: string,
  configured: { field: string; value: string },
): CcwbError | StaleIdToken {
  if (thrown instanceof CcwbError || thrown instanceof StaleIdToken) return thrown;
  // The reply's `__type`, unchecked: it may be of any type.
  const name = thrown instanceof Error && typeof thrown.name === 'string' ? thrown.name : '';
  const status = httpStatus(thrown);
  const message = thrown instanceof Error ? thrown.message : '';
  if (name === 'ExpiredTokenException' || (name === 'NotAuthorizedException' && /expired/i.test(message))) {
    return new StaleIdToken('expired', { cause: thrown });
  }
  switch (name) {
    case 'ResourceNotFoundException':
      return wrongConfiguration(service, configured, 'does not exist there', thrown);
    case 'InvalidIdentityPoolConfigurationException':
    case 'InvalidParameterException':
    case 'ValidationError':
      return wrongConfiguration(service, configured, 'is not set up for this sign-in', thrown);
    case 'NotAuthorizedException':
    case 'InvalidIdentityToken':
    case 'InvalidIdentityTokenException':
    case 'IDPRejectedClaim':
    case 'IDPRejectedClaimException':
    case 'AccessDenied':
    case 'AccessDeniedException':
      return new CcwbError(
        'ERR_AWS_DENIED',
        `${service} did not accept your sign-in for ${configured.field} ${configured.value} (${name})`,
        'ask your administrator: the issuer, client id or group rules there may not match this sign-in',
        { cause: thrown },
      );
  }
  const passing = PASSING.has(name) || status === 0 || status >= 500 || status === 429;
  if (passing || UNREADABLE_REPLY_NAMES.has(name) || !AWS_ERROR_NAME.test(name))
    return unreachable(service, name, thrown);
  return wrongConfiguration(service, configured, `was refused (${name})`, thrown);
}

function unreachable(service: string, name: string, cause: unknown): CcwbError {
  const throttled = name === 'TooManyRequestsException' || name.startsWith('Throttling');
  return new CcwbError(
    'ERR_AWS_UNREACHABLE',
    throttled ? `${service} is throttling this account` : `${service} did not answer properly`,
    'check the network, VPN and proxy; it is tried again by itself',
    { cause },
  );
}

function wrongConfiguration(
  service: string,
  { field, value }: { field: string; value: string },
  problem: string,
  cause: unknown,
): CcwbError {
  return new CcwbError(
    'ERR_AWS_CONFIG',
    `${service}: ${field} ${value} ${problem}`,
    `check ${field} and aws_region in config.json, or ask your administrator for a new package`,
    { cause },
  );
}

/** Returns the HTTP status of an SDK error; 0 when the SDK understood no reply of the service. */
function httpStatus(thrown: unknown): number {
  if (typeof thrown !== 'object' || thrown === null || !('$metadata' in thrown)) return 0;
  const metadata = thrown.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return 0;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : 0;
}
