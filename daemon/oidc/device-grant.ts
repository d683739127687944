import * as oauth from 'openid-client';
import { CcwbError } from '../../protocol/errors.ts';
import { TIMING } from '../timing.ts';
import { readTokens, requireIdToken } from './read-tokens.ts';
import type { SignInTokens } from './tokens.ts';

/** What the provider gave for one sign-in on another device (RFC 8628 3.2). */
export type DeviceAuthorization = {
  /** A secret: whoever has it gets the tokens. */
  deviceCode: string;
  /** What a person reads and types: printable, and short. */
  userCode: string;
  /** Https, or http on loopback; as is the next. */
  verificationUri: string;
  /** The same with the code in it; not every provider has one. */
  verificationUriComplete: string | undefined;
  lifeMs: number;
  intervalMs: number;
};

/** Tokens, or that the person has not answered yet; `slowDown`: and that we ask too often. */
export type DevicePoll = { slowDown: boolean } | { tokens: SignInTokens };

/** The device authorization grant (RFC 8628). */
export type DeviceGrant = {
  /**
   * @returns undefined when the provider offers no such grant.
   * @throws CcwbError ERR_PROVIDER_REJECTED when it offers it, but not to this application; ERR_PROVIDER_…
   */
  startDeviceAuthorization(): Promise<DeviceAuthorization | undefined>;
  /**
   * Asks once whether the person has answered. There is no nonce in this grant; the ID token is verified
   * otherwise as ever.
   *
   * @throws CcwbError ERR_LOGIN_DENIED, ERR_LOGIN_EXPIRED, ERR_ID_TOKEN_INVALID, ERR_PROVIDER_…
   */
  pollDeviceToken(deviceCode: string): Promise<DevicePoll>;
};

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code';

/** Words for a person's refusal: the standard's, and Entra ID's. */
const DENIALS = ['access_denied', 'authorization_declined'];

/** Letters, digits and what stands between them: a terminal prints it as it is. */
const USER_CODE = /^[\x20-\x7e]{1,40}$/;
/** More fits no screen, and is no address for people. */
const MAX_URI_LENGTH = 2_048;
/** In milliseconds; nobody types faster. */
const MIN_INTERVAL_MS = 1_000;

/** A part of the OIDC client, which lends it its configuration and its translation of errors. */
export function createDeviceGrant(
  { issuer, scopes }: { issuer: string; scopes: readonly string[] },
  calling: <T>(action: (config: oauth.Configuration) => Promise<T>) => Promise<T>,
): DeviceGrant {
  return {
    startDeviceAuthorization: () =>
      calling(async (config) => {
        if (!config.serverMetadata().device_authorization_endpoint) return undefined;
        const scope = scopes.join(' ');
        const reply = await oauth.initiateDeviceAuthorization(config, { scope }).catch((error: unknown) => {
          if (isRefusal(error)) throw notForThisApplication(issuer, error);
          throw isMalformed(error) ? unusable(issuer, 'an incomplete answer', error) : error;
        });
        return readAuthorization(reply, issuer);
      }),

    pollDeviceToken: (deviceCode) =>
      calling(async (config) => {
        let reply: Awaited<ReturnType<typeof oauth.genericGrantRequest>>;
        try {
          reply = await oauth.genericGrantRequest(config, GRANT_TYPE, { device_code: deviceCode });
        } catch (error) {
          if (!isRefusal(error)) throw error;
          return readRefusal(error, issuer);
        }
        return { tokens: requireIdToken(readTokens(reply, issuer), issuer) };
      }),
  };
}

/** The provider's considered word; a 5xx or 429 passes, whatever it says. */
function isRefusal(error: unknown): error is oauth.ResponseBodyError {
  return error instanceof oauth.ResponseBodyError && error.status < 500 && error.status !== 429;
}

/** A reply without the fields that RFC 8628 3.2 requires. */
function isMalformed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'OAUTH_INVALID_RESPONSE';
}

/** RFC 8628 3.5. */
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
  // Some providers notice only now that the grant is not allowed; invalid_grant is told apart as ever.
  if (error.error === 'unauthorized_client' || error.error === 'invalid_client')
    throw notForThisApplication(issuer, error);
  throw error;
}

function readAuthorization(reply: oauth.DeviceAuthorizationResponse, issuer: string): DeviceAuthorization {
  const complete = reply.verification_uri_complete;
  const lifeMs = Math.min(reply.expires_in * 1000, TIMING.deviceLifeMs);
  const intervalMs = reply.interval === undefined ? TIMING.deviceIntervalMs : reply.interval * 1000;
  if (!USER_CODE.test(reply.user_code)) throw unusable(issuer, 'a code that cannot be shown');
  if (!(lifeMs > 0)) throw unusable(issuer, 'a code that has expired');
  return {
    deviceCode: reply.device_code,
    userCode: reply.user_code,
    verificationUri: readUri(reply.verification_uri, issuer),
    verificationUriComplete: complete === undefined ? undefined : readUri(complete, issuer),
    lifeMs,
    intervalMs: Math.min(Math.max(intervalMs, MIN_INTERVAL_MS), lifeMs),
  };
}

/** People go to this address, and terminals print it: parsing leaves no control characters in it. */
function readUri(text: string, issuer: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const loopback = ['localhost', '127.0.0.1', '[::1]'].includes(url?.hostname ?? '');
  const allowed = url?.protocol === 'https:' || (url?.protocol === 'http:' && loopback);
  if (url && allowed && url.username === '' && url.password === '' && url.href.length <= MAX_URI_LENGTH)
    return url.href;
  throw unusable(issuer, 'an address for the code that is not https');
}

function unusable(issuer: string, what: string, cause?: unknown): CcwbError {
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

/** The code was not used in time, by the provider's clock or by ours. */
export function codeExpired(cause?: unknown): CcwbError {
  return new CcwbError(
    'ERR_LOGIN_EXPIRED',
    'nobody completed the sign-in before its code expired',
    'run bedrock-auth login',
    { cause },
  );
}
