import { lstatSync, type Stats } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROUTES, type RouteName } from './api.ts';
import { CcwbError, errorFromBody } from './errors.ts';
import { parseJson } from './json.ts';
import { socketDirectory } from './paths.ts';
import { parseVersion, THIS_VERSION, VERSION_HEADER, type Version, versionText } from './version.ts';

/** Time limits of a caller, in milliseconds. */
export const CLIENT_TIMING = {
  /** A Unix socket connects at once or not at all; more means the daemon is stuck. */
  connectMs: 250,
  /** Time in which to retry the connection while a daemon starts. */
  startingMs: 2_000,
  /** Pause between two tries to connect. */
  retryMs: 25,
  /** An answer from memory takes a millisecond, one with a refresh a few seconds. */
  answerMs: 5_000,
} as const;

/** A reply is small; more is not from our daemon. */
const MAX_REPLY_BYTES = 1_000_000;

export type DaemonRequest = {
  route: RouteName;
  params?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, string | number | boolean>>;
  body?: unknown;
  answerMs?: number;
  /** Time in which to retry while nothing listens yet, in milliseconds. 0: one try. */
  startingMs?: number;
  signal?: AbortSignal;
};

export type DaemonClient = {
  /**
   * Sends a request to the daemon and returns the body of a 200.
   *
   * @throws CcwbError the error of the daemon; ERR_DAEMON_UNREACHABLE if it did not answer;
   *   ERR_SOCKET_UNSAFE if the socket belongs to another user.
   */
  ask<T>(request: DaemonRequest): Promise<T>;
  /** The version of the daemon that replied last, with an error or not; undefined before that. */
  answeredBy(): Version | undefined;
};

/** Creates a client for the daemon at `socket`. It uses only a socket in a directory of this user. */
export function createDaemonClient(socket: string): DaemonClient {
  let answeredBy: Version | undefined;
  const replied = (version: Version | undefined): void => {
    answeredBy = version;
  };
  return {
    answeredBy: () => answeredBy,
    ask: async <T>(request: DaemonRequest): Promise<T> => {
      const deadline = performance.now() + (request.startingMs ?? 0);
      for (;;) {
        checkSocket(socket);
        try {
          return (await send(socket, request, replied)) as T;
        } catch (error) {
          if (!(error instanceof NotListeningError)) throw error;
          if (performance.now() >= deadline || request.signal?.aborted)
            throw unreachable(socket, error.reason);
        }
        await sleep(CLIENT_TIMING.retryMs);
      }
    },
  };
}

/** Returns true if a daemon answers on the socket now. */
export async function isListening(socket: string): Promise<boolean> {
  try {
    await createDaemonClient(socket).ask({ route: 'version', answerMs: 1_000 });
    return true;
  } catch {
    return false;
  }
}

/** The socket's file is missing or nobody accepts connections: retry while a daemon starts. */
class NotListeningError extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * Checks that socket and directory belong to this user. Another user's socket in a world-writable directory
 * could answer with that user's credentials or sign-in page.
 */
function checkSocket(socket: string): void {
  const uid = process.getuid?.();
  if (uid === undefined) return;
  for (const path of [socketDirectory(socket), socket]) {
    const stat = statIfExists(path);
    if (!stat) return;
    if (stat.uid !== uid || stat.isSymbolicLink()) {
      const problem = stat.isSymbolicLink() ? 'is a symbolic link' : `belongs to uid ${stat.uid}`;
      throw new CcwbError(
        'ERR_SOCKET_UNSAFE',
        `${path} ${problem}; it must belong to uid ${uid}`,
        `remove ${path}, then try again`,
      );
    }
  }
}

function statIfExists(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    // A file in place of a directory, or a directory without permission: no daemon listens there.
    throw unreachable(path, (cause as NodeJS.ErrnoException).code ?? 'it cannot be looked at');
  }
}

function send(
  socket: string,
  options: DaemonRequest,
  replied: (version: Version | undefined) => void,
): Promise<unknown> {
  const { method, path } = ROUTES[options.route];
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  const answerMs = options.answerMs ?? CLIENT_TIMING.answerMs;
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      socketPath: socket,
      method,
      path: fillPath(path, options),
      headers: {
        host: 'localhost',
        [VERSION_HEADER]: versionText(THIS_VERSION),
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
      agent: false,
      ...(options.signal ? { signal: options.signal } : {}),
    });
    let connected = false;
    // After a pause of the process, timer and connection are due together. The event loop handles the
    // connection later, so the timer waits for it.
    const connectTimer = setTimeout(
      () => setImmediate(() => connected || fail(new NotListeningError('no connection in time'))),
      CLIENT_TIMING.connectMs,
    );
    const answerTimer = setTimeout(
      () => fail(unreachable(socket, `no answer within ${answerMs / 1000} s`)),
      answerMs,
    );
    const settle = (): void => {
      clearTimeout(connectTimer);
      clearTimeout(answerTimer);
    };
    const fail = (error: Error): void => {
      settle();
      reject(error);
      request.destroy();
    };
    request.once('socket', (stream) => {
      stream.once('connect', () => {
        connected = true;
        clearTimeout(connectTimer);
      });
    });
    request.once('error', (error: NodeJS.ErrnoException) => {
      // A daemon that stops resets open requests. A GET can be sent again.
      const again = !connected || (method === 'GET' && ['ECONNRESET', 'EPIPE'].includes(error.code ?? ''));
      fail(
        again
          ? new NotListeningError(error.code ?? error.name)
          : unreachable(socket, error.code ?? error.name),
      );
    });
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MAX_REPLY_BYTES) fail(unreachable(socket, 'a reply that is too long'));
      });
      response.once('aborted', () => fail(unreachable(socket, 'a reply that was cut off')));
      response.once('end', () => {
        settle();
        replied(parseVersion(response.headers[VERSION_HEADER]));
        const status = response.statusCode ?? 0;
        const parsed = parseJson(Buffer.concat(chunks).toString('utf8'));
        if (status === 200 && parsed !== undefined) resolve(parsed);
        else reject(errorFromBody(status, parsed));
      });
    });
    request.end(body);
  });
}

function fillPath(path: string, { params = {}, query = {} }: DaemonRequest): string {
  const filled = path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) search.set(name, String(value));
  return search.size > 0 ? `${filled}?${search}` : filled;
}

function unreachable(socket: string, reason: string): CcwbError {
  return new CcwbError(
    'ERR_DAEMON_UNREACHABLE',
    `the daemon at ${socket} could not be reached: ${reason}`,
    'run bedrock-auth login; if that fails too, look into logs/daemon.log in ~/claude-code-with-bedrock',
  );
}
