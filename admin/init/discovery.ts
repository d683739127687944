/**
 * The provider's discovery document (OpenID Connect Discovery 1.0), read as strictly as the users' daemon reads
 * it: what passes here works there.
 */
import { CcwbError } from '../../protocol/errors.ts';
import { isObject } from '../../protocol/json.ts';
import { formatValue } from '../../protocol/profile-reader.ts';
import { oneLine } from '../terminal/text.ts';

/** The part of a provider's metadata that the wizard needs. */
export type ProviderMetadata = {
  readonly issuer: string;
  readonly jwksUri: string;
  /** Support of PKCE with S256; undefined when not stated, as with some providers that have it. */
  readonly pkce: boolean | undefined;
  /** True when a scope or a grant for refresh tokens is stated. */
  readonly refreshTokens: boolean;
  /** True when people can sign in with a code on another device (RFC 8628). */
  readonly deviceGrant: boolean;
  /** True when ID tokens can be signed with RS256, which load balancers require. */
  readonly rs256: boolean;
};

/** Limit for the request, in milliseconds: a person waits for it. */
export const DISCOVERY_MS = 10_000;
/** Documents have some 5 kB. */
export const DISCOVERY_BYTES = 500_000;

const ENDPOINTS = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const;
const LOOPBACK = ['127.0.0.1', '[::1]', 'localhost'];

/** Tells whether an issuer is on this machine, which AWS cannot reach; allowed for trying the wizard. */
export function isLoopback(issuer: string): boolean {
  return URL.canParse(issuer) && LOOPBACK.includes(new URL(issuer).hostname);
}

/** Address of the document, Discovery 4: a final slash of the issuer goes before the path is added. */
export function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/**
 * Fetches and checks the discovery document.
 *
 * @param interrupted ends the wait.
 * @throws CcwbError ERR_PROVIDER_UNREACHABLE when nothing answers; ERR_PROVIDER_INVALID with what is wrong.
 */
export async function discover(
  issuer: string,
  fetch: typeof globalThis.fetch,
  interrupted: AbortSignal,
): Promise<ProviderMetadata> {
  const url = discoveryUrl(issuer);
  const text = await read(url, fetch, interrupted);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // Text that is not JSON is reported below.
  }
  if (!isObject(document)) {
    throw invalid(
      `${url} does not answer with a JSON document`,
      'a proxy or a sign-in page of the network may answer in its place; correct the domain, or open that address in a browser',
    );
  }
  return checked(document, issuer, url);
}

async function read(url: string, fetch: typeof globalThis.fetch, interrupted: AbortSignal): Promise<string> {
  const { host } = new URL(url);
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(DISCOVERY_MS)]);
  let response: Response;
  let text: string;
  try {
    // Redirects are refused, as in the daemon: the document must be at the address of the issuer.
    response = await fetch(url, { signal, redirect: 'manual', headers: { accept: 'application/json' } });
    text = await bodyOf(response);
  } catch (cause) {
    if (cause instanceof CcwbError) throw cause;
    throw new CcwbError(
      'ERR_PROVIDER_UNREACHABLE',
      `${host} did not answer (${reasonOf(cause)})`,
      'correct the domain, or see whether this machine reaches it; behind a proxy set HTTPS_PROXY',
      { cause },
    );
  }
  if (response.status >= 300 && response.status < 400) {
    const place = oneLine(response.headers.get('location') ?? 'nowhere');
    throw invalid(`${url} leads on to ${place}`, 'give the issuer that it leads to');
  }
  if (response.status === 200) return text;
  throw response.status >= 500 || response.status === 429
    ? new CcwbError(
        'ERR_PROVIDER_UNREACHABLE',
        `${url} answers with status ${response.status}`,
        'try again later',
      )
    : invalid(
        `${url} answers with status ${response.status}: there is no OpenID provider at that address`,
        'correct the domain, the authorization server, the tenant or the pool',
      );
}

async function bodyOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > DISCOVERY_BYTES) {
      throw invalid('the provider answers with more than a discovery document', 'correct the domain');
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function checked(document: Record<string, unknown>, issuer: string, url: string): ProviderMetadata {
  // Discovery 4.3: the two must be identical, for tokens carry what stands there.
  if (document.issuer !== issuer) {
    throw invalid(
      `${url} is for the issuer ${formatValue(document.issuer)}, not ${formatValue(issuer)}; the two must be the same to the letter`,
      typeof document.issuer === 'string' && /^https?:/.test(document.issuer)
        ? `give ${oneLine(document.issuer)} if that is the one you mean`
        : 'give the issuer as the provider states it',
    );
  }
  for (const endpoint of ENDPOINTS) {
    const address = document[endpoint];
    if (typeof address === 'string' && isSecure(address)) continue;
    throw invalid(
      `${url} has ${address === undefined ? 'no' : `${formatValue(address)} as`} ${endpoint}; allowed: an https URL`,
      'have the provider corrected: nobody could sign in through it',
    );
  }
  const says = (field: string, word: string): boolean | undefined => {
    const list = document[field];
    return Array.isArray(list) ? list.includes(word) : undefined;
  };
  // REQUIRED by Discovery 3, so an absent field means no support.
  if (says('response_types_supported', 'code') !== true) {
    throw invalid(
      `${url} does not offer the response type code: people sign in by authorization code`,
      'allow the authorization code flow at the provider',
    );
  }
  // OPTIONAL by RFC 8414, and left out by some providers that have it.
  const pkce = says('code_challenge_methods_supported', 'S256');
  if (pkce === false) {
    throw invalid(
      `${url} does not offer PKCE with S256, which protects the sign-in of programs without a secret`,
      'allow PKCE with S256 at the provider',
    );
  }
  return {
    issuer,
    jwksUri: String(document.jwks_uri),
    pkce,
    refreshTokens:
      says('scopes_supported', 'offline_access') === true ||
      says('grant_types_supported', 'refresh_token') === true,
    deviceGrant: typeof document.device_authorization_endpoint === 'string',
    rs256: says('id_token_signing_alg_values_supported', 'RS256') !== false,
  };
}

function isSecure(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.includes(hostname));
}

function invalid(message: string, fix: string): CcwbError {
  return new CcwbError('ERR_PROVIDER_INVALID', message, fix);
}

/** Returns the code of a network error, which is in the cause of the error of fetch. */
function reasonOf(thrown: unknown): string {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ('code' in error && typeof error.code === 'string') return error.code;
    if (error.name === 'TimeoutError') return `not within ${DISCOVERY_MS / 1000} s`;
    if (error.name === 'AbortError') return 'interrupted';
  }
  return 'no connection';
}
