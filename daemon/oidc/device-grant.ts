import * as oauth from 'openid-client';
import { CcwbError } from '../../protocol/errors.ts';
import { TIMING } from '../timing.ts';
import { readTokens, requireIdToken } from './read-tokens.ts';
import type { SignInTokens } from './tokens.ts';

/** The device authorization response for one sign-in on another device (RFC 8628 3.2). */
export type DeviceAuthorization = {
  /** A secret: anyone who has it can get the tokens. */
  deviceCode: string;
  /** The PKCE secret of this sign-in (RFC 7636 4.1), sent with every poll. */
  codeVerifier: string;
  /** The code a person reads and types: printable, at most 40 characters. */
  userCode: string;
  /** An https address, or http on loopback; so is `verificationUriComplete`. */
  verificationUri: string;
  /** The same address with the code in it; undefined when the provider has none. */
  verificationUriComplete: string | undefined;
  lifeMs: number;
  intervalMs: number;
};

/** The tokens; or no answer of the person yet, with `slowDown` when the provider wants fewer polls. */
export type DevicePoll = { slowDown: boolean } | { tokens: SignInTokens };

/** The device authorization grant (RFC 8628). */
export type DeviceGrant = {
  /**
   * Requests a code (RFC 8628 3.1), bound to a PKCE secret (RFC 7636): some providers demand it of every
   * grant, and others ignore parameters that they do not know (RFC 6749 3.1).
   *
   * @returns undefined when the provider does not offer this grant.
   * @throws CcwbError ERR_PROVIDER_REJECTED when this application may not use the grant; ERR_PROVIDER_…
   */
  startDeviceAuthorization(): Promise<DeviceAuthorization | undefined>;
  /**
   * Polls the token endpoint once (RFC 8628 3.4). This grant has no nonce; all other checks of the ID token
   * are the usual ones.
   *
   * @throws CcwbError ERR_LOGIN_DENIED, ERR_LOGIN_EXPIRED, ERR_ID_TOKEN_INVALID, ERR_PROVIDER_…
   */
  pollDeviceToken(device: Pick<DeviceAuthorization, 'deviceCode' | 'codeVerifier'>): Promise<DevicePoll>;
};

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code';

/** The error codes for a person's refusal: that of RFC 8628, and that of Entra ID. */
const DENIALS = ['access_denied', 'authorization_declined'];

/** Printable ASCII only: a terminal shows it unchanged. */
const USER_CODE = /^[\x20-\x7e]{1,40}$/;
/** The longest address that a person can be asked to open, in characters. */
const MAX_URI_LENGTH = 2_048;
/** The shortest interval between two polls, in milliseconds. */
const MIN_INTERVAL_MS = 1_000;

/** @param calling runs an action with the OIDC client's configuration, and translates its errors. */
export function createDeviceGrant(
  { issuer, scopes }: { issuer: string; scopes: readonly string[] },
  calling: <T>(action: (config: oauth.Configuration) => Promise<T>) => Promise<T>,
): DeviceGrant {
  return {
    startDeviceAuthorization: () =>
      calling(async (config) => {
        if (!config.serverMetadata().device_authorization_endpoint) return undefined;
        const codeVerifier = oauth.randomPKCECodeVerifier();
        const parameters = {
          scope: scopes.join(' '),
          code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
          code_challenge_method: 'S256',
        };
        const reply = await oauth.initiateDeviceAuthorization(config, parameters).catch((error: unknown) => {
          if (isRefusal(error)) throw notForThisApplication(issuer, error);
          throw isMalformed(error) ? unusableReply(issuer, 'an incomplete answer', error) : error;
        });
        return { ...readAuthorization(reply, issuer), codeVerifier };
      }),

    pollDeviceToken: ({ deviceCode, codeVerifier }) =>
      calling(async (config) => {
        let reply: Awaited<ReturnType<typeof oauth.genericGrantRequest>>;
        try {
          reply = await oauth.genericGrantRequest(config, GRANT_TYPE, {
            device_code: deviceCode,
            code_verifier: codeVerifier,
          });
        } catch (error) {
          if (!isRefusal(error)) throw error;
          return readRefusal(error, issuer);
        }
        return { tokens: requireIdToken(readTokens(reply, issuer), issuer) };
      }),
  };
}

/** True for an error response that is final; 5xx and 429 are faults that pass. */
function isRefusal(error: unknown): error is oauth.ResponseBodyError {
  return error instanceof oauth.ResponseBodyError && error.status < 500 && error.status !== 429;
}

/** True for a reply that lacks a field that RFC 8628 3.2 requires. */
function isMalformed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'OAUTH_INVALID_RESPONSE';
}

/** Translates an error response to a poll (RFC 8628 3.5). */
function readRefusal(error: oauth.ResponseBodyError, issuer: string): DevicePoll {
  if (error.error === 'authorization_pending') return { slowDown: false };
  if (error.error === 'slow_down') return { slowDown: true };
  if (error.error === 'expired_token') throw codeExpired(error);
  if (DENIALS.includes(error.error)) {
    throw new CcwbError(
      'ERR_LOGIN_DENIED',
      `${new URL(issuer).host} did not let you in (access_denied)`,
      'sign in again; if it stays so, ask your administrator for access to this application',
      { cause: error },
    );
  }
  // Some providers check only here that the application may use this grant.
  if (error.error === 'unauthorized_client' || error.error === 'invalid_client')
    throw notForThisApplication(issuer, error);
  throw error;
}

function readAuthorization(
  reply: oauth.DeviceAuthorizationResponse,
  issuer: string,
): Omit<DeviceAuthorization, 'codeVerifier'> {
  const complete = reply.verification_uri_complete;
  const lifeMs = Math.min(reply.expires_in * 1000, TIMING.deviceLifeMs);
  const intervalMs = reply.interval === undefined ? TIMING.deviceIntervalMs : reply.interval * 1000;
  if (!USER_CODE.test(reply.user_code)) throw unusableReply(issuer, 'a code that cannot be shown');
  if (!(lifeMs > 0)) throw unusableReply(issuer, 'a code that has expired');
  return {
    deviceCode: reply.device_code,
    userCode: reply.user_code,
    verificationUri: readUri(reply.verification_uri, issuer),
    verificationUriComplete: complete === undefined ? undefined : readUri(complete, issuer),
    lifeMs,
    intervalMs: Math.min(Math.max(intervalMs, MIN_INTERVAL_MS), lifeMs),
  };
}

/** Returns an address that a terminal may print and a person may open: parsing removes control characters. */
function readUri(text: string, issuer: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(url?.hostname ?? '');
  const allowed = url?.protocol === 'https:' || (url?.protocol === 'http:' && loopback);
  if (url && allowed && url.username === '' && url.password === '' && url.href.length <= MAX_URI_LENGTH)
    return url.href;
  throw unusableReply(issuer, 'an address for the code that is not https');
}

function unusableReply(issuer: string, what: string, cause?: unknown): CcwbError {
  return new CcwbError(
    'ERR_PROVIDER_INVALID',
    `the identity provider at ${issuer}, asked for a sign-in by code, gave ${what}`,
    'run bedrock-auth login --no-browser, which does without a code',
    { cause },
  );
}

function notForThisApplication(issuer: string, cause: oauth.ResponseBodyError): CcwbError {
  return new CcwbError(
    'ERR_PROVIDER_REJECTED',
    `${new URL(issuer).host} lets nobody sign in to this application by code`,
    'run bedrock-auth login --no-browser, or ask your administrator to allow the device authorization grant there',
    { cause },
  );
}

/** Returns the error of a code that expired, by the provider's clock or by this machine's. */
export function codeExpired(cause?: unknown): CcwbError {
  return new CcwbError(
    'ERR_LOGIN_EXPIRED',
    'nobody completed the sign-in before its code expired',
    'run bedrock-auth login',
    { cause },
  );
}
