import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { CcwbError } from '../../protocol/errors.ts';
import { isAnotherUser } from './loopback-peer.ts';
import { type ResultPage, resultPage } from './result-page.ts';

/** The path of the redirect URI (RFC 8252 7.3), as registered at the provider. */
export const REDIRECT_PATH = '/callback';

/** The addresses to listen on: `localhost` is 127.0.0.1 for one browser and ::1 for another. */
const ADDRESSES = ['127.0.0.1', '::1'] as const;

/** Parameters of an authorization response; none may come twice (RFC 6749 3.1, RFC 9207). */
const PARAMETERS = ['state', 'code', 'error', 'iss'] as const;

/** Limits for programs of this machine that connect to the port. */
const LIMITS = {
  /** Large, because browsers send the cookies of all development servers on localhost. */
  headerBytes: 65_536,
  /** In milliseconds; a browser's request is one packet. */
  requestMs: 5_000,
  /** Interval at which that limit is checked, in milliseconds. */
  checkMs: 1_000,
  /** Most connections at once; beyond that the oldest one that waits for no page is closed. */
  connections: 64,
} as const;

/** Returns the redirect URI, as registered at the provider. */
export function redirectUri(port: number): string {
  return `http://localhost:${port}${REDIRECT_PATH}`;
}

/** Returns the page for the browser that returned with the expected `state`. */
export type CallbackHandler = (callback: URL) => Promise<ResultPage>;

export type LoopbackRedirect = {
  /**
   * Listens on the port until {@link Registration.release}; several sign-ins may share a port, told apart
   * by their `state`. Any other request gets a 400 and ends no sign-in. The right one is a browser's
   * navigation with that state and a code or an error, each once.
   *
   * @throws CcwbError ERR_REDIRECT_PORT_TAKEN
   */
  register(port: number, state: string, handler: CallbackHandler): Promise<Registration>;
};

/** `release` frees the port at once, and resolves when the pages in progress have been delivered. */
export type Registration = { release(): Promise<void> };

type Listener = {
  servers: Promise<Server[]>;
  handlers: Map<string, CallbackHandler>;
  connections: Connections;
};

/** Creates the redirect. `settled` resolves when no released port is still delivering a page. */
export function createLoopbackRedirect(): LoopbackRedirect & { settled(): Promise<void> } {
  const listeners = new Map<number, Listener>();
  const closing = new Set<Promise<unknown>>();

  const open = (port: number): Listener => {
    const handlers = new Map<string, CallbackHandler>();
    const connections = createConnections();
    const servers = listen(port, handlers, connections);
    const listener = { servers, handlers, connections };
    listeners.set(port, listener);
    return listener;
  };

  return {
    register: async (port, state, handler) => {
      const listener = listeners.get(port) ?? open(port);
      // Before any wait: a listener with a handler is not closed.
      listener.handlers.set(state, handler);
      try {
        await listener.servers;
      } catch (error) {
        if (listeners.get(port) === listener) listeners.delete(port);
        throw error;
      }
      return {
        release: async () => {
          listener.handlers.delete(state);
          if (listener.handlers.size > 0) return;
          if (listeners.get(port) === listener) listeners.delete(port);
          const closed = listener.servers.then((servers) =>
            Promise.all(servers.map((server) => close(server, listener.connections))),
          );
          closing.add(closed);
          await closed;
          closing.delete(closed);
        },
      };
    },
    settled: async () => {
      await Promise.all(closing);
    },
  };
}

async function listen(
  port: number,
  handlers: ReadonlyMap<string, CallbackHandler>,
  connections: Connections,
): Promise<Server[]> {
  const servers: Server[] = [];
  for (const address of ADDRESSES) {
    const server = createServer(
      {
        maxHeaderSize: LIMITS.headerBytes,
        headersTimeout: LIMITS.requestMs,
        requestTimeout: LIMITS.requestMs,
        connectionsCheckingInterval: LIMITS.checkMs,
      },
      (request, response) => {
        connections.answering(request.socket, response);
        void answer(request, response, port, handlers);
      },
    );
    server.on('connection', connections.opened);
    // This server must not keep the process alive; only the daemon's own socket does.
    server.unref();
    const problem = await listenOn(server, address, port);
    if (problem === undefined) servers.push(server);
    else if (problem === 'EADDRINUSE' || problem === 'EACCES') {
      // Also if only one address is in use: the browser might send the code to the other program.
      await Promise.all(servers.map((each) => close(each, connections)));
      throw portTaken(port, problem);
    }
    // Any other error: this machine lacks the address family. The other one serves.
  }
  if (servers.length === 0) throw portTaken(port, 'no loopback address');
  return servers;
}

function listenOn(server: Server, address: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
    server.listen({ host: address, port, exclusive: true }, () => resolve(undefined));
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  port: number,
  handlers: ReadonlyMap<string, CallbackHandler>,
): Promise<void> {
  const page = await pageFor(request, port, handlers).catch(() => resultPage({ outcome: 'failed' }));
  response.writeHead(page.status, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(page.html),
    // The callback's URL contains the code: it must not be cached, framed or sent as a referrer.
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'content-security-policy': page.contentSecurityPolicy,
    'x-content-type-options': 'nosniff',
    connection: 'close',
  });
  response.end(request.method === 'HEAD' ? undefined : page.html);
}

async function pageFor(
  request: IncomingMessage,
  port: number,
  handlers: ReadonlyMap<string, CallbackHandler>,
): Promise<ResultPage> {
  // Excludes pages whose own host name points here (DNS rebinding).
  const hosts = ['localhost', '127.0.0.1', '[::1]'].map((host) => new URL(`http://${host}:${port}`).host);
  if (!hosts.includes(request.headersDistinct.host?.join() ?? '')) {
    return resultPage({ outcome: 'unknown' });
  }
  const target = request.url ?? '';
  // A browser never sends a fragment (RFC 9112 3.2); URL would not show it as part of path or query.
  if (target.includes('#')) return resultPage({ outcome: 'unknown' });
  // The code is redeemed for the registered redirect URI, with any host name that the browser used.
  const url = URL.canParse(target, redirectUri(port)) ? new URL(target, redirectUri(port)) : undefined;
  if (!isVisit(request) || !target.startsWith(REDIRECT_PATH) || url?.pathname !== REDIRECT_PATH)
    return resultPage({ outcome: 'unknown' });
  const handler = handlers.get(url.searchParams.get('state') ?? '');
  if (!handler || !isResponse(url.searchParams)) return resultPage({ outcome: 'unknown' });
  // Other users can see the state in the browser's arguments. With it they could send a code of their own
  // account.
  if (await isAnotherUser(request.socket, process.getuid?.())) return resultPage({ outcome: 'unknown' });
  return handler(new URL(`${redirectUri(port)}${url.search}`));
}

/**
 * True if a browser navigates to this address. A redirect by the provider is cross-site and may have a
 * referrer. A page that loads this address as an image, a frame or data does not count.
 */
function isVisit({ method, headers }: IncomingMessage): boolean {
  const { 'sec-fetch-mode': mode = 'navigate', 'sec-fetch-dest': destination = 'document' } = headers;
  const says = headers['sec-fetch-mode'] !== undefined;
  return method === 'GET' && mode === 'navigate' && destination === 'document' && (says || !headers.origin);
}

/** True if the parameters have the form of an authorization response (RFC 6749 4.1.2). */
function isResponse(parameters: URLSearchParams): boolean {
  const once = PARAMETERS.every((name) => parameters.getAll(name).length <= 1);
  return once && Boolean(parameters.get('code') || parameters.get('error'));
}

/** The open connections of one port. Their number is limited, and none delays the release of the port. */
type Connections = {
  opened(socket: Socket): void;
  /** Notes that the connection waits for a page until the response is closed. */
  answering(socket: Socket, response: ServerResponse): void;
  /** Closes every connection that waits for no page. */
  cutIdle(): void;
};

function createConnections(): Connections {
  const open = new Set<Socket>();
  const answered = new Set<Socket>();
  const idle = (): Socket[] => [...open].filter((socket) => !answered.has(socket));
  return {
    opened: (socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      // The newest one may be the browser.
      if (open.size > LIMITS.connections) idle()[0]?.destroy();
    },
    answering: (socket, response) => {
      answered.add(socket);
      response.once('close', () => answered.delete(socket));
    },
    cutIdle: () => {
      for (const socket of idle()) socket.destroy();
    },
  };
}

function close(server: Server, connections: Connections): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    connections.cutIdle();
  });
}

function portTaken(port: number, problem: string): CcwbError {
  const detail = problem === 'EACCES' ? 'may not be used by you' : 'is used by another program';
  return new CcwbError(
    'ERR_REDIRECT_PORT_TAKEN',
    `port ${port}, to which the sign-in returns, ${problem === 'no loopback address' ? 'cannot be listened on' : detail}`,
    `find that program with "lsof -nP -iTCP:${port}", sign in with bedrock-auth login --device, or set redirect_port to another port that is registered at the provider`,
  );
}
