import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JSONWebKeySet } from 'jose';
import type { Fault } from '../http/faults.ts';
import { openLoopbackServer } from '../http/loopback-server.ts';
import type { BadIdToken } from './bad-id-token.ts';
import { type DeviceGrantOffer, providerConfiguration, type TokenLifetimes } from './configuration.ts';
import type { ProviderCountValues } from './counts.ts';
import type { ProviderEndpoint } from './endpoints.ts';
import { createProviderFront, type TokenReplyHook, type TokenRequestHook } from './front.ts';
import type { IssuedSecret } from './issued-secrets.ts';
import { createProviderStore, type RefreshTokenState } from './memory-adapter.ts';
import { Provider } from './oidc-provider-module.ts';
import { signInPages } from './sign-in.ts';
import { createSigningKey, firstSigningKey, type SigningKey } from './signing-keys.ts';
import { demoUser, type SandboxUser } from './users.ts';

export type {
  BadIdToken,
  Fault,
  ProviderCountValues,
  ProviderEndpoint,
  RefreshTokenState,
  SandboxUser,
  TokenLifetimes,
};

/** Every field may be left out. */
export interface IdentityProviderOptions {
  /** 0 (default): any free port. */
  readonly port?: number;
  /** Default 3600. */
  readonly idTokenSeconds?: number;
  /** Default 3600. */
  readonly accessTokenSeconds?: number;
  /** Default 90 days; counted anew at each rotation. */
  readonly refreshTokenSeconds?: number;
  /** Default: `demoUser`, demo / demo. */
  readonly users?: readonly SandboxUser[];
  /** Clients, public ones unless there is a secret. Default `sandbox-client`. */
  readonly clientIds?: readonly string[];
  /** Makes them confidential clients, with this secret in the token request (client_secret_post). Default none. */
  readonly clientSecret?: string;
  /** Ports of `http://localhost:PORT/callback`; `any`: every loopback port (RFC 8252 §7.3). Default [8400]. */
  readonly redirectPorts?: readonly number[] | 'any';
  /** Whether refresh answers carry an ID token. Default true. */
  readonly idTokenOnRefresh?: boolean;
  /** Whether each refresh gives a new refresh token and reuse of the old one ends the session. Default true. */
  readonly rotation?: boolean;
  /** How long a rotated refresh token still works. Default 0. */
  readonly rotationGraceSeconds?: number;
  /** `automatic`: the first user is signed in without a form. Default `form`. */
  readonly signIn?: 'form' | 'automatic';
  /** The shortest time between two polls of the device grant. Default 1. */
  readonly deviceIntervalSeconds?: number;
  /** Default 600. */
  readonly deviceCodeSeconds?: number;
  /**
   * `refused`: discovery names its endpoint, as real providers always do, but the clients may not use it;
   * `absent`: the provider does not know it. Default `offered`.
   */
  readonly deviceGrant?: DeviceGrantOffer;
}

/** An OpenID provider with the controls a test needs. */
export interface IdentityProvider {
  /** `http://127.0.0.1:PORT` */
  readonly issuer: string;
  readonly port: number;
  readonly clientId: string;
  readonly users: readonly SandboxUser[];
  /** Live numbers. */
  readonly counts: Readonly<ProviderCountValues>;
  /** Errors that were the provider's own (answers `server_error`); a test may assert that there are none. */
  readonly serverErrors: readonly unknown[];
  resetCounts(): void;
  /** @param fault absent: none any more. @param times how many requests; absent: until changed */
  setFault(endpoint: ProviderEndpoint | 'all', fault?: Fault, times?: number): void;
  clearFaults(): void;
  /** Makes the next ID tokens bad. @param kind absent: good again. @param times absent: until changed */
  setBadIdToken(kind?: BadIdToken, times?: number): void;
  setLifetimes(lifetimes: Partial<TokenLifetimes>): void;
  setRotation(rotation: boolean, graceSeconds?: number): void;
  setIdTokenOnRefresh(given: boolean): void;
  /** Awaited before a token request is processed; throwing answers 500. Returns the way to remove it. */
  onTokenRequest(hook: TokenRequestHook): () => void;
  /** Awaited while the answer to a token request is sent. Returns the way to remove it. */
  onTokenReply(hook: TokenReplyHook): () => void;
  /** What would come of a refresh with this token, without one. */
  refreshTokenState(token: string): RefreshTokenState;
  /** Every secret that was given out or came in so far. */
  secrets(): IssuedSecret[];
  /** Signs with a new key from now on; the old one is gone from the JWKS. */
  rotateKeys(): Promise<void>;
  /** The public keys, without a request. */
  jwks(): JSONWebKeySet;
  /** Signs with this provider's key, for tests that need a token of their own making. */
  signingKey(): SigningKey;
  /** As an administrator would: every session, grant and token is void. */
  revokeAll(): void;
  /** Refuses connections until `start`; sessions survive. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** `stop` and `start`. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

const day = 24 * 60 * 60;

export async function startIdentityProvider(
  options: IdentityProviderOptions = {},
): Promise<IdentityProvider> {
  const users = options.users ?? [demoUser];
  const clientIds = options.clientIds ?? ['sandbox-client'];
  const lifetimes: TokenLifetimes = {
    idTokenSeconds: options.idTokenSeconds ?? 3600,
    accessTokenSeconds: options.accessTokenSeconds ?? 3600,
    refreshTokenSeconds: options.refreshTokenSeconds ?? 90 * day,
  };
  let rotation = options.rotation ?? true;
  let graceMs = (options.rotationGraceSeconds ?? 0) * 1000;
  let key = await firstSigningKey;
  const serverErrors: unknown[] = [];
  const store = createProviderStore(() => graceMs);
  const front = createProviderFront({
    key: () => key,
    idTokenOnRefresh: options.idTokenOnRefresh ?? true,
    deviceIntervalSeconds: options.deviceIntervalSeconds ?? 1,
  });

  let handle: (request: IncomingMessage, response: ServerResponse) => unknown = () => undefined;
  const server = await openLoopbackServer((request, response) => handle(request, response), options.port);

  // The provider's keys are fixed at construction, so new keys mean a new provider over the same store.
  function build(): void {
    const provider = new Provider(
      server.origin,
      providerConfiguration({
        store,
        key,
        users,
        clientIds,
        clientSecret: options.clientSecret,
        redirectPorts: options.redirectPorts ?? [8400],
        lifetimes,
        rotation: () => rotation,
        deviceCodeSeconds: options.deviceCodeSeconds ?? 600,
        deviceGrant: options.deviceGrant ?? 'offered',
      }),
    );
    provider.on('server_error', (_ctx, error) => serverErrors.push(error));
    // Without a listener Koa prints each cut connection.
    provider.on('error', () => undefined);
    provider.use(front.middleware);
    provider.use(signInPages(provider, users, options.signIn ?? 'form'));
    handle = provider.callback();
  }
  build();

  return {
    issuer: server.origin,
    port: server.port,
    clientId: clientIds[0] ?? '',
    users,
    counts: front.counts.values,
    serverErrors,
    resetCounts: front.counts.reset,
    secrets: front.secrets.list,
    setFault: front.faults.set,
    clearFaults: front.faults.clear,
    setBadIdToken: (kind, times) => front.badIdTokens.set('idToken', kind, times),
    setLifetimes: (changed) => {
      Object.assign(lifetimes, changed);
    },
    setRotation(on, graceSeconds = 0) {
      rotation = on;
      graceMs = graceSeconds * 1000;
    },
    setIdTokenOnRefresh: (given) => {
      front.idTokenOnRefresh = given;
    },
    onTokenRequest(hook) {
      front.hooks.add(hook);
      return () => {
        front.hooks.delete(hook);
      };
    },
    onTokenReply(hook) {
      front.replyHooks.add(hook);
      return () => {
        front.replyHooks.delete(hook);
      };
    },
    refreshTokenState: store.refreshTokenState,
    async rotateKeys() {
      key = await createSigningKey();
      build();
    },
    jwks: () => ({ keys: [key.publicJwk] }),
    signingKey: () => key,
    revokeAll: store.clear,
    stop: server.stop,
    start: server.start,
    async restart() {
      await server.stop();
      await server.start();
    },
    close: server.stop,
  };
}
