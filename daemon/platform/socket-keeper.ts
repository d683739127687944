import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { asCcwbError } from '../../protocol/errors.ts';
import { causeOf, type Log } from './log.ts';
import type { ListeningSocket, SocketSource } from './socket.ts';

export type SocketKeeper = {
  /** Checks that the socket's file still exists, and restores it. Never rejects. */
  check(): Promise<void>;
  /** Resolves when no check is in progress: one could listen again after the server was closed. */
  stop(): Promise<void>;
};

/**
 * Restores the socket's file after a clean-up of its directory removed it. The system reports the removal at
 * once where it can; otherwise the next check finds it.
 *
 * @param lost called once if another daemon has taken the path, and serves from now on.
 */
export function startSocketKeeper(
  listening: ListeningSocket,
  source: SocketSource,
  log: Log,
  lost: () => void,
): SocketKeeper {
  let watcher: FSWatcher | undefined;
  let stopped = false;
  let checking: Promise<void> | undefined;
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
      // Logged once for each problem, not at each check.
      if (error.message === problem) return;
      problem = error.message;
      log('error', 'socket cannot be restored', { code: error.code, cause: causeOf(thrown) });
      if (error.code !== 'ERR_DAEMON_RUNNING') return;
      void stop();
      lost();
    }
  };

  const check = async (): Promise<void> => {
    if (stopped) return;
    checking ??= restore().finally(() => {
      checking = undefined;
    });
    await checking;
  };

  const watchAgain = (): void => {
    watcher?.close();
    watcher = undefined;
    if (!('path' in source) || stopped) return;
    const { path } = source;
    try {
      watcher = watch(dirname(path), { persistent: false }, (_event, name) => {
        if (name === null || name === basename(path)) void check();
      });
      // The directory was removed, or can no longer be watched: the scheduler's checks continue.
      watcher.on('error', () => watcher?.close());
    } catch {
      // Possibly this user has too many watches: the scheduler's checks are enough.
    }
  };

  const stop = async (): Promise<void> => {
    stopped = true;
    watcher?.close();
    await checking;
  };
  watchAgain();
  return { check, stop };
}
