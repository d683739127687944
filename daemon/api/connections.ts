import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { CcwbError } from '../../protocol/errors.ts';
import { BUILD_VERSION, PROTOCOL_VERSION, VERSION_HEADER } from '../../protocol/version.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { type PeerCredentials, peerCredentials } from '../platform/native.ts';

/** Limits for clients, in bytes and milliseconds. */
export const LIMITS = {
  headerBytes: 8_192,
  bodyBytes: 16_384,
  /** Time for the whole request; those of our programs are one packet. */
  requestMs: 5_000,
  /** Interval at which that time is checked. */
  checkMs: 1_000,
  /** Two hundred shims at once are served, each with one connection; long polls are among them. */
  connections: 512,
  /** Longest time that a refused connection stays open for its reply. */
  refusalMs: 1_000,
  /** Each kind of refusal is logged at most this often. */
  logMs: 60_000,
} as const;

/** The headers that every reply of the daemon carries. Callers make one request each. */
export const REPLY_HEADERS = {
  [VERSION_HEADER]: `${PROTOCOL_VERSION}/${BUILD_VERSION}`,
  'cache-control': 'no-store',
  connection: 'close',
} as const;

/** Returns the user and process at the other end of a connection; undefined where the system has no such call. */
export type Peers = { of(socket: Socket): PeerCredentials | undefined };

type ConnectionEdges = {
  clock: Clock;
  log: Log;
  /** The only user that is served; by default the user of this process. Tests set another one. */
  uid?: number | undefined;
};

/**
 * Serves only this user, and a limited number of connections at once. Another user gets an error before
 * a byte of the request is read. Where the system does not name the peer, only the permissions of the socket
 * and its directory protect it.
 *
 * root is refused too. It can read the memory of this process anyway, and the audit log would count its
 * requests as this user's.
 */
export function guardConnections(server: Server, edges: ConnectionEdges): Peers {
  const { clock, log, uid = process.getuid?.() } = edges;
  const peers = new WeakMap<Socket, PeerCredentials>();
  const seldom = atMostEvery(LIMITS.logMs, clock);

  // Node's own listener sets up the parser. It is called only for connections that are served.
  const [serve, ...others] = server.listeners('connection');
  if (!serve || others.length > 0) throw new Error('this version of Node serves connections in another way');
  server.removeAllListeners('connection').on('connection', (socket: Socket) => {
    const peer = peerCredentials(descriptorOf(socket));
    if (peer && uid !== undefined && peer.uid !== uid) {
      seldom('another user', () => log('warn', 'connection of another user refused', { uid: peer.uid }));
      refuseConnection(socket, rawReply(otherUser(peer.uid, uid)));
      return;
    }
    if (peer) peers.set(socket, peer);
    serve.call(server, socket);
  });

  // The size of headers is limited. A limit on their number would silently drop the last ones, perhaps Origin.
  server.maxHeadersCount = 0;
  server.maxConnections = LIMITS.connections;
  server.on('drop', () => seldom('too many', () => log('warn', 'too many connections')));
  refuseUnsupportedRequests(server);
  return { of: (socket) => peers.get(socket) };
}

/** Refuses parts of HTTP that this API does not have. Node would answer these itself, or cut the connection. */
function refuseUnsupportedRequests(server: Server): void {
  // Requests pipelined behind the first one are neither served nor read.
  server.maxRequestsPerSocket = 1;
  server.on('dropRequest', (_request, socket) => socket.pause());
  server.on('connect', (_request, socket) =>
    replyAndClose(socket as Socket, rawReply(notSupported('CONNECT'))),
  );
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const { status, body } = notSupported('an expectation other than 100-continue').toReply();
    const text = JSON.stringify(body);
    response.writeHead(status, headersOf(text));
    response.end(text);
  });
}

/** HTTP statuses for the errors with which Node gives up a client. */
const CLIENT_ERRORS: Readonly<Record<string, readonly [status: number, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, `its header is longer than ${LIMITS.headerBytes} bytes`],
  ERR_HTTP_REQUEST_TIMEOUT: [408, `it was not complete within ${LIMITS.requestMs / 1000} s`],
};

/** Answers a client that sent no request: malformed, oversize or too slow. Never throws. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (socket.destroyed || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, reason] = CLIENT_ERRORS[error.code ?? ''] ?? [400, 'it is no HTTP request'];
  const told = new CcwbError('ERR_USAGE', `the request is not of this API: ${reason}`, USE_OURS);
  replyAndClose(socket, rawReply(told, status));
}

const USE_OURS = 'use credential-process or bedrock-auth';

function notSupported(what: string): CcwbError {
  return new CcwbError('ERR_USAGE', `the request is not of this API: ${what} is not supported`, USE_OURS);
}

function otherUser(theirs: number, ours: number): CcwbError {
  return new CcwbError(
    'ERR_REQUEST_REFUSED',
    `this daemon serves uid ${ours}; the connection came from uid ${theirs}`,
    'run it as the user who signed in; each user has a daemon of their own',
  );
}

/**
 * Sends the reply, and closes when the other side has sent anything or has closed. A client that is cut off
 * before it sent its request reports a failed connection instead of this reply. Its request is not read.
 */
function refuseConnection(socket: Socket, reply: string): void {
  const timer = setTimeout(() => socket.destroy(), LIMITS.refusalMs);
  const leave = (): void => {
    clearTimeout(timer);
    socket.destroy();
  };
  socket.once('data', leave).once('end', leave).on('error', leave);
  socket.end(reply);
}

/** Sends the reply and closes at once. */
function replyAndClose(socket: Socket, reply: string): void {
  socket.on('error', () => {});
  socket.write(reply);
  socket.destroySoon();
}

/** Returns the text of an HTTP reply, for connections without a request to reply to. */
function rawReply(error: CcwbError, ownStatus?: number): string {
  const reply = error.toReply();
  const status = ownStatus ?? reply.status;
  const body = JSON.stringify(reply.body);
  const lines = Object.entries(headersOf(body)).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`;
}

function headersOf(body: string): Record<string, string | number> {
  return {
    ...REPLY_HEADERS,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  };
}

/** Returns the socket's descriptor, which Node keeps in an undocumented field; -1 without one. */
function descriptorOf(socket: Socket): number {
  const { _handle } = socket as { _handle?: { fd?: number } };
  return _handle?.fd ?? -1;
}

/** Returns a function that runs an action of each kind at most once in `ms`. */
function atMostEvery(ms: number, clock: Clock): (kind: string, action: () => void) => void {
  const last = new Map<string, number>();
  return (kind, action) => {
    const now = clock.now();
    const since = now - (last.get(kind) ?? Number.NEGATIVE_INFINITY);
    // A clock that was set back must not silence it.
    if (since >= 0 && since < ms) return;
    last.set(kind, now);
    action();
  };
}
