import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { CcwbError } from '../../protocol/errors.ts';
import { isAnotherUser } from './loopback-peer.ts';
import { type ResultPage, resultPage } from './result-page.ts';

/** Where providers send the browser back to (RFC 8252 7.3); the path that was registered with them. */
export const REDIRECT_PATH = '/callback';

/** `localhost` is 127.0.0.1 for one browser and ::1 for another. */
const ADDRESSES = ['127.0.0.1', '::1'] as const;

/** Parameters of an authorization response; none may come twice (RFC 6749 3.1, RFC 9207). */
const PARAMETERS = ['state', 'code', 'error', 'iss'] as const;

/** Bounds on what anybody on this machine may do to the port. */
const LIMITS = {
  /** Browsers send what every development server on localhost has left in their cookies. */
  headerBytes: 65_536,
  /** In milliseconds; a browser's request is one packet. */
  requestMs: 5_000,
  /** In milliseconds: how often the limit above is looked at. */
  checkMs: 1_000,
  /** More than this at once, and the oldest that waits for nothing of ours has to go. */
  connections: 64,
} as const;

/** The browser's address of the callback, as registered at the provider. */
export function redirectUri(port: number): string {
  return `http://localhost:${port}${REDIRECT_PATH}`;
}

/** Answers the browser that came back with the awaited `state`. */
export type CallbackHandler = (callback: URL) => Promise<ResultPage>;

export type LoopbackRedirect = {
  /**
   * Listens on the port until {@link Registration.release}; several sign-ins may share a port, told apart
   * by their `state`. Whatever is not the visit of a browser with that state and a code or an error, each
   * once, gets a polite 400 and ends nothing.
   *
   * @throws CcwbError ERR_REDIRECT_PORT_TAKEN
   */
  expect(port: number, state: string, handler: CallbackHandler): Promise<Registration>;
};

/** `release`: the port is free at once; resolves when the pages under way have been delivered. */
export type Registration = { release(): Promise<void> };

type Listener = {
  servers: Promise<Server[]>;
  handlers: Map<string, CallbackHandler>;
  connections: Connections;
};

/** `settled` resolves when no released port is still open: every browser that came back has its page. */
export function createLoopbackRedirect(): LoopbackRedirect & { settled(): Promise<void> } {
  const listeners = new Map<number, Listener>();
  const closing = new Set<Promise<unknown>>();

  const open = (port: number): Listener => {
    const handlers = new Map<string, CallbackHandler>();
    const connections = boundedConnections();
    const servers = listen(port, handlers, connections);
    const listener = { servers, handlers, connections };
    listeners.set(port, listener);
    return listener;
  };

  return {
    expect: async (port, state, handler) => {
      const listener = listeners.get(port) ?? open(port);
      // Before anything is awaited: a listener somebody expects something of is not closed.
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
    // The daemon lives as long as its own socket does, never because of this one.
    server.unref();
    const problem = await listenOn(server, address, port);
    if (problem === undefined) servers.push(server);
    else if (problem === 'EADDRINUSE' || problem === 'EACCES') {
      // Also when only one is taken: the browser may take the code to the other program.
      await Promise.all(servers.map((each) => close(each, connections)));
      throw portTaken(port, problem);
    }
    // Anything else: this machine has no such address family. The other one serves.
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
    // The callback's URL holds the code: nothing of it may be cached, framed or sent on.
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
  // A page elsewhere whose host name was made to point here would send its own name.
  const hosts = ['localhost', '127.0.0.1', '[::1]'].map((host) => new URL(`http://${host}:${port}`).host);
  if (!hosts.includes(request.headersDistinct.host?.join() ?? '')) {
    return resultPage({ outcome: 'unknown' });
  }
  const target = request.url ?? '';
  // A browser keeps the fragment to itself (RFC 9112 3.2); parsed as one, it would hide what it is.
  if (target.includes('#')) return resultPage({ outcome: 'unknown' });
  // The code is redeemed for the registered redirect URI, whichever name the browser used.
  const url = URL.canParse(target, redirectUri(port)) ? new URL(target, redirectUri(port)) : undefined;
  if (!isVisit(request) || !target.startsWith(REDIRECT_PATH) || url?.pathname !== REDIRECT_PATH)
    return resultPage({ outcome: 'unknown' });
  const handler = handlers.get(url.searchParams.get('state') ?? '');
  if (!handler || !isResponse(url.searchParams)) return resultPage({ outcome: 'unknown' });
  // The state is in the browser's arguments, for others on this computer to see: with it somebody could hand
  // us a code of an account of their own.
  if (await isAnotherUser(request.socket, process.getuid?.())) return resultPage({ outcome: 'unknown' });
  return handler(new URL(`${redirectUri(port)}${url.search}`));
}

/**
 * Somebody's browser goes to this address itself. One that comes from the provider is cross-site and may
 * name it as its referrer; but a page that loads this address as an image, a frame or data is no person.
 */
function isVisit({ method, headers }: IncomingMessage): boolean {
  const { 'sec-fetch-mode': mode = 'navigate', 'sec-fetch-dest': destination = 'document' } = headers;
  const says = headers['sec-fetch-mode'] !== undefined;
  return method === 'GET' && mode === 'navigate' && destination === 'document' && (says || !headers.origin);
}

/** An authorization response as far as its form goes (RFC 6749 4.1.2). */
function isResponse(parameters: URLSearchParams): boolean {
  const once = PARAMETERS.every((name) => parameters.getAll(name).length <= 1);
  return once && Boolean(parameters.get('code') || parameters.get('error'));
}

/** The open connections of one port: bounded in number, and none keeps the port from being given back. */
type Connections = {
  opened(socket: Socket): void;
  /** The connection waits for a page of ours until the response is closed. */
  answering(socket: Socket, response: ServerResponse): void;
  /** Cuts every connection that waits for nothing of ours. */
  cutIdle(): void;
};

function boundedConnections(): Connections {
  const open = new Set<Socket>();
  const answered = new Set<Socket>();
  const idle = (): Socket[] => [...open].filter((socket) => !answered.has(socket));
  return {
    opened: (socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      // The oldest, not the newest: that may be the browser.
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
