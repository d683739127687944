import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTP server on 127.0.0.1 that can stop, and start again on the same port. */
export interface LoopbackServer {
  readonly port: number;
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly origin: string;
  /** Listens again after `stop`. Does nothing while it listens. */
  start(): Promise<void>;
  /** Refuses connections and closes the open ones, keep-alive ones included. */
  stop(): Promise<void>;
}

/**
 * Starts listening before it returns, so that the port is known.
 * @param port 0 for any free port
 */
export async function openLoopbackServer(handler: RequestHandler, port = 0): Promise<LoopbackServer> {
  let server: Server | undefined = await listen(handler, port);
  const bound = (server.address() as AddressInfo).port;

  return {
    port: bound,
    origin: `http://127.0.0.1:${bound}`,
    async start() {
      server ??= await listen(handler, bound);
    },
    async stop() {
      const stopping = server;
      server = undefined;
      if (stopping === undefined) return;
      const closed = new Promise((resolve) => stopping.close(resolve));
      stopping.closeAllConnections();
      await closed;
    },
  };
}

function listen(handler: RequestHandler, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(handler);
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

/** Reads a request's body. @throws if the connection closes before the end of the body */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
