import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TrustedIssuer, verifyWebIdentity } from './aws/web-identity.ts';
import { openLoopbackServer, readBody } from './http/loopback-server.ts';

export interface OtlpCollectorOptions {
  /** A server's key and certificate, as paths. Absent: plain http. */
  readonly tls?: { readonly key: string; readonly certificate: string };
  /** The load balancer in front accepts ID tokens of these issuers for this audience. Absent: it checks nothing. */
  readonly trust?: { readonly issuers: readonly TrustedIssuer[]; readonly audience: string };
}

/** A request that arrived. */
export interface OtlpExport {
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** The OTLP/HTTP receiver of an OpenTelemetry collector behind a load balancer that may check ID tokens. */
export interface OtlpCollector {
  /** Its host is `localhost`, the name in its certificate. */
  readonly url: string;
  readonly exports: readonly OtlpExport[];
  close(): Promise<void>;
}

const signals = ['/v1/metrics', '/v1/logs', '/v1/traces'];
const contentType = 'application/x-protobuf';

/** Replies to any export as OTLP/HTTP specifies. The empty protobuf message of a success has no bytes. */
export async function startOtlpCollector(options: OtlpCollectorOptions = {}): Promise<OtlpCollector> {
  const exports: OtlpExport[] = [];

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await readBody(request);
    const status = await statusOf(request, options.trust);
    exports.push({ path: request.url ?? '', status, headers: request.headers });
    response.writeHead(status, status === 200 ? { 'content-type': contentType } : {});
    response.end();
  }

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response).catch(() => request.socket.destroy());
  };
  if (options.tls === undefined) {
    const server = await openLoopbackServer(answer);
    return { url: `http://localhost:${server.port}`, exports, close: server.stop };
  }
  const { key, certificate } = options.tls;
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `https://localhost:${port}`, exports, close: () => closed(server) };
}

async function statusOf(
  { method, url, headers }: IncomingMessage,
  trust: OtlpCollectorOptions['trust'],
): Promise<number> {
  if (trust !== undefined) {
    const [, token] = /^Bearer (\S+)$/.exec(headers.authorization ?? '') ?? [];
    if (token === undefined) return 401;
    const verdict = await verifyWebIdentity(token, { ...trust, nowMs: Date.now() });
    if (!verdict.ok) return 401;
  }
  if (!signals.includes(url ?? '')) return 404;
  if (method !== 'POST') return 405;
  return headers['content-type'] === contentType ? 200 : 415;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
