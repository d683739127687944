import { createServer, type Server } from 'node:http';
import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { REPLY_SCHEMAS, REQUEST_SCHEMAS, ROUTES, type RouteName } from '../../protocol/api.ts';
import { asCcwbError, CcwbError } from '../../protocol/errors.ts';
import { VERSION_HEADER } from '../../protocol/version.ts';
import type { Clock } from '../platform/clock.ts';
import { causeOf, type Log } from '../platform/log.ts';
import { answerClientError, guardConnections, LIMITS, type Peers, REPLY_HEADERS } from './connections.ts';
import { checkProtocol } from './protocol-check.ts';
import type { ApiRequest, RouteHandler } from './routes.ts';

/** Headers that only a web page would send: no page has any business on this socket. */
const WEB_HEADERS = ['origin', 'referer', 'sec-fetch-site', 'sec-fetch-mode'] as const;

/**
 * The HTTP server of the API, not yet listening: `app.server` is bound by socket.ts.
 *
 * @param edges `protocol`: another one than this build's, as the next build will have. `uid`: whose
 *   connections are served, if not this process' own user.
 */
export function createApiServer(
  handlers: Record<RouteName, RouteHandler>,
  edges: { clock: Clock; log: Log; protocol?: number; uid?: number },
): FastifyInstance {
  const app = fastify({
    logger: false,
    // A path that cannot be decoded reaches neither the hook nor the error handler below, and fastify's text quotes it.
    frameworkErrors: (_thrown, _request, reply: FastifyReply) => {
      const { status, body } = notOfThisApi('its path cannot be read').toReply();
      return reply.headers(REPLY_HEADERS).status(status).send(body);
    },
    clientErrorHandler: answerClientError,
    bodyLimit: LIMITS.bodyBytes,
    exposeHeadRoutes: false,
    // What does not fit is the caller's mistake, to be told, not to be mended silently.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
    // An inherited socket can only be bound on a server that fastify did not start itself.
    serverFactory: (handler): Server =>
      createServer(
        {
          maxHeaderSize: LIMITS.headerBytes,
          requestTimeout: LIMITS.requestMs,
          headersTimeout: LIMITS.requestMs,
          connectionsCheckingInterval: LIMITS.checkMs,
          // Refused below, in our own words.
          requireHostHeader: false,
        },
        handler,
      ),
  });

  const peers = guardConnections(app.server, edges);

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(REPLY_HEADERS);
    refuseWebPages(request);
    checkProtocol(request.headers[VERSION_HEADER], request.routeOptions.url ?? '', edges.protocol);
  });
  app.setErrorHandler((thrown, request, reply) => {
    // Nobody is left to hear that half a request is none.
    const gone = request.raw.readableAborted && !request.raw.complete;
    const error = isFastifyError(thrown) || gone ? requestError(thrown as Error) : asCcwbError(thrown);
    const { status, body } = error.toReply();
    if (body.error.code === 'ERR_INTERNAL') {
      edges.log('error', 'defect', { route: request.routeOptions.url ?? '', cause: causeOf(thrown) });
    }
    // Without a method of HTTP there was no hook either.
    return reply.headers(REPLY_HEADERS).status(status).send(body);
  });
  app.setNotFoundHandler((request, reply) => {
    const { status, body } = new CcwbError(
      'ERR_NOT_FOUND',
      `no route ${request.method} ${request.url.split('?')[0]?.slice(0, 80)}`,
      "upgrade the older of the two: bedrock-auth status shows the daemon's version",
    ).toReply();
    return reply.status(status).send(body);
  });

  for (const name of Object.keys(ROUTES) as RouteName[]) {
    app.route({
      method: ROUTES[name].method,
      url: ROUTES[name].path,
      schema: routeSchema(name),
      handler: (request, reply) => handlers[name](apiRequest(request, reply.raw, peers)),
    });
  }
  return app;
}

/** Returns the JSON schemas of a route's parameters, body, query and replies. */
export function routeSchema(name: RouteName): Record<string, unknown> {
  const { path } = ROUTES[name];
  return {
    response: { 200: REPLY_SCHEMAS[name], '4xx': REPLY_SCHEMAS.error, '5xx': REPLY_SCHEMAS.error },
    ...(path.includes(':profile') ? { params: REQUEST_SCHEMAS.profileParams } : {}),
    ...(path.includes(':signIn') ? { params: REQUEST_SCHEMAS.signInParams } : {}),
    ...(name === 'signIn' ? { body: REQUEST_SCHEMAS.signInBody } : {}),
    ...(name === 'drain' ? { body: REQUEST_SCHEMAS.drainBody } : {}),
    ...(name === 'pageOpened' ? { body: REQUEST_SCHEMAS.pageOpenedBody } : {}),
    ...(name === 'awaitSignIn' ? { querystring: REQUEST_SCHEMAS.waitQuery } : {}),
  };
}

/** What a handler sees; shapes were checked by the route's schema. */
function apiRequest(request: FastifyRequest, response: NodeJS.EventEmitter, peers: Peers): ApiRequest {
  const abort = new AbortController();
  response.once('close', () => abort.abort());
  const { wait, canOpenPage } = request.query as { wait?: string; canOpenPage?: string };
  return {
    params: request.params as ApiRequest['params'],
    query: { wait: Number(wait ?? 0), canOpenPage: canOpenPage === 'true' },
    body: request.body,
    peer: peers.of(request.raw.socket),
    signal: abort.signal,
  };
}

function refuseWebPages({ raw: { headersDistinct: headers, url } }: FastifyRequest): void {
  const web = WEB_HEADERS.find((name) => headers[name] !== undefined);
  // Exactly one host, in one place: of two, one part of a program might look at the first and another at the last.
  const local = headers.host?.length === 1 && headers.host[0] === 'localhost' && url?.startsWith('/');
  if (web === undefined && local) return;
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
function requestError(error: Error): CcwbError {
  return notOfThisApi(error.message, error);
}

function notOfThisApi(problem: string, cause?: unknown): CcwbError {
  return new CcwbError(
    'ERR_USAGE',
    `the request is not of this API: ${problem}`,
    'use credential-process or bedrock-auth',
    { cause },
  );
}
