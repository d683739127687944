import { CLIENT_TIMING, type DaemonRequest } from '../../protocol/client.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { ShimEdges } from '../program/edges.ts';
import { startDaemon } from './start-daemon.ts';
import { replaceOlderDaemon } from './upgrade.ts';

/**
 * How often a daemon is started for one request: once since none ran, and once more since that one, or one
 * that others started, was gone again before it answered, as in the middle of an upgrade.
 */
const STARTS = 2;

/**
 * Asks a daemon that may or may not run, and starts none, except in the place of an older one.
 *
 * @throws CcwbError what the daemon answered; ERR_DAEMON_UNREACHABLE when none runs.
 */
export function askRunningDaemon<T>(edges: ShimEdges, request: DaemonRequest): Promise<T> {
  return askAndUpgrade(edges, request, () => askWithRetry<T>(edges, request));
}

/**
 * Asks the daemon, starting it when none runs. `beforeStart` is called before a start: the place to look
 * for mistakes that would keep the daemon from being of use.
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
        // One that is there and says nothing is not helped by a start.
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
    // A socket that nobody serves refuses at once. What took longer is a machine with much to do, and to
    // take its daemon for dead would give it more.
    const refused = performance.now() - askedAt < CLIENT_TIMING.connectMs;
    if (!isDaemonUnreachable(error) || refused || edges.interrupted.aborted) throw error;
    return edges.daemon.ask<T>({ ...request, startingMs: CLIENT_TIMING.startingMs });
  }
}

/**
 * Asks, and has an older daemon replaced once it has answered. A good answer stays good, unless it is about
 * the daemon itself; what an older one refused, or did not know, its successor is asked again.
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
