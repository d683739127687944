/**
 * A `fetch` with the proxies and certificate authorities of this machine. It uses undici, because Node's own
 * fetch does not support proxies in every supported version.
 */
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import * as undici from 'undici';
import { maskProxy, type NetworkSettings, proxyUrl } from '../common/network-settings.ts';
import { CcwbError } from '../protocol/errors.ts';

export type Fetch = typeof globalThis.fetch;

export type Transport = {
  readonly fetch: Fetch;
  /** The proxy, without user and password, or null. */
  readonly proxy: string | null;
  /** Files of certificate authorities that are trusted in addition to Node's own. */
  readonly certificates: string[];
};

/** Limits of every call, in milliseconds and bytes. */
export type TransportLimits = {
  readonly connectMs: number;
  /** Limit of the whole call, unless it has its own signal. */
  readonly callMs: number;
  readonly keepAliveMs: number;
  readonly maxReplyBytes: number;
};

/** Files with the trusted certificates of Linux distributions, and of macOS for command lines. */
const SYSTEM_CERTIFICATES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
] as const;

/** Hosts of the user's own machine, which are never reached through a proxy. */
const NEVER_PROXIED = 'localhost,127.0.0.1,[::1]';

/**
 * Makes undici's fetch classes the global ones. Otherwise libraries that use them load Node's own copy too, which
 * costs 10 MB of memory.
 */
export function shareFetchClasses(): void {
  const { FormData, Headers, Request, Response } = undici;
  Object.assign(globalThis, { FormData, Headers, Request, Response });
}

/**
 * @param onUnusable gets the error of a file without certificates; then only Node's own are trusted.
 * @throws CcwbError ERR_CONFIG_INVALID when NODE_EXTRA_CA_CERTS names a file that cannot be read.
 */
export function createTransport(
  settings: NetworkSettings,
  limits: TransportLimits,
  onUnusable: (thrown: unknown) => void,
): Transport {
  const certificates = certificateFiles(settings);
  const dispatcher = createDispatcher(settings, limits, createTrust(certificates, onUnusable));
  const proxy = settings.HTTPS_PROXY ?? settings.HTTP_PROXY;
  const through = (input: string | URL, init?: RequestInit): Promise<unknown> =>
    undici.fetch(input, {
      ...(init as Parameters<typeof undici.fetch>[1]),
      signal: init?.signal ?? AbortSignal.timeout(limits.callMs),
      dispatcher,
    });
  return {
    fetch: through as Fetch,
    proxy: proxy === undefined ? null : maskProxy(proxy),
    certificates,
  };
}

function createDispatcher(
  { HTTPS_PROXY, HTTP_PROXY, NO_PROXY }: NetworkSettings,
  { connectMs, callMs, keepAliveMs, maxReplyBytes }: TransportLimits,
  secureContext: tls.SecureContext | undefined,
): undici.Dispatcher {
  // Stated, because NODE_TLS_REJECT_UNAUTHORIZED=0 would switch the check off by default.
  const connect = {
    timeout: connectMs,
    rejectUnauthorized: true,
    ...(secureContext ? { secureContext } : {}),
  };
  const options = {
    headersTimeout: callMs,
    bodyTimeout: callMs,
    maxResponseSize: maxReplyBytes,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    connect,
  };
  if (HTTPS_PROXY === undefined && HTTP_PROXY === undefined) return new undici.Agent(options);
  const address = (value: string | undefined): string => (value ? (proxyUrl(value)?.href ?? '') : '');
  return new undici.EnvHttpProxyAgent({
    ...options,
    requestTls: connect,
    proxyTls: connect,
    httpProxy: address(HTTP_PROXY),
    httpsProxy: address(HTTPS_PROXY),
    noProxy: [NO_PROXY, NEVER_PROXIED].filter(Boolean).join(','),
  });
}

/** Returns the existing certificate files. A missing NODE_EXTRA_CA_CERTS throws, since TLS errors would not name it. */
function certificateFiles({ NODE_EXTRA_CA_CERTS: extra }: NetworkSettings): string[] {
  const system = SYSTEM_CERTIFICATES.find((path) => readable(path));
  if (extra && !readable(extra)) {
    throw new CcwbError(
      'ERR_CONFIG_INVALID',
      `NODE_EXTRA_CA_CERTS names ${extra}, which cannot be read`,
      'correct it in network.json beside config.json, or in the environment of the program',
    );
  }
  return [...(system ? [system] : []), ...(extra ? [extra] : [])];
}

function readable(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Creates the context with Node's own authorities and those of the files, parsed once for all connections. */
function createTrust(
  files: readonly string[],
  onUnusable: (thrown: unknown) => void,
): tls.SecureContext | undefined {
  try {
    return tls.createSecureContext({
      ca: [...tls.rootCertificates, ...keychainCertificates(), ...files.map((path) => readFileSync(path))],
    });
  } catch (error) {
    // A file that cannot be parsed must not disable Node's own authorities.
    onUnusable(error);
    return undefined;
  }
}

/** Returns the certificates of the macOS keychain, with Node.js 22.15 and later; none on other systems. */
function keychainCertificates(): readonly string[] {
  if (process.platform !== 'darwin' || !('getCACertificates' in tls)) return [];
  return (tls.getCACertificates as (type: 'system') => string[])('system');
}
