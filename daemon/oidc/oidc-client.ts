import * as oauth from 'openid-client';
import type { Fetch } from '../../network/transport.ts';
import type { ProfileConfig } from '../../protocol/config.ts';
import type { CorrectedClock } from '../platform/clock.ts';
import { TIMING } from '../timing.ts';
import { createDeviceGrant, type DeviceGrant } from './device-grant.ts';
import { preflight } from './preflight.ts';
import {
  invalidIdToken,
  isOutcomeUnknown,
  isUnexplainedRefusal,
  LostReply,
  otherProvider,
  refusedWithoutReason,
  translateProviderError,
  UnexplainedRefusal,
} from './provider-errors.ts';
import { createReplyReader } from './provider-reply.ts';
import { readTokens, requireIdToken } from './read-tokens.ts';
import { createRotationWatch } from './rotation-watch.ts';
import { type SignInTokens, type Tokens, UNKNOWN_SUBJECT } from './tokens.ts';

/** The secrets of one authorization request; they never leave the daemon. */
export type AuthorizationSecrets = { state: string; nonce: string; codeVerifier: string };

/** This application as a client of its identity provider. All its errors are those of this product. */
export type OidcClient = DeviceGrant & {
  /** Starts the authorization code flow with PKCE S256, state and nonce (RFC 6749 4.1, RFC 7636, OIDC Core 3.1). */
  startAuthorization(redirectUri: string): Promise<{ url: string; secrets: AuthorizationSecrets }>;
  /** Redeems the callback's code. @throws CcwbError ERR_LOGIN_DENIED, ERR_ID_TOKEN_INVALID, ERR_PROVIDER_… */
  redeemCode(callback: URL, secrets: AuthorizationSecrets): Promise<SignInTokens>;
  /**
   * Reads the provider's discovery document again. The request has no effect, so it proves that the provider
   * can be reached before a refresh token is spent.
   *
   * @throws CcwbError ERR_PROVIDER_…
   */
  rediscover(): Promise<void>;
  /**
   * Spends a refresh token (RFC 6749 6).
   *
   * @param subject the `sub` that the ID token must have, or {@link UNKNOWN_SUBJECT}.
   * @param onRefreshToken called and awaited with the token that replaces the spent one, before the reply
   *   is verified: a reply that fails verification must not end the session.
   * @throws CcwbError ERR_LOGIN_REQUIRED when the provider says `invalid_grant`, and only then;
   *   {@link LostReply} when the token may be spent although no answer arrived;
   *   {@link UnexplainedRefusal} when the refusal has no error code of RFC 6749.
   */
  refresh(
    refreshToken: string,
    subject: string,
    onRefreshToken: (token: string) => Promise<void>,
  ): Promise<Tokens>;
  /** Revokes the refresh token (RFC 7009). Returns false when the provider offers no revocation. */
  revoke(refreshToken: string): Promise<boolean>;
};

/** The difference between two correct clocks that verification tolerates, in seconds. */
const CLOCK_TOLERANCE_SECONDS = 30;

/** The parts of the daemon's edges that the OIDC client uses. */
export type OidcEdges = { fetch: Fetch; clock: Pick<CorrectedClock, 'skewMs' | 'inDoubt'> };

/** The fields of a profile that the OIDC client uses. */
type OidcProfile = Pick<ProfileConfig, 'identityProvider' | 'clientId' | 'clientSecret' | 'scopes'>;

/** The only user of openid-client, with device-grant and provider-errors: it throws this product's errors. */
export function createOidcClient(profile: OidcProfile, edges: OidcEdges): OidcClient {
  const { issuer, providerType } = profile.identityProvider;
  const rotation = createRotationWatch(createReplyReader(edges.fetch));
  const configuration = createProviderConfiguration(profile, edges.clock, rotation.fetch);
  const expectIdToken = createIdTokenExpectation(issuer);
  return {
    startAuthorization: (redirectUri) =>
      configuration.use(async (config) => {
        const codeVerifier = oauth.randomPKCECodeVerifier();
        const secrets = { state: oauth.randomState(), nonce: oauth.randomNonce(), codeVerifier };
        const url = oauth.buildAuthorizationUrl(config, {
          redirect_uri: redirectUri,
          scope: profile.scopes.join(' '),
          code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
          code_challenge_method: 'S256',
          state: secrets.state,
          nonce: secrets.nonce,
          ...refreshTokenParameters(providerType, profile.scopes),
        });
        await preflight(url, edges.fetch);
        return { url: url.href, secrets };
      }),

    redeemCode: (callback, secrets) =>
      configuration.use(async (config) => {
        // RFC 6749 3.1: a parameter without a value is an absent one.
        const redirect = withoutEmptyParameters(callback);
        const sender = redirect.searchParams.get('iss');
        // The library refuses it too, but its error would say that the ID token is wrong.
        if (sender !== null && sender !== config.serverMetadata().issuer) throw otherProvider(issuer);
        const reply = await oauth.authorizationCodeGrant(config, redirect, {
          expectedState: secrets.state,
          expectedNonce: secrets.nonce,
          pkceCodeVerifier: secrets.codeVerifier,
          idTokenExpected: true,
        });
        return requireIdToken(readTokens(reply, issuer), issuer);
      }),

    rediscover: async () => {
      try {
        await configuration.get(true);
        // One reply is not enough to correct the clock, and a wrong correction would reject an ID token.
        if (edges.clock.inDoubt()) await configuration.get(true);
      } catch (thrown) {
        throw translateProviderError(thrown, issuer);
      }
    },

    refresh: (refreshToken, subject, onRefreshToken) =>
      configuration.use(async (config) => {
        const watched = rotation.watch(onRefreshToken);
        try {
          const reply = await oauth.refreshTokenGrant(config, refreshToken).catch((thrown: unknown) => {
            throw watched.answered() ? thrown : refreshFailure(thrown, issuer);
          });
          return expectIdToken(checkSubject(readTokens(reply, issuer), subject, issuer));
        } finally {
          watched.end();
        }
      }),

    revoke: (refreshToken) =>
      configuration.use(async (config) => {
        if (!config.serverMetadata().revocation_endpoint) return false;
        await oauth.tokenRevocation(config, refreshToken, { token_type_hint: 'refresh_token' });
        return true;
      }),

    ...createDeviceGrant({ issuer, scopes: profile.scopes }, configuration.use),
  };
}

/** This client's configuration at its provider, discovered when it is first needed. */
type ProviderConfiguration = {
  /** Returns the configuration; discovers it again after a failure, a change of the clock, or if `again` is true. */
  get(again?: boolean): Promise<oauth.Configuration>;
  /** Runs `action` with the configuration. @throws CcwbError, LostReply, UnexplainedRefusal */
  use<T>(action: (config: oauth.Configuration) => Promise<T>): Promise<T>;
};

function createProviderConfiguration(
  profile: OidcProfile,
  clock: OidcEdges['clock'],
  fetch: Fetch,
): ProviderConfiguration {
  const { issuer } = profile.identityProvider;
  let configuration: Promise<oauth.Configuration> | undefined;
  /** The correction of this machine's clock when the configuration was made. */
  let configuredSkewMs = 0;
  /** The provider's keys, kept when the rest is discovered again. */
  let keys: oauth.ExportedJWKSCache | undefined;

  const discover = async (): Promise<oauth.Configuration> => {
    configuredSkewMs = clock.skewMs();
    const config = await discoverConfiguration(profile, configuredSkewMs, fetch);
    if (keys) oauth.setJwksCache(config, keys);
    return config;
  };

  const get = (again = false): Promise<oauth.Configuration> => {
    if (again || configuredSkewMs !== clock.skewMs()) configuration = undefined;
    const current = configuration ?? discover();
    configuration = current;
    current.catch(() => {
      if (configuration === current) configuration = undefined;
    });
    return current;
  };

  return {
    get,
    use: async (action) => {
      try {
        const config = await get();
        const result = await action(config);
        keys = oauth.getJwksCache(config) ?? keys;
        return result;
      } catch (thrown) {
        if (thrown instanceof LostReply || thrown instanceof UnexplainedRefusal) throw thrown;
        const error = translateProviderError(thrown, issuer);
        // Keys or endpoints may have changed: the next call discovers them again.
        if (error.code === 'ERR_ID_TOKEN_INVALID' || error.code === 'ERR_PROVIDER_INVALID') {
          configuration = undefined;
          keys = undefined;
        }
        throw error;
      }
    },
  };
}

function discoverConfiguration(
  profile: OidcProfile,
  skewMs: number,
  fetch: Fetch,
): Promise<oauth.Configuration> {
  const issuer = new URL(profile.identityProvider.issuer);
  const insecure = issuer.protocol === 'http:';
  return oauth.discovery(
    issuer,
    profile.clientId,
    {
      [oauth.clockTolerance]: CLOCK_TOLERANCE_SECONDS,
      [oauth.clockSkew]: Math.round(skewMs / 1000),
    },
    profile.clientSecret ? oauth.ClientSecretPost(profile.clientSecret) : oauth.None(),
    {
      [oauth.customFetch]: fetch as oauth.CustomFetch,
      timeout: TIMING.callMs / 1000,
      // config.json allows http for loopback issuers only.
      execute: [oauth.enableNonRepudiationChecks, ...(insecure ? [oauth.allowInsecureRequests] : [])],
    },
  );
}

/** Returns the failure of a refresh; its class says whether the refresh token may be spent. */
function refreshFailure(thrown: unknown, issuer: string): unknown {
  if (isUnexplainedRefusal(thrown)) return new UnexplainedRefusal(refusedWithoutReason(issuer, thrown));
  if (isOutcomeUnknown(thrown)) return new LostReply(translateProviderError(thrown, issuer));
  return thrown;
}

/** @throws CcwbError ERR_ID_TOKEN_INVALID when the ID token is for another user (OIDC Core 12.2). */
function checkSubject(tokens: Tokens, subject: string, issuer: string): Tokens {
  if (subject !== UNKNOWN_SUBJECT && tokens.idToken && tokens.idToken.claims.sub !== subject)
    throw invalidIdToken(issuer, 'is for another user than the one who signed in');
  return tokens;
}

/**
 * Checks that a provider whose refreshes bring ID tokens does not leave one out once, which would look like a
 * provider that never sends any. A second reply in a row without one is believed.
 */
function createIdTokenExpectation(issuer: string): (tokens: Tokens) => Tokens {
  let expected = false;
  return (tokens) => {
    const isMissing = expected && tokens.idToken === undefined;
    expected = tokens.idToken !== undefined;
    if (isMissing) throw invalidIdToken(issuer, 'is missing from the reply');
    return tokens;
  };
}

function withoutEmptyParameters(callback: URL): URL {
  const url = new URL(callback);
  for (const [name, value] of callback.searchParams) if (value === '') url.searchParams.delete(name);
  return url;
}

/** Returns the parameters that make the provider issue a refresh token. */
function refreshTokenParameters(providerType: string, scopes: readonly string[]): Record<string, string> {
  if (providerType === 'google') return { access_type: 'offline', prompt: 'consent' };
  // OIDC Core 11: offline_access may be ignored without consent.
  return providerType === 'generic' && scopes.includes('offline_access') ? { prompt: 'consent' } : {};
}
