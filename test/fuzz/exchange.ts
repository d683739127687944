import { connect, type NetConnectOpts } from 'node:net';
import { Failure } from './failure.ts';

/**
 * Without a reply for this long the request is taken to be incomplete, and the connection half-closed: most
 * answers come from memory.
 */
const QUIET_MS = 15;

/**
 * How long the other side may keep a connection that the client has half-closed, or that it has left
 * silent: twice the daemon's own limit for a request, and some for a machine with other work.
 */
const BOUND_MS = 20_000;

/** `patient`: sends and waits. `hurried`: half-closes at once. `silent`: leaves the closing to the other side. */
export type Manner = 'patient' | 'hurried' | 'silent';

/** Sends bytes on a connection of their own; gives everything that came back until it was closed. @throws Failure */
export function exchange(
  where: NetConnectOpts,
  bytes: Buffer,
  manner: Manner = 'patient',
  quietMs: number = QUIET_MS,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let refused: NodeJS.ErrnoException | undefined;
    const socket = connect({ ...where, allowHalfOpen: true });
    const end = (): void => void socket.end();
    const quiet = setTimeout(end, quietMs);
    if (manner !== 'patient') clearTimeout(quiet);
    const bound = setTimeout(() => {
      const reply = Buffer.concat(chunks);
      socket.destroy();
      reject(new Failure(`the connection was still open after ${BOUND_MS / 1_000} s`, bytes, reply));
    }, BOUND_MS);
    let connected = false;
    socket.once('connect', () => {
      connected = true;
      if (manner === 'hurried') socket.end(bytes);
      else socket.write(bytes);
    });
    socket.on('data', (chunk) => {
      if (chunks.push(chunk) > 1 || manner !== 'patient') return;
      clearTimeout(quiet);
      // What else the request calls for is under way by then.
      setImmediate(end);
    });
    socket.once('end', end);
    // A reset is the other side's right once it has seen what it was sent.
    socket.once('error', (error) => {
      if (!connected) refused = error;
    });
    socket.once('close', () => {
      clearTimeout(quiet);
      clearTimeout(bound);
      if (refused) reject(new Failure(`no connection: ${refused.message}`, bytes));
      else resolve(Buffer.concat(chunks));
    });
  });
}
