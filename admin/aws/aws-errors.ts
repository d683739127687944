import type { ErrorCode } from '../../protocol/error-codes.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { oneLine } from '../terminal/text.ts';

/** Errors for credentials that AWS rejects: expired, revoked, mistyped, or signed with a wrong clock. */
const REFUSED_CREDENTIALS = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'RequestExpired',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidSignatureException',
  'MissingAuthenticationToken',
  'IncompleteSignature',
]);

/** The SDK's own errors when its chain ends without credentials. */
const NO_CREDENTIALS = new Set(['CredentialsProviderError', 'TokenProviderError', 'ProviderError']);

const DENIED = new Set(['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation', 'NotAuthorized']);

const TRANSIENT = new Set([
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'ServiceUnavailable',
  'InternalFailure',
  'TimeoutError',
]);

/** Errors for parameters, a template or capabilities that CloudFormation rejects. */
const INVALID = new Set(['ValidationError', 'InsufficientCapabilitiesException']);

const SIGN_IN =
  'sign in as an administrator (aws sso login) or set AWS_PROFILE, AWS_ACCESS_KEY_ID or what you use otherwise';

/**
 * Converts an error of the AWS SDK into a CcwbError. It quotes AWS's message without control characters: the
 * person who deploys needs it, and these calls carry no secret that AWS could quote.
 *
 * @param doing the attempted action, e.g. `describing stack ccwb-ClaudeCode-auth`.
 */
export function toAdminError(thrown: unknown, doing: string): CcwbError {
  if (thrown instanceof CcwbError) return thrown;
  const name = thrown instanceof Error ? thrown.name : '';
  const text = oneLine(thrown instanceof Error ? thrown.message : String(thrown));
  const status = httpStatus(thrown);
  const error = (code: ErrorCode, message: string, fix: string) =>
    new CcwbError(code, message, fix, { cause: thrown });

  if (name === 'AbortError') {
    return error('ERR_INTERRUPTED', `interrupted while ${doing}`, 'run it again');
  }
  if (NO_CREDENTIALS.has(name)) {
    return error('ERR_ADMIN_CREDENTIALS', `no AWS credentials to administer with: ${text}`, SIGN_IN);
  }
  if (REFUSED_CREDENTIALS.has(name)) {
    const clock = name.startsWith('Signature') || name.startsWith('InvalidSignature');
    const fix = clock ? `check this computer's clock; ${SIGN_IN}` : SIGN_IN;
    return error('ERR_ADMIN_CREDENTIALS', `AWS does not take these credentials (${name}: ${text})`, fix);
  }
  if (DENIED.has(name)) {
    const fix =
      'have the permission that AWS names added (ccwb deploy --print-permissions prints all of them), or deploy as another principal';
    return error('ERR_ADMIN_DENIED', `AWS refused ${doing}: ${text}`, fix);
  }
  if (TRANSIENT.has(name) || status === undefined || status >= 500 || status === 429) {
    const strange = text === '' || /deserialization|parse error/i.test(text);
    const problem = TRANSIENT.has(name) ? `${name}: ${text}` : strange ? 'what answered is not AWS' : text;
    const fix = 'check the network, VPN and proxy, then run the same command again';
    return error('ERR_AWS_UNREACHABLE', `AWS did not answer ${doing} (${problem})`, fix);
  }
  if (INVALID.has(name)) {
    const fix = 'correct what AWS names; if it is no setting of yours, report it';
    return error('ERR_TEMPLATE_INVALID', `AWS cannot take ${doing}: ${text}`, fix);
  }
  if (/^(InvalidChangeSetStatus|ChangeSetNotFound)/.test(name)) {
    const fix =
      'somebody else changed the stack meanwhile: run the same command again and look at the changes';
    return error('ERR_STACK_STATE', `AWS refused ${doing} (${name}: ${text})`, fix);
  }
  const fix = 'see what AWS says, and docs/deploy.md for the states a stack can be in';
  return error('ERR_STACK_FAILED', `AWS refused ${doing} (${name}: ${text})`, fix);
}

/**
 * Returns a field that AWS's reply must have. The page of a captive portal is parsed as a reply without any
 * field. Such a reply must not be taken for a deleted stack.
 *
 * @throws CcwbError ERR_AWS_UNREACHABLE when it is missing.
 */
export function requireField<T>(field: T | undefined, operation: string): T {
  if (field !== undefined && field !== '') return field;
  throw new CcwbError(
    'ERR_AWS_UNREACHABLE',
    `the reply to ${operation} lacks a field: what answered is not AWS`,
    'check the network, VPN and proxy, then run the same command again',
  );
}

/** Tells whether an error is a ValidationError with a matching message: AWS has no finer error names for these. */
export function isValidationError(thrown: unknown, words: RegExp): boolean {
  return thrown instanceof Error && thrown.name === 'ValidationError' && words.test(thrown.message);
}

/** Returns the HTTP status of AWS's reply; undefined when there was no valid reply. */
function httpStatus(thrown: unknown): number | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('$metadata' in thrown)) return undefined;
  const metadata = thrown.$metadata as { httpStatusCode?: unknown } | undefined;
  return typeof metadata?.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
