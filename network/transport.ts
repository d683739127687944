/**
 * The way to the network: a `fetch` with the proxies and certificate authorities this machine uses. The one file
 * that imports undici: Node's own fetch takes no proxy on every version that is supported.
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
  /** Files of certificate authorities that are trusted beside Node's own. */
  readonly certificates: string[];
};

/** Bounds of every call, in milliseconds and bytes. */
export type TransportLimits = {
  readonly connectMs: number;
  /** The whole call, whatever else would end it. */
  readonly callMs: number;
  readonly keepAliveMs: number;
  readonly maxReplyBytes: number;
};

/** Where Linux distributions keep the certificates the machine trusts, and macOS those of its command line. */
const SYSTEM_CERTIFICATES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
] as const;

/** The user's own machine is never behind the proxy. */
const NEVER_PROXIED = 'localhost,127.0.0.1,[::1]';

/**
 * Libraries that speak in these classes would load Node's own copy of the same library beside this one, 10 MB of
 * memory for nothing.
 */
export function shareFetchClasses(): void {
  const { FormData, Headers, Request, Response } = undici;
  Object.assign(globalThis, { FormData, Headers, Request, Response });
}

/**
 * @param onUnusable told what was thrown by a file of certificates that holds none; then only Node's own count.
 * @throws CcwbError ERR_CONFIG_INVALID when NODE_EXTRA_CA_CERTS names a file that cannot be read.
 */
export function createTransport(
  settings: NetworkSettings,
  limits: TransportLimits,
  onUnusable: (thrown: unknown) => void,
): Transport {
  const certificates = certificateFiles(settings);
  const dispatcher = createDispatcher(settings, limits, trusting(certificates, onUnusable));
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
  const connect = { timeout: connectMs, ...(secureContext ? { secureContext } : {}) };
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

/** The files that exist of those named; a named one that is missing is an error, since TLS would fail without a reason. */
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

/** Node's own authorities and those of the files, parsed once for all connections. */
function trusting(
  files: readonly string[],
  onUnusable: (thrown: unknown) => void,
): tls.SecureContext | undefined {
  try {
    return tls.createSecureContext({
      ca: [...tls.rootCertificates, ...keychain(), ...files.map((path) => readFileSync(path))],
    });
  } catch (error) {
    // One file that is no certificate must not take the others' trust away.
    onUnusable(error);
    return undefined;
  }
}

/** What macOS trusts, from its keychain, where this Node.js can tell (22.15 and later); elsewhere it is a file. */
function keychain(): readonly string[] {
  if (process.platform !== 'darwin' || !('getCACertificates' in tls)) return [];
  return (tls.getCACertificates as (type: 'system') => string[])('system');
}
