import { CLIENT_TIMING, type DaemonRequest } from '../protocol/client.ts';
import { CcwbError } from '../protocol/errors.ts';
import type { Program } from './program.ts';
import { startDaemon } from './start-daemon.ts';

/**
 * Asks a daemon that may or may not run, and starts none.
 *
 * @throws CcwbError what the daemon answered; ERR_DAEMON_UNREACHABLE when none runs.
 */
export async function askRunning<T>(program: Program, request: DaemonRequest): Promise<T> {
  const askedAt = performance.now();
  try {
    return await program.daemon.ask<T>(request);
  } catch (error) {
    // A socket that nobody serves refuses at once. What took longer is a machine with much to do, and to
    // take its daemon for dead would give it more.
    const refused = performance.now() - askedAt < CLIENT_TIMING.connectMs;
    if (!isUnreachable(error) || refused || program.interrupted.aborted) throw error;
    return program.daemon.ask<T>({ ...request, startingMs: CLIENT_TIMING.startingMs });
  }
}

/**
 * Asks the daemon, starting it when none runs. `beforeStart` is called before a start: the place to look
 * for mistakes that would keep the daemon from being of use.
 *
 * @throws CcwbError what the daemon answered; ERR_DAEMON_START when it could not be started.
 */
export async function askStarting<T>(
  program: Program,
  request: DaemonRequest,
  beforeStart: () => void = () => {},
): Promise<T> {
  try {
    return await askRunning<T>(program, request);
  } catch (error) {
    if (!isUnreachable(error) || program.interrupted.aborted) throw error;
    beforeStart();
    await startDaemon(program);
    return program.daemon.ask<T>({ ...request, startingMs: CLIENT_TIMING.startingMs });
  }
}

/** True when no daemon runs, or none that answers. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof CcwbError && error.code === 'ERR_DAEMON_UNREACHABLE';
}
