import { createServer, type Server } from 'node:http';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { REPLY_SCHEMAS, REQUEST_SCHEMAS, ROUTES, type RouteName } from '../protocol/api.ts';
import { asCcwbError, CcwbError } from '../protocol/errors.ts';
import { BUILD_VERSION, PROTOCOL_VERSION, VERSION_HEADER } from '../protocol/version.ts';
import type { Clock } from './clock.ts';
import { causeOf, type Log } from './log.ts';
import { checkProtocol } from './protocol-check.ts';
import type { ApiRequest, Handler } from './routes.ts';

/** Bounds on what a client may send and how slowly, in bytes and milliseconds. */
const LIMITS = {
  headerBytes: 8_192,
  bodyBytes: 16_384,
  /** The whole request; ours are one packet. */
  requestMs: 5_000,
  /** Shorter than any shim's patience for a reused connection, and they reuse none. */
  keepAliveMs: 1_000,
} as const;

/** Headers that only a web page would send: no page has any business on this socket. */
const WEB_HEADERS = ['origin', 'referer', 'sec-fetch-site', 'sec-fetch-mode'] as const;

const VERSION = `${PROTOCOL_VERSION}/${BUILD_VERSION}`;

/**
 * The HTTP server of the API, not yet listening: `app.server` is bound by socket.ts.
 *
 * @param edges `protocol`: another one than this build's, as the next build will have.
 */
export function apiServer(
  handlers: Record<RouteName, Handler>,
  edges: { clock: Clock; log: Log; protocol?: number },
): FastifyInstance {
  const app = fastify({
    logger: false,
    // A path that cannot be decoded never reaches the error handler below.
    frameworkErrors: (thrown, _request, reply: FastifyReply) => {
      const error = requestError(thrown);
      return reply.status(error.status).send(error.toBody());
    },
    bodyLimit: LIMITS.bodyBytes,
    exposeHeadRoutes: false,
    // Unknown or missing fields are the caller's mistake, to be told, not to be mended silently.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: true, useDefaults: true } },
    // An inherited socket can only be bound on a server that fastify did not start itself.
    serverFactory: (handler): Server =>
      createServer(
        {
          maxHeaderSize: LIMITS.headerBytes,
          requestTimeout: LIMITS.requestMs,
          headersTimeout: LIMITS.requestMs,
          keepAliveTimeout: LIMITS.keepAliveMs,
          connectionsCheckingInterval: 1_000,
        },
        handler,
      ),
  });

  app.addHook('onRequest', async (request, reply) => {
    reply.header(VERSION_HEADER, VERSION).header('cache-control', 'no-store');
    refuseWebPages(request);
    checkProtocol(request.headers[VERSION_HEADER], request.routeOptions.url ?? '', edges.protocol);
  });
  app.setErrorHandler((thrown, request, reply) => {
    const error = isFastifyError(thrown) ? requestError(thrown) : asCcwbError(thrown);
    if (error.code === 'ERR_INTERNAL') {
      edges.log('error', 'defect', { route: request.routeOptions.url ?? '', cause: causeOf(thrown) });
    }
    return reply.status(error.status).send(error.toBody());
  });
  app.setNotFoundHandler((request, reply) => {
    const error = new CcwbError(
      'ERR_NOT_FOUND',
      `no route ${request.method} ${request.url.split('?')[0]?.slice(0, 80)}`,
      "upgrade the older of the two: bedrock-auth status shows the daemon's version",
    );
    return reply.status(error.status).send(error.toBody());
  });

  for (const name of Object.keys(ROUTES) as RouteName[]) {
    app.route({
      method: ROUTES[name].method,
      url: ROUTES[name].path,
      schema: schemaOf(name),
      handler: (request, reply) => handlers[name](apiRequest(request, reply.raw)),
    });
  }
  return app;
}

function schemaOf(name: RouteName): Record<string, unknown> {
  const { path } = ROUTES[name];
  return {
    response: { 200: REPLY_SCHEMAS[name], '4xx': REPLY_SCHEMAS.error, '5xx': REPLY_SCHEMAS.error },
    ...(path.includes(':profile') ? { params: REQUEST_SCHEMAS.profileParams } : {}),
    ...(path.includes(':signIn') ? { params: REQUEST_SCHEMAS.signInParams } : {}),
    ...(name === 'signIn' ? { body: REQUEST_SCHEMAS.signInBody } : {}),
    ...(name === 'pageOpened' ? { body: REQUEST_SCHEMAS.pageOpenedBody } : {}),
    ...(name === 'awaitSignIn' ? { querystring: REQUEST_SCHEMAS.waitQuery } : {}),
  };
}

/** What a handler sees; shapes were checked by the route's schema. */
function apiRequest(request: FastifyRequest, response: NodeJS.EventEmitter): ApiRequest {
  const abort = new AbortController();
  response.once('close', () => abort.abort());
  return {
    params: request.params as ApiRequest['params'],
    query: request.query as ApiRequest['query'],
    body: request.body,
    signal: abort.signal,
  };
}

function refuseWebPages({ headers }: FastifyRequest): void {
  const web = WEB_HEADERS.find((name) => headers[name] !== undefined);
  if (web === undefined && headers.host === 'localhost') return;
  throw new CcwbError(
    'ERR_REQUEST_REFUSED',
    web ? `requests with a ${web} header are refused` : 'requests must be for the host localhost',
    'use credential-process or bedrock-auth; web pages may not ask this daemon',
  );
}

function isFastifyError(thrown: unknown): thrown is FastifyError {
  return (
    thrown instanceof Error &&
    'code' in thrown &&
    typeof thrown.code === 'string' &&
    thrown.code.startsWith('FST_')
  );
}

/** Fastify's own errors are about the shape of the request; their texts name fields, never values. */
function requestError(error: FastifyError): CcwbError {
  return new CcwbError(
    'ERR_USAGE',
    `the request is not of this API: ${error.message}`,
    'use credential-process or bedrock-auth',
    {
      cause: error,
    },
  );
}
