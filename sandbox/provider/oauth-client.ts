import { createHash, randomBytes } from 'node:crypto';
import { type SignInAnswers, signInOverHttp } from '../browser/browserless.ts';
import { deviceGrantType } from './endpoints.ts';

/** The provider a request goes to; a `SandboxProvider` is one. */
export interface ProviderAddress {
  readonly issuer: string;
  readonly clientId: string;
}

/** The token endpoint's answer (RFC 6749 §5.1). */
export interface TokenAnswer {
  readonly access_token: string;
  readonly expires_in: number;
  readonly id_token?: string;
  readonly refresh_token?: string;
  readonly scope?: string;
}

/** Any response of the provider, error responses included (RFC 6749 §5.2). */
export interface ProviderAnswer {
  readonly status: number;
  readonly body: Partial<TokenAnswer> & {
    readonly error?: string;
    readonly error_description?: string;
    readonly [name: string]: unknown;
  };
}

export interface AuthorizationRequest {
  /** With code, PKCE challenge (S256), state and nonce. */
  readonly url: URL;
  readonly verifier: string;
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
}

const defaultScope = 'openid profile email offline_access';

/** Creates a correct authorization request. @param changes parameters to set, or to omit (null) */
export function authorizationRequest(
  provider: ProviderAddress,
  changes: Readonly<Record<string, string | null>> = {},
): AuthorizationRequest {
  const verifier = randomBytes(32).toString('base64url');
  const parameters: Record<string, string | null> = {
    client_id: provider.clientId,
    response_type: 'code',
    redirect_uri: 'http://localhost:8400/callback',
    scope: defaultScope,
    state: randomBytes(8).toString('hex'),
    nonce: randomBytes(8).toString('hex'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...changes,
  };
  const url = new URL('/authorize', provider.issuer);
  for (const [name, value] of Object.entries(parameters))
    if (value !== null) url.searchParams.set(name, value);
  const { redirect_uri: redirectUri, state, nonce } = parameters;
  return { url, verifier, redirectUri: redirectUri ?? '', state: state ?? '', nonce: nonce ?? '' };
}

/** Signs a user in and returns the tokens, without a client library. @throws if the sign-in is refused */
export async function obtainTokens(
  provider: ProviderAddress,
  answers: SignInAnswers = {},
  changes: Readonly<Record<string, string | null>> = {},
): Promise<TokenAnswer> {
  const request = authorizationRequest(provider, changes);
  const { callbackUrl, body } = await signInOverHttp(request.url, answers, { callback: false });
  const code = callbackUrl && new URL(callbackUrl).searchParams.get('code');
  if (!code) throw new Error(`the sign-in gave no code: ${callbackUrl ?? body}`);
  return expectTokens(await exchangeCode(provider, request, code));
}

/** RFC 6749 §4.1.3 with RFC 7636 §4.5. */
export function exchangeCode(
  provider: ProviderAddress,
  request: AuthorizationRequest,
  code: string,
): Promise<ProviderAnswer> {
  return post(provider, '/token', {
    grant_type: 'authorization_code',
    code,
    redirect_uri: request.redirectUri,
    code_verifier: request.verifier,
  });
}

/** RFC 6749 §6. */
export function refreshTokens(
  provider: ProviderAddress,
  refreshToken: string | undefined,
): Promise<ProviderAnswer> {
  return post(provider, '/token', { grant_type: 'refresh_token', refresh_token: refreshToken ?? '' });
}

/** RFC 7009. */
export function revokeToken(provider: ProviderAddress, token: string | undefined): Promise<ProviderAnswer> {
  return post(provider, '/revoke', { token: token ?? '' });
}

/** The PKCE secret of this client's sign-ins by code (RFC 7636 §4.1). */
const deviceVerifier = randomBytes(32).toString('base64url');

/** RFC 8628 §3.1, with PKCE. */
export function startDevice(
  provider: ProviderAddress,
  pkce: Readonly<Record<string, string>> = {
    code_challenge: createHash('sha256').update(deviceVerifier).digest('base64url'),
    code_challenge_method: 'S256',
  },
): Promise<ProviderAnswer> {
  return post(provider, '/device_authorization', { scope: defaultScope, ...pkce });
}

/** RFC 8628 §3.4. */
export function pollDevice(
  provider: ProviderAddress,
  deviceCode: unknown,
  codeVerifier = deviceVerifier,
): Promise<ProviderAnswer> {
  return post(provider, '/token', {
    grant_type: deviceGrantType,
    device_code: String(deviceCode),
    code_verifier: codeVerifier,
  });
}

/** @throws if the response is an error */
export function expectTokens(answer: ProviderAnswer): TokenAnswer {
  if (typeof answer.body.access_token === 'string') return answer.body as TokenAnswer;
  throw new Error(`no tokens but status ${answer.status}: ${JSON.stringify(answer.body)}`);
}

async function post(
  provider: ProviderAddress,
  path: string,
  form: Readonly<Record<string, string>>,
): Promise<ProviderAnswer> {
  const response = await fetch(new URL(path, provider.issuer), {
    method: 'POST',
    body: new URLSearchParams({ client_id: provider.clientId, ...form }),
    signal: AbortSignal.timeout(15_000),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
}
