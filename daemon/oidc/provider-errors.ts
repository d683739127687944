import * as oauth from 'openid-client';
import { CcwbError } from '../../protocol/errors.ts';
import { neverSent } from '../platform/network.ts';

/**
 * No answer arrived, but the provider may have accepted the refresh token: it may be spent, and its successor
 * lost. Providers that rotate tokens accept the same one again for a short time for this reason.
 */
export class LostReply extends Error {
  override readonly name = 'LostReply';
  override readonly cause: CcwbError;
  constructor(cause: CcwbError) {
    super('the reply was lost');
    this.cause = cause;
  }
}

/**
 * A refusal of a refresh token without an error code of RFC 6749 5.2. The session may have ended (some
 * providers answer reuse without a body), or a proxy or firewall in between sent the reply.
 */
export class UnexplainedRefusal extends Error {
  override readonly name = 'UnexplainedRefusal';
  override readonly cause: CcwbError;
  constructor(cause: CcwbError) {
    super('refused without a reason');
    this.cause = cause;
  }
}

/** Returns true when the request may have had its effect although no valid answer arrived. */
export function isOutcomeUnknown(thrown: unknown): boolean {
  if (thrown instanceof oauth.ResponseBodyError || neverSent(thrown)) return false;
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  const status = statusOf(thrown);
  // With 502 and 504 a gateway reports that the server behind it was too slow or closed the connection.
  if (code === 'OAUTH_RESPONSE_IS_NOT_CONFORM') return status === 502 || status === 504;
  if (code === 'OAUTH_RESPONSE_IS_NOT_JSON') return status < 400 || status === 502 || status === 504;
  return (
    code === undefined || code === 'OAUTH_TIMEOUT' || code === 'OAUTH_ABORT' || code === 'OAUTH_PARSE_ERROR'
  );
}

/** Returns true for a refusal of the token endpoint (RFC 6749 5.2: status 400 or 401) without an error code. */
export function isUnexplainedRefusal(thrown: unknown): boolean {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  const status = statusOf(thrown);
  return (
    (code === 'OAUTH_RESPONSE_IS_NOT_CONFORM' || code === 'OAUTH_RESPONSE_IS_NOT_JSON') &&
    (status === 400 || status === 401)
  );
}

/** Translates errors of openid-client and fetch. Their messages are never passed on: they may quote a reply. */
export function translateProviderError(thrown: unknown, issuer: string): CcwbError {
  if (thrown instanceof CcwbError) return thrown;
  // Errors of the product's own fetch arrive wrapped.
  if (thrown instanceof Error && thrown.cause instanceof CcwbError) return thrown.cause;
  const host = hostOf(issuer);
  if (thrown instanceof oauth.AuthorizationResponseError) return translateAuthorizationError(thrown, host);
  if (thrown instanceof oauth.ResponseBodyError) return translateTokenError(thrown, host);
  if (!URL.canParse(issuer)) return notThisProvider(issuer, thrown);
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  switch (code) {
    case 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED':
      return invalidIdToken(
        issuer,
        "has expired or is not valid yet; this computer's clock may be wrong",
        thrown,
      );
    case 'OAUTH_JWT_CLAIM_COMPARISON_FAILED':
      return invalidIdToken(issuer, 'has another issuer, audience or nonce than expected', thrown);
    case 'OAUTH_KEY_SELECTION_FAILED':
    case 'OAUTH_UNSUPPORTED_OPERATION':
      return invalidIdToken(issuer, 'is signed in a way that cannot be verified', thrown);
    case 'OAUTH_INVALID_RESPONSE':
      return invalidIdToken(issuer, 'or the reply around it does not follow the specification', thrown);
    case 'OAUTH_RESPONSE_IS_NOT_CONFORM':
      return translateStatus(thrown, issuer);
    case 'OAUTH_RESPONSE_IS_NOT_JSON':
      if (isPassing(statusOf(thrown))) return translateStatus(thrown, issuer);
      return notThisProvider(issuer, thrown);
    case 'OAUTH_PARSE_ERROR':
      // A body that was cut off or never ended does not show who sent it.
      return innermost(thrown) instanceof SyntaxError
        ? notThisProvider(issuer, thrown)
        : unreachable(host, thrown);
    case 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED':
    case 'OAUTH_INVALID_SERVER_METADATA':
    case 'OAUTH_MISSING_SERVER_METADATA':
      return notThisProvider(issuer, thrown);
    default:
      return unreachable(host, thrown);
  }
}

function translateAuthorizationError(error: oauth.AuthorizationResponseError, host: string): CcwbError {
  if (
    error.error === 'access_denied' ||
    error.error === 'consent_required' ||
    error.error === 'login_required'
  ) {
    return new CcwbError(
      'ERR_LOGIN_DENIED',
      `${host} did not let you in (${error.error})`,
      'sign in again; if it stays so, ask your administrator for access to this application',
      { cause: error },
    );
  }
  if (error.error === 'server_error' || error.error === 'temporarily_unavailable')
    return unreachable(host, error);
  return rejected(host, error.error, error);
}

function translateTokenError(error: oauth.ResponseBodyError, host: string): CcwbError {
  if (error.error === 'invalid_grant') {
    return new CcwbError('ERR_LOGIN_REQUIRED', `${host} has ended this session`, 'run bedrock-auth login', {
      cause: error,
    });
  }
  const passing = isPassing(error.status);
  if (
    passing ||
    error.error === 'server_error' ||
    error.error === 'temporarily_unavailable' ||
    error.error === 'slow_down'
  ) {
    return unreachable(host, error);
  }
  return rejected(host, error.error, error);
}

/** Translates a reply with an unexpected status and no error code of the protocol. */
function translateStatus(thrown: unknown, issuer: string): CcwbError {
  const status = statusOf(thrown);
  if (status === 404) {
    return new CcwbError(
      'ERR_PROVIDER_INVALID',
      `there is no identity provider at ${issuer} (status 404)`,
      'check issuer and provider_domain in config.json',
      { cause: thrown },
    );
  }
  return unreachable(hostOf(issuer), thrown, status);
}

function notThisProvider(issuer: string, cause: unknown): CcwbError {
  return new CcwbError(
    'ERR_PROVIDER_INVALID',
    `what answers at ${issuer} is not that identity provider`,
    'check issuer and provider_domain in config.json; a network that wants its own sign-in page first looks like this too',
    { cause },
  );
}

/** Returns the status of the reply that openid-client rejected and attached as the cause; 0 without one. */
function statusOf(thrown: unknown): number {
  const response = thrown instanceof Error ? thrown.cause : undefined;
  const found =
    typeof response === 'object' && response !== null && 'status' in response ? response.status : 0;
  return typeof found === 'number' ? found : 0;
}

function innermost(thrown: unknown): unknown {
  return thrown instanceof Error && thrown.cause !== undefined ? innermost(thrown.cause) : thrown;
}

function isPassing(status: number): boolean {
  return status >= 500 || status === 429 || status === 408;
}

function hostOf(issuer: string): string {
  return URL.canParse(issuer) ? new URL(issuer).host : issuer;
}

/** Returns the error of a callback from another provider (RFC 9207 2.4). */
export function otherProvider(issuer: string): CcwbError {
  return new CcwbError(
    'ERR_LOGIN_DENIED',
    `the browser came back from another identity provider than ${issuer}`,
    'sign in again, and only on the page that bedrock-auth login opens; if it stays so, check issuer in config.json',
  );
}

/** Returns the error of an application that the provider rejects; `error` is the provider's error code. */
export function rejected(host: string, error: string, cause: unknown): CcwbError {
  // RFC 6749 5.2: an error code is printable ASCII; anything else did not come from a provider.
  const shown = /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,64}$/.test(error) ? error : 'unknown error';
  return new CcwbError(
    'ERR_PROVIDER_REJECTED',
    `${host} refused this application (${shown})`,
    'check client_id, scopes and redirect_port in config.json against the application registered there',
    { cause },
  );
}

/** Returns the error of an unexplained refusal: the session may have ended, and the user may sign in again. */
export function refusedWithoutReason(issuer: string, cause: unknown): CcwbError {
  return new CcwbError(
    'ERR_PROVIDER_UNREACHABLE',
    `${hostOf(issuer)} refused to go on with this session (status ${statusOf(cause)}) and gave no reason`,
    'it is tried again by itself; bedrock-auth login signs you in anew',
    { cause },
  );
}

/** Returns the error that asks for a sign-in once the refusal is proven; the token is kept and retried later. */
export function endedWithoutReason(refused: CcwbError): CcwbError {
  return new CcwbError('ERR_LOGIN_REQUIRED', refused.message, 'run bedrock-auth login', { cause: refused });
}

function unreachable(host: string, cause: unknown, status = 0): CcwbError {
  const detail = status > 0 ? `answered with status ${status}` : 'did not answer properly';
  return new CcwbError(
    'ERR_PROVIDER_UNREACHABLE',
    `the identity provider ${host} ${detail}`,
    'check the network, VPN and proxy; it is tried again by itself',
    { cause },
  );
}

/** Returns the error of a rejected ID token; `problem` completes the sentence “the ID token from …”. */
export function invalidIdToken(issuer: string, problem: string, cause?: unknown): CcwbError {
  return new CcwbError(
    'ERR_ID_TOKEN_INVALID',
    `the ID token from ${issuer} ${problem}`,
    'check client_id and issuer in config.json and the clock of this computer, then run bedrock-auth login',
    { cause },
  );
}
