import { randomBytes } from 'node:crypto';
import type { KoaContext } from 'oidc-provider';
import { deviceGrantType, routes } from './endpoints.ts';
import type { ProviderStore } from './memory-adapter.ts';
import { deviceCodePage, deviceConfirmPage, messagePage } from './pages.ts';
import { show } from './sign-in.ts';
import type { SigningKey } from './signing-keys.ts';
import type { SandboxUser } from './users.ts';

/** Seconds. Read at each issue, so they can change while the provider runs. */
export interface TokenLifetimes {
  idTokenSeconds: number;
  accessTokenSeconds: number;
  refreshTokenSeconds: number;
}

/** Support of the device authorization grant (RFC 8628), for the provider and its clients. */
export type DeviceGrantOffer = 'offered' | 'refused' | 'absent';

export interface ConfigurationInput {
  readonly store: ProviderStore;
  readonly key: SigningKey;
  readonly users: readonly SandboxUser[];
  readonly clientIds: readonly string[];
  readonly clientSecret: string | undefined;
  readonly redirectPorts: readonly number[] | 'any';
  readonly lifetimes: TokenLifetimes;
  readonly rotation: () => boolean;
  readonly deviceCodeSeconds: number;
  readonly deviceGrant: DeviceGrantOffer;
}

const day = 24 * 60 * 60;
const cookieKeys = [randomBytes(32).toString('hex')];

/** Returns oidc-provider's configuration: a strict, current provider for a company's own public clients. */
export function providerConfiguration(input: ConfigurationInput): Record<string, unknown> {
  const { lifetimes } = input;
  return {
    adapter: (model: string) => input.store.adapter(model),
    jwks: { keys: [input.key.privateJwk] },
    clients: input.clientIds.map((clientId) => client(clientId, input)),
    claims: claimsByScope(input.users),
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    // Most workforce providers put the profile into the ID token, not only behind /userinfo.
    conformIdTokenClaims: false,
    clockTolerance: 0,
    cookies: { keys: cookieKeys },
    routes,
    pkce: { required: () => true },
    rotateRefreshToken: () => input.rotation(),
    findAccount: (_ctx: KoaContext, sub: string) => {
      const user = input.users.find((candidate) => candidate.sub === sub);
      return user && { accountId: sub, claims: async () => ({ sub, ...user.claims }) };
    },
    // No reuse of the browser session's earlier grant: each sign-in has its own token family.
    loadExistingGrant: async (ctx: KoaContext) => {
      const grantId = ctx.oidc.result?.consent?.grantId;
      return grantId === undefined ? undefined : ctx.oidc.provider.Grant.find(grantId);
    },
    interactions: { url: (_ctx: KoaContext, { uid }: { uid: string }) => `/interaction/${uid}` },
    ttl: {
      AccessToken: () => lifetimes.accessTokenSeconds,
      AuthorizationCode: () => 60,
      DeviceCode: () => input.deviceCodeSeconds,
      Grant: () => Math.max(14 * day, lifetimes.refreshTokenSeconds),
      IdToken: () => lifetimes.idTokenSeconds,
      Interaction: () => 3600,
      RefreshToken: () => lifetimes.refreshTokenSeconds,
      Session: () => day,
    },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx: KoaContext, asking: { clientId: string }, token: { clientId: string }) =>
          asking.clientId === token.clientId,
      },
      deviceFlow: { enabled: input.deviceGrant !== 'absent', ...devicePages },
    },
    renderError: (ctx: KoaContext, out: Record<string, string>) => {
      const details = Object.entries(out).map(([name, value]) => `${name}: ${value}`);
      show(
        ctx,
        ctx.status,
        messagePage('This did not work', 'The identity provider refused the request.', details),
      );
    },
  };
}

function client(
  clientId: string,
  { redirectPorts, deviceGrant, clientSecret }: ConfigurationInput,
): Record<string, unknown> {
  const hosts = ['localhost', '127.0.0.1'];
  const ports = redirectPorts === 'any' ? [80] : redirectPorts;
  return {
    client_id: clientId,
    client_name: clientId,
    // `native` clients may use any loopback port (RFC 8252 §7.3); others only the registered URIs, exactly.
    application_type: redirectPorts === 'any' ? 'native' : 'web',
    ...(clientSecret === undefined
      ? { token_endpoint_auth_method: 'none' }
      : { token_endpoint_auth_method: 'client_secret_post', client_secret: clientSecret }),
    redirect_uris: hosts.flatMap((host) => ports.map((port) => `http://${host}:${port}/callback`)),
    response_types: ['code'],
    grant_types: [
      'authorization_code',
      'refresh_token',
      ...(deviceGrant === 'offered' ? [deviceGrantType] : []),
    ],
    id_token_signed_response_alg: 'RS256',
  };
}

function claimsByScope(users: readonly SandboxUser[]): Record<string, string[]> {
  const email = ['email', 'email_verified'];
  const profile = ['name', 'preferred_username'];
  const own = new Set(users.flatMap((user) => Object.keys(user.claims)));
  for (const standard of [...email, ...profile]) own.delete(standard);
  return { openid: ['sub', ...own], email, profile };
}

const devicePages = {
  userCodeInputSource(
    ctx: KoaContext,
    _form: string,
    out?: unknown,
    error?: { userCode?: string; name: string },
  ) {
    const view = { action: ctx.oidc.urlFor('code_verification'), xsrf: ctx.oidc.session.state.secret };
    if (error?.name === 'AbortedError') {
      return show(
        ctx,
        200,
        messagePage('Denied', 'The device does not get access. You can close this page.'),
      );
    }
    const text = error?.name === 'NoCodeError' ? 'Enter a code.' : 'That code is wrong, used or too old.';
    show(
      ctx,
      200,
      deviceCodePage({
        ...view,
        ...(error?.userCode === undefined ? {} : { userCode: error.userCode }),
        ...(out === undefined ? {} : { error: text }),
      }),
    );
  },
  userCodeConfirmSource(
    ctx: KoaContext,
    _form: string,
    asking: { clientId: string },
    _info: unknown,
    code: string,
  ) {
    const view = { action: ctx.oidc.urlFor('code_verification'), xsrf: ctx.oidc.session.state.secret };
    show(ctx, 200, deviceConfirmPage({ ...view, userCode: code, clientId: asking.clientId }));
  },
  successSource(ctx: KoaContext) {
    show(ctx, 200, messagePage('You are signed in', 'Go back to your terminal. You can close this page.'));
  },
};
