import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { asCcwbError } from '../../protocol/errors.ts';
import { causeOf, type Log } from './log.ts';
import type { ListeningSocket, SocketSource } from './socket.ts';

export type SocketKeeper = {
  /** Looks whether the socket is still where callers look for it. Never rejects. */
  look(): Promise<void>;
  /** Resolves when no look is under way: one that is could listen again after the server was closed. */
  stop(): Promise<void>;
};

/**
 * Keeps a daemon reachable whose socket is removed by a clean-up of the directory it is in: told by the
 * system at once where it can tell, else found at the next look.
 *
 * @param lost called once when another daemon has taken the place: that one serves from now on.
 */
export function startSocketKeeper(
  listening: ListeningSocket,
  source: SocketSource,
  log: Log,
  lost: () => void,
): SocketKeeper {
  let watcher: FSWatcher | undefined;
  let stopped = false;
  let looking: Promise<void> | undefined;
  let problem = '';

  const restore = async (): Promise<void> => {
    try {
      if (await listening.restore()) {
        log('warn', 'socket was removed, listening again');
        watchAgain();
      }
      problem = '';
    } catch (thrown) {
      const error = asCcwbError(thrown);
      // Once for each problem, not at each look.
      if (error.message === problem) return;
      problem = error.message;
      log('error', 'socket cannot be restored', { code: error.code, cause: causeOf(thrown) });
      if (error.code !== 'ERR_DAEMON_RUNNING') return;
      void stop();
      lost();
    }
  };

  const look = async (): Promise<void> => {
    if (stopped) return;
    looking ??= restore().finally(() => {
      looking = undefined;
    });
    await looking;
  };

  const watchAgain = (): void => {
    watcher?.close();
    watcher = undefined;
    if (!('path' in source) || stopped) return;
    const { path } = source;
    try {
      watcher = watch(dirname(path), { persistent: false }, (_event, name) => {
        if (name === null || name === basename(path)) void look();
      });
      // The directory is gone, or cannot be watched any more: the looks go on.
      watcher.on('error', () => watcher?.close());
    } catch {
      // No watches left for this user, say.
    }
  };

  const stop = async (): Promise<void> => {
    stopped = true;
    watcher?.close();
    await looking;
  };
  watchAgain();
  return { look, stop };
}
