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

/** Headers that only web pages send; no page may use this socket. */
const WEB_HEADERS = ['origin', 'referer', 'sec-fetch-site', 'sec-fetch-mode'] as const;

/**
 * Creates the HTTP server of the API, not yet listening: socket.ts binds `app.server`.
 *
 * @param edges `protocol` and `uid` replace those of this build and this process; for tests.
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
    // A field of the wrong shape is the caller's mistake, which is reported instead of corrected silently.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
    // An inherited socket can only be bound on a server that fastify did not start itself.
    serverFactory: (handler): Server =>
      createServer(
        {
          maxHeaderSize: LIMITS.headerBytes,
          requestTimeout: LIMITS.requestMs,
          headersTimeout: LIMITS.requestMs,
          connectionsCheckingInterval: LIMITS.checkMs,
          // refuseWebPages checks the header, with an error of ours.
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
    // A caller that disconnected in the middle of its request is no defect.
    const gone = request.raw.readableAborted && !request.raw.complete;
    const error = isFastifyError(thrown) || gone ? requestError(thrown as Error) : asCcwbError(thrown);
    const { status, body } = error.toReply();
    if (body.error.code === 'ERR_INTERNAL') {
      edges.log('error', 'defect', { route: request.routeOptions.url ?? '', cause: causeOf(thrown) });
    }
    // For a request with an unknown method the hook above did not run.
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

/** Returns the request for the handler; the route's schema has checked its shapes. */
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
  // Exactly one Host header: with two, different parts of a program might use different ones.
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

/** Translates an error of Fastify about the shape of a request. Its text names fields, never values. */
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
