import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JSONWebKeySet } from 'jose';
import type { Fault } from '../http/faults.ts';
import { openLoopbackServer } from '../http/loopback-server.ts';
import type { BadIdToken } from './bad-id-token.ts';
import { type DeviceGrantOffer, providerConfiguration, type TokenLifetimes } from './configuration.ts';
import type { ProviderCountValues } from './counts.ts';
import type { ProviderEndpoint } from './endpoints.ts';
import {
  createProviderFront,
  type ProviderFront,
  type TokenReplyHook,
  type TokenRequestHook,
} from './front.ts';
import type { IssuedSecret } from './issued-secrets.ts';
import { createProviderStore, type ProviderStore, type RefreshTokenState } from './memory-adapter.ts';
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

/** Settings of the provider at its start. All are optional. */
export interface SandboxProviderOptions {
  /** 0 (default): any free port. */
  readonly port?: number;
  /** Default 3600. */
  readonly idTokenSeconds?: number;
  /** Default 3600. */
  readonly accessTokenSeconds?: number;
  /** Default 90 days; starts again at each rotation. */
  readonly refreshTokenSeconds?: number;
  /** Default: `demoUser`, demo / demo. */
  readonly users?: readonly SandboxUser[];
  /** Clients, public ones unless `clientSecret` is set. Default `sandbox-client`. */
  readonly clientIds?: readonly string[];
  /** Makes the clients confidential, with this secret in the token request (client_secret_post). Default none. */
  readonly clientSecret?: string;
  /** Ports of `http://localhost:PORT/callback`; `any`: every loopback port (RFC 8252 §7.3). Default [8400]. */
  readonly redirectPorts?: readonly number[] | 'any';
  /** `true` (default): responses to a refresh contain an ID token. */
  readonly idTokenOnRefresh?: boolean;
  /** `true` (default): each refresh returns a new refresh token, and reuse of the old one ends the session. */
  readonly rotation?: boolean;
  /** Time in which a rotated refresh token still works. Default 0. */
  readonly rotationGraceSeconds?: number;
  /** `automatic`: the first user is signed in without a form. Default `form`. */
  readonly signIn?: 'form' | 'automatic';
  /** The shortest time between two polls of the device grant. Default 1. */
  readonly deviceIntervalSeconds?: number;
  /** Default 600. */
  readonly deviceCodeSeconds?: number;
  /**
   * `refused`: discovery lists the endpoint, as real providers always do, but clients cannot use the grant.
   * `absent`: the provider does not support the grant. Default `offered`.
   */
  readonly deviceGrant?: DeviceGrantOffer;
}

/** An OpenID provider with the controls a test needs. */
export interface SandboxProvider {
  /** `http://127.0.0.1:PORT` */
  readonly issuer: string;
  readonly port: number;
  readonly clientId: string;
  readonly users: readonly SandboxUser[];
  /** Request counts, updated while the provider runs. */
  readonly counts: Readonly<ProviderCountValues>;
  /** Errors of the provider itself (`server_error`); a test can assert that there are none. */
  readonly serverErrors: readonly unknown[];
  resetCounts(): void;
  /** @param fault absent: removes the fault. @param times number of requests; absent: until changed */
  setFault(endpoint: ProviderEndpoint | 'all', fault?: Fault, times?: number): void;
  clearFaults(): void;
  /** Spoils the next ID tokens. @param kind absent: good tokens again. @param times absent: until changed */
  setBadIdToken(kind?: BadIdToken, times?: number): void;
  setLifetimes(lifetimes: Partial<TokenLifetimes>): void;
  setRotation(rotation: boolean, graceSeconds?: number): void;
  setIdTokenOnRefresh(given: boolean): void;
  /** Awaits the hook before a token request is handled; a throw causes a 500. Returns a function that removes it. */
  onTokenRequest(hook: TokenRequestHook): () => void;
  /** Awaits the hook while the reply to a token request is sent. Returns a function that removes it. */
  onTokenReply(hook: TokenReplyHook): () => void;
  /** Returns the state of a refresh token without using it. */
  refreshTokenState(token: string): RefreshTokenState;
  /** Every secret issued or received so far. */
  secrets(): IssuedSecret[];
  /** Signs with a new key from now on, and removes the old one from the JWKS. */
  rotateKeys(): Promise<void>;
  /** Returns the public keys without a request. */
  jwks(): JSONWebKeySet;
  /** Returns the current signing key, for tests that sign tokens themselves. */
  signingKey(): SigningKey;
  /** Revokes every session, grant and token, like an administrator. */
  revokeAll(): void;
  /** Refuses connections until `start`; sessions survive. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** `stop` and `start`. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

const day = 24 * 60 * 60;

/** Settings that a test can change while the provider runs. */
interface ProviderSettings {
  key: SigningKey;
  readonly lifetimes: TokenLifetimes;
  rotation: boolean;
  graceMs: number;
}

/** Handles a request to the provider. */
type ProviderCallback = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Starts an OpenID provider on a loopback port. */
export async function startIdentityProvider(options: SandboxProviderOptions = {}): Promise<SandboxProvider> {
  const users = options.users ?? [demoUser];
  const clientIds = options.clientIds ?? ['sandbox-client'];
  const lifetimes: TokenLifetimes = {
    idTokenSeconds: options.idTokenSeconds ?? 3600,
    accessTokenSeconds: options.accessTokenSeconds ?? 3600,
    refreshTokenSeconds: options.refreshTokenSeconds ?? 90 * day,
  };
  const settings: ProviderSettings = {
    key: await firstSigningKey,
    lifetimes,
    rotation: options.rotation ?? true,
    graceMs: (options.rotationGraceSeconds ?? 0) * 1000,
  };
  const serverErrors: unknown[] = [];
  const store = createProviderStore(() => settings.graceMs);
  const front = createProviderFront({
    key: () => settings.key,
    idTokenOnRefresh: options.idTokenOnRefresh ?? true,
    deviceIntervalSeconds: options.deviceIntervalSeconds ?? 1,
  });

  let handle: ProviderCallback = () => undefined;
  const server = await openLoopbackServer((request, response) => handle(request, response), options.port);

  function build(): void {
    handle = createProviderCallback({
      issuer: server.origin,
      options,
      users,
      clientIds,
      settings,
      store,
      front,
      serverErrors,
    });
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
      settings.rotation = on;
      settings.graceMs = graceSeconds * 1000;
    },
    setIdTokenOnRefresh: (given) => {
      front.idTokenOnRefresh = given;
    },
    onTokenRequest: (hook) => addHook(front.hooks, hook),
    onTokenReply: (hook) => addHook(front.replyHooks, hook),
    refreshTokenState: store.refreshTokenState,
    async rotateKeys() {
      settings.key = await createSigningKey();
      build();
    },
    jwks: () => ({ keys: [settings.key.publicJwk] }),
    signingKey: () => settings.key,
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

/** Adds a hook. Returns a function that removes it. */
function addHook<Hook>(hooks: Set<Hook>, hook: Hook): () => void {
  hooks.add(hook);
  return () => {
    hooks.delete(hook);
  };
}

/** Creates the provider over its store. Its keys are fixed at construction: new keys need a new provider. */
function createProviderCallback(parts: {
  readonly issuer: string;
  readonly options: SandboxProviderOptions;
  readonly users: readonly SandboxUser[];
  readonly clientIds: readonly string[];
  readonly settings: ProviderSettings;
  readonly store: ProviderStore;
  readonly front: ProviderFront;
  /** Receives the provider's own errors. */
  readonly serverErrors: unknown[];
}): ProviderCallback {
  const { issuer, options, users, clientIds, settings, store, front, serverErrors } = parts;
  const provider = new Provider(
    issuer,
    providerConfiguration({
      store,
      key: settings.key,
      users,
      clientIds,
      clientSecret: options.clientSecret,
      redirectPorts: options.redirectPorts ?? [8400],
      lifetimes: settings.lifetimes,
      rotation: () => settings.rotation,
      deviceCodeSeconds: options.deviceCodeSeconds ?? 600,
      deviceGrant: options.deviceGrant ?? 'offered',
    }),
  );
  provider.on('server_error', (_ctx, error) => serverErrors.push(error));
  // Without a listener Koa prints each cut connection.
  provider.on('error', () => undefined);
  provider.use(front.middleware);
  provider.use(signInPages(provider, users, options.signIn ?? 'form'));
  return provider.callback();
}
