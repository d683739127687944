/**
 * The way out: every call to the provider and to AWS goes through the one `fetch` made here, with the
 * proxies and certificate authorities this machine uses. The one file that imports undici: Node's own
 * fetch takes no proxy on every version that is supported.
 */
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import * as undici from 'undici';
import type { NetworkStatus } from '../protocol/api.ts';
import { CcwbError } from '../protocol/errors.ts';
import { maskProxy, type NetworkSettings, proxyUrl } from '../protocol/network-settings.ts';
import type { Fetch } from './edges.ts';
import { causeOf, type Log } from './log.ts';
import { TIMING } from './timing.ts';

export type Network = { fetch: Fetch; status(): NetworkStatus };

// openid-client speaks in these classes. With Node's own it would load Node's own copy of the same library
// beside this one, 10 MB of memory for nothing.
const { FormData, Headers, Request, Response } = undici;
Object.assign(globalThis, { FormData, Headers, Request, Response });

/** Where Linux distributions keep the certificates the machine trusts, and macOS those of its command line. */
const SYSTEM_CERTIFICATES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
] as const;

/** The user's own machine is never behind the proxy. */
const NEVER_PROXIED = 'localhost,127.0.0.1,[::1]';

/** More than any reply of a provider or of AWS to us. */
const MAX_REPLY_BYTES = 2_000_000;

type WayOut = { dispatcher: undici.Dispatcher; status: NetworkStatus };

/**
 * @param readSettings called until it gives settings: what is wrong with them is told to whoever needs the
 *   network, and is over once they are corrected.
 * @param onReply told the moment a reply says it was made, in milliseconds since the epoch; NaN when it does not.
 */
export function openNetwork(
  readSettings: () => NetworkSettings,
  log: Log,
  onReply: (repliedAt: number) => void,
): Network {
  let opened: WayOut | undefined;
  const wayOut = (): WayOut => {
    opened ??= open(readSettings(), log);
    return opened;
  };

  const through = async (input: string | URL, init?: RequestInit): Promise<Response> => {
    const { dispatcher } = wayOut();
    const response = await undici.fetch(input, {
      ...(init as Parameters<typeof undici.fetch>[1]),
      signal: init?.signal ?? AbortSignal.timeout(TIMING.callMs),
      dispatcher,
    });
    // RFC 9111 5.1: a reply from a cache is older than it says by its Age.
    const ageMs = Number(response.headers.get('age') ?? 0) * 1000;
    onReply(Date.parse(response.headers.get('date') ?? '') + ageMs);
    return response as unknown as Response;
  };

  return {
    fetch: through as Fetch,
    status: () => {
      try {
        return wayOut().status;
      } catch {
        // The calls that cannot be made tell why.
        return { proxy: null, certificates: [] };
      }
    },
  };
}

function open(settings: NetworkSettings, log: Log): WayOut {
  const proxy = settings.HTTPS_PROXY ?? settings.HTTP_PROXY;
  const files = certificateFiles(settings);
  const secureContext = trusting(files, log);
  const connect = { timeout: TIMING.connectMs, ...(secureContext ? { secureContext } : {}) };
  const options = {
    headersTimeout: TIMING.callMs,
    bodyTimeout: TIMING.callMs,
    maxResponseSize: MAX_REPLY_BYTES,
    keepAliveTimeout: TIMING.keepAliveMs,
    keepAliveMaxTimeout: TIMING.keepAliveMs,
    connect,
  };
  const status = { proxy: proxy === undefined ? null : maskProxy(proxy), certificates: files };
  if (proxy === undefined) return { dispatcher: new undici.Agent(options), status };
  const address = (value: string | undefined): string => (value ? (proxyUrl(value)?.href ?? '') : '');
  const dispatcher = new undici.EnvHttpProxyAgent({
    ...options,
    requestTls: connect,
    proxyTls: connect,
    httpProxy: address(settings.HTTP_PROXY),
    httpsProxy: address(settings.HTTPS_PROXY),
    noProxy: [settings.NO_PROXY, NEVER_PROXIED].filter(Boolean).join(','),
  });
  return { dispatcher, status };
}

/** The files that exist of those named; a named one that is missing is an error, since TLS would fail without a reason. */
function certificateFiles({ NODE_EXTRA_CA_CERTS: extra }: NetworkSettings): string[] {
  const system = SYSTEM_CERTIFICATES.find((path) => readable(path));
  if (extra && !readable(extra)) {
    throw new CcwbError(
      'ERR_CONFIG_INVALID',
      `NODE_EXTRA_CA_CERTS names ${extra}, which cannot be read`,
      'correct it in network.json beside config.json, or in the environment the daemon is started from',
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
function trusting(files: readonly string[], log: Log): tls.SecureContext | undefined {
  try {
    return tls.createSecureContext({
      ca: [...tls.rootCertificates, ...keychain(), ...files.map((path) => readFileSync(path))],
    });
  } catch (error) {
    // One file that is no certificate must not take the others' trust away.
    log('error', 'certificates not usable', { cause: causeOf(error) });
    return undefined;
  }
}

/** What macOS trusts, from its keychain, where this Node.js can tell (22.15 and later); elsewhere it is a file. */
function keychain(): readonly string[] {
  if (process.platform !== 'darwin' || !('getCACertificates' in tls)) return [];
  return (tls.getCACertificates as (type: 'system') => string[])('system');
}

/** Faults of a connection that was never made: the request has not left this machine. */
const NEVER_SENT = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** True when a failed request certainly did not reach the other side. */
export function neverSent(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ('code' in error && typeof error.code === 'string' && NEVER_SENT.has(error.code)) return true;
    // Several addresses were tried: all of them have to have failed so.
    if (error instanceof AggregateError) return error.errors.every(neverSent);
  }
  return false;
}
