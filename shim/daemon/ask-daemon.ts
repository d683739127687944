import { CLIENT_TIMING, type DaemonRequest } from '../../protocol/client.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { ShimEdges } from '../program/edges.ts';
import { startDaemon } from './start-daemon.ts';
import { replaceOlderDaemon } from './upgrade.ts';

/**
 * Most starts of a daemon for one request: one because none ran, and one more if that daemon ended before it
 * answered, as in the middle of an upgrade.
 */
const STARTS = 2;

/**
 * Asks the running daemon. Starts none, except to replace an older one.
 *
 * @throws CcwbError what the daemon answered; ERR_DAEMON_UNREACHABLE when none runs.
 */
export function askRunningDaemon<T>(edges: ShimEdges, request: DaemonRequest): Promise<T> {
  return askAndUpgrade(edges, request, () => askWithRetry<T>(edges, request));
}

/**
 * Asks the daemon, and starts it if none runs. `beforeStart` is called before a start, to check what would make
 * the daemon useless.
 *
 * @throws CcwbError what the daemon answered; ERR_DAEMON_START when it could not be started.
 */
export function askDaemon<T>(
  edges: ShimEdges,
  request: DaemonRequest,
  beforeStart: () => void = () => {},
): Promise<T> {
  return askAndUpgrade(edges, request, async () => {
    let ask = (): Promise<T> => askWithRetry<T>(edges, request);
    for (let starts = 0; ; starts += 1) {
      const askedAt = performance.now();
      try {
        return await ask();
      } catch (error) {
        if (!isDaemonUnreachable(error) || edges.interrupted.aborted || starts === STARTS) throw error;
        // A start does not help a daemon that runs and does not answer.
        const tookMs = performance.now() - askedAt;
        if (starts > 0 && tookMs >= (request.answerMs ?? CLIENT_TIMING.answerMs)) throw error;
      }
      if (starts === 0) beforeStart();
      await startDaemon(edges);
      ask = () => edges.daemon.ask<T>({ ...request, startingMs: CLIENT_TIMING.startingMs });
    }
  });
}

/** True when no daemon runs, or none that answers. */
export function isDaemonUnreachable(error: unknown): boolean {
  return error instanceof CcwbError && error.code === 'ERR_DAEMON_UNREACHABLE';
}

async function askWithRetry<T>(edges: ShimEdges, request: DaemonRequest): Promise<T> {
  const askedAt = performance.now();
  try {
    return await edges.daemon.ask<T>(request);
  } catch (error) {
    // A socket without a server refuses at once. A slower failure means a busy machine, and starting another
    // daemon would make it busier.
    const refused = performance.now() - askedAt < CLIENT_TIMING.connectMs;
    if (!isDaemonUnreachable(error) || refused || edges.interrupted.aborted) throw error;
    return edges.daemon.ask<T>({ ...request, startingMs: CLIENT_TIMING.startingMs });
  }
}

/**
 * Asks, and replaces an older daemon once it has answered. A good answer is kept, unless it is about the daemon
 * itself. A request that the older daemon refused is sent again to its successor.
 */
async function askAndUpgrade<T>(
  edges: ShimEdges,
  { route }: DaemonRequest,
  ask: () => Promise<T>,
): Promise<T> {
  let answer: T;
  try {
    answer = await ask();
  } catch (error) {
    if (await replaceOlderDaemon(edges)) return ask();
    throw error;
  }
  const replaced = await replaceOlderDaemon(edges);
  return replaced && route === 'status' ? ask() : answer;
}
