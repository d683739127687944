import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { CcwbError } from '../protocol/errors.ts';
import { type ResultPage, resultPage } from './result-page.ts';

/** Where providers send the browser back to (RFC 8252 7.3); the path that was registered with them. */
export const REDIRECT_PATH = '/callback';

/** `localhost` is 127.0.0.1 for one browser and ::1 for another. */
const ADDRESSES = ['127.0.0.1', '::1'] as const;

/** The browser's address of the callback, as registered at the provider. */
export function redirectUri(port: number): string {
  return `http://localhost:${port}${REDIRECT_PATH}`;
}

/** Answers the browser that came back with the awaited `state`. */
export type CallbackHandler = (callback: URL) => Promise<ResultPage>;

export type LoopbackRedirect = {
  /**
   * Listens on the port until {@link Registration.release}; several sign-ins may share a port, told apart
   * by their `state`. A callback with another state gets a polite 400 and ends nothing.
   *
   * @throws CcwbError ERR_REDIRECT_PORT_TAKEN
   */
  expect(port: number, state: string, handler: CallbackHandler): Promise<Registration>;
};

export type Registration = { release(): Promise<void> };

type Listener = { servers: Promise<Server[]>; handlers: Map<string, CallbackHandler> };

/** `settled` resolves when no released port is still open: every browser that came back has its page. */
export function loopbackRedirect(): LoopbackRedirect & { settled(): Promise<void> } {
  const listeners = new Map<number, Listener>();
  const closing = new Set<Promise<unknown>>();

  const open = (port: number): Listener => {
    const handlers = new Map<string, CallbackHandler>();
    const servers = listen(port, handlers);
    const listener = { servers, handlers };
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
          const closed = listener.servers.then((servers) => Promise.all(servers.map(close)));
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

async function listen(port: number, handlers: ReadonlyMap<string, CallbackHandler>): Promise<Server[]> {
  const servers: Server[] = [];
  for (const address of ADDRESSES) {
    const server = createServer({ maxHeaderSize: 16_384, requestTimeout: 10_000 }, (request, response) => {
      void answer(request, response, port, handlers);
    });
    const problem = await listenOn(server, address, port);
    if (problem === undefined) servers.push(server);
    else if (problem === 'EADDRINUSE' || problem === 'EACCES') {
      await Promise.all(servers.map(close));
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
  if (!hosts.includes(request.headers.host ?? '')) {
    return resultPage({ outcome: 'unknown' });
  }
  const target = request.url ?? '';
  // The code is redeemed for the registered redirect URI, whichever name the browser used.
  const url = URL.canParse(target, redirectUri(port)) ? new URL(target, redirectUri(port)) : undefined;
  if (request.method !== 'GET' || !target.startsWith(REDIRECT_PATH) || url?.pathname !== REDIRECT_PATH)
    return resultPage({ outcome: 'unknown' });
  const handler = handlers.get(url.searchParams.get('state') ?? '');
  if (!handler) return resultPage({ outcome: 'unknown' });
  return handler(new URL(`${redirectUri(port)}${url.search}`));
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

function portTaken(port: number, problem: string): CcwbError {
  const detail = problem === 'EACCES' ? 'may not be used by you' : 'is used by another program';
  return new CcwbError(
    'ERR_REDIRECT_PORT_TAKEN',
    `port ${port}, to which the sign-in returns, ${problem === 'no loopback address' ? 'cannot be listened on' : detail}`,
    `find that program with "lsof -nP -iTCP:${port}", or set redirect_port to another port that is registered at the provider`,
  );
}
