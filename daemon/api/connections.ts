import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { CcwbError } from '../../protocol/errors.ts';
import { BUILD_VERSION, PROTOCOL_VERSION, VERSION_HEADER } from '../../protocol/version.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { type PeerCredentials, peerCredentials } from '../platform/native.ts';

/** Bounds on what a client may send and how slowly, in bytes and milliseconds. */
export const LIMITS = {
  headerBytes: 8_192,
  bodyBytes: 16_384,
  /** The whole request; ours are one packet. */
  requestMs: 5_000,
  /** How often connections are looked at for that. */
  checkMs: 1_000,
  /** Two hundred shims at once are served, each with one connection; long polls are among them. */
  connections: 512,
  /** How long somebody who is turned away may take to listen. */
  lastWordsMs: 1_000,
  /** Each kind of refusal is logged at most this often. */
  logMs: 60_000,
} as const;

/** The headers that every reply of the daemon carries. Callers make one request each. */
export const REPLY_HEADERS = {
  [VERSION_HEADER]: `${PROTOCOL_VERSION}/${BUILD_VERSION}`,
  'cache-control': 'no-store',
  connection: 'close',
} as const;

/** What the system tells of whoever is at the other end of a connection. */
export type Peers = { of(socket: Socket): PeerCredentials | undefined };

type ConnectionEdges = {
  clock: Clock;
  log: Log;
  /** Whose connections are served; this process' own user. A test may be another. */
  uid?: number | undefined;
};

/**
 * Decides who is served at all: nobody but this user, and no more than a bounded number at once. Another
 * user is told so and cut off before a byte of the request is looked at. Where the system does not tell who
 * connects, the permissions of the socket and its directory stand alone.
 *
 * There is no exception for root. It can read this process' memory and needs no help; and what a program of
 * root's asks for on its own account is not this user's doing, as the audit log would have it.
 */
export function guardConnections(server: Server, edges: ConnectionEdges): Peers {
  const { clock, log, uid = process.getuid?.() } = edges;
  const peers = new WeakMap<Socket, PeerCredentials>();
  const seldom = atMostEvery(LIMITS.logMs, clock);

  // Node's own listener, which sets up the parser: it gets to see only whom it shall serve.
  const [serve, ...others] = server.listeners('connection');
  if (!serve || others.length > 0) throw new Error('this version of Node serves connections in another way');
  server.removeAllListeners('connection').on('connection', (socket: Socket) => {
    const peer = peerCredentials(descriptorOf(socket));
    if (peer && uid !== undefined && peer.uid !== uid) {
      seldom('another user', () => log('warn', 'connection of another user refused', { uid: peer.uid }));
      turnAway(socket, rawReply(otherUser(peer.uid, uid)));
      return;
    }
    if (peer) peers.set(socket, peer);
    serve.call(server, socket);
  });

  // Their bytes are bounded. Bounding their number would drop the last ones, Origin perhaps, in silence.
  server.maxHeadersCount = 0;
  server.maxConnections = LIMITS.connections;
  server.on('drop', () => seldom('too many', () => log('warn', 'too many connections')));
  refuseWhatIsNoRequest(server);
  return { of: (socket) => peers.get(socket) };
}

/** What HTTP knows and this API does not: Node would answer by itself, or cut the connection. */
function refuseWhatIsNoRequest(server: Server): void {
  // What is pipelined behind the first request is neither served nor read on.
  server.maxRequestsPerSocket = 1;
  server.on('dropRequest', (_request, socket) => socket.pause());
  server.on('connect', (_request, socket) => cutOff(socket as Socket, rawReply(notOurs('CONNECT'))));
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const { status, body } = notOurs('an expectation other than 100-continue').toReply();
    const text = JSON.stringify(body);
    response.writeHead(status, headersOf(text));
    response.end(text);
  });
}

/** Node's reasons for giving up on a client, as statuses of HTTP. */
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
  cutOff(socket, rawReply(told, status));
}

const USE_OURS = 'use credential-process or bedrock-auth';

function notOurs(what: string): CcwbError {
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
 * Says why and closes, as soon as the other side has sent anything or closed too: one that finds itself cut
 * off before it could send its request takes that for a door that never opened. What it sends is not looked at.
 */
function turnAway(socket: Socket, reply: string): void {
  const timer = setTimeout(() => socket.destroy(), LIMITS.lastWordsMs);
  const leave = (): void => {
    clearTimeout(timer);
    socket.destroy();
  };
  socket.once('data', leave).once('end', leave).on('error', leave);
  socket.end(reply);
}

/** Sends the last words and closes, whatever the other side does. */
function cutOff(socket: Socket, reply: string): void {
  socket.on('error', () => {});
  socket.write(reply);
  socket.destroySoon();
}

/** A reply as bytes, for where there is no request to reply to. */
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

/** Node keeps the descriptor where no type tells of it; without one the peer is unknown. */
function descriptorOf(socket: Socket): number {
  const { _handle } = socket as { _handle?: { fd?: number } };
  return _handle?.fd ?? -1;
}

/** Runs what is given for each kind at most once in that time. */
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
