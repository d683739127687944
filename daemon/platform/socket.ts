import { chmodSync, closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { CcwbError } from '../../protocol/errors.ts';
import { socketDirectory } from '../../protocol/paths.ts';
import { tryLock } from './native.ts';

/** The first descriptor that systemd passes; see sd_listen_fds(3). */
const SYSTEMD_FIRST_FD = 3;

/** The socket to listen on: a path for a new one, or the descriptor of one that the service manager opened. */
export type SocketSource = { path: string } | { fd: number };

export type ListeningSocket = {
  /**
   * Listens again if the socket's file was removed. Otherwise no program could connect to this daemon, while
   * its lock prevents another daemon's start. Any other file at the path is not touched.
   *
   * @returns true if the file was missing.
   * @throws CcwbError ERR_DAEMON_RUNNING if the lock's file was removed too and another daemon uses the path;
   *   ERR_SOCKET_UNSAFE if the directory is no longer safe, or something else is at the path.
   */
  restore(): Promise<boolean>;
  /** Releases the lock after the server was closed, so that another daemon can start. */
  release(): void;
};

/**
 * Returns the socket that systemd opened for this process, if any (sd_listen_fds(3)).
 *
 * @throws CcwbError ERR_SOCKET_UNSAFE unless there is exactly one.
 */
export function systemdSocket(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): { fd: number } | undefined {
  if (env.LISTEN_PID !== String(pid)) return undefined;
  if (env.LISTEN_FDS === '1') return { fd: SYSTEMD_FIRST_FD };
  throw new CcwbError(
    'ERR_SOCKET_UNSAFE',
    `the service manager passed ${env.LISTEN_FDS ?? 'no'} sockets; exactly one is expected`,
    'use the unit files in service-files/ of the installation as they are',
  );
}

/**
 * Binds the server to the daemon's socket. A lock allows one daemon per path.
 *
 * @throws CcwbError ERR_DAEMON_RUNNING, ERR_SOCKET_UNSAFE
 */
export async function listen(server: Server, source: SocketSource): Promise<ListeningSocket> {
  if ('fd' in source) {
    await listening(server, () => server.listen({ fd: source.fd }));
    // The file belongs to the service manager.
    return { restore: async () => false, release: () => {} };
  }
  const { path } = source;
  let lock = claim(path);
  try {
    await bind(server, path);
  } catch (error) {
    closeSync(lock);
    throw error;
  }
  return {
    restore: async () => {
      if (!isFileOf(lock, lockOf(path))) {
        const taken = claim(path);
        closeSync(lock);
        lock = taken;
      }
      if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return false;
      await removeStale(path);
      // Stops listening only: open connections are still answered.
      server.close();
      await bind(server, path);
      return true;
    },
    // Node removes the socket's file when it closes the server; until then no other daemon may take the lock.
    release: () => closeSync(lock),
  };
}

/** Prepares the directory and takes the lock. Returns the lock's descriptor. */
function claim(path: string): number {
  prepareDirectory(socketDirectory(path));
  return takeLock(lockOf(path), path);
}

function lockOf(path: string): string {
  return `${path}.lock`;
}

async function bind(server: Server, path: string): Promise<void> {
  await removeStale(path);
  await listening(server, () => server.listen(path));
  chmodSync(path, 0o600);
}

function isFileOf(fd: number, path: string): boolean {
  const [open, there] = [fstatSync(fd), lstatSync(path, { throwIfNoEntry: false })];
  return there !== undefined && there.ino === open.ino && there.dev === open.dev;
}

/** Creates the directory, or checks that only this user can access the existing one. */
function prepareDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new CcwbError(
      'ERR_SOCKET_UNSAFE',
      `the directory ${directory} cannot be made (${(cause as NodeJS.ErrnoException).code ?? 'unknown error'})`,
      'make its parent writable for you, or set CCWB_SOCKET to a path elsewhere',
      { cause },
    );
  }
  const stat = lstatSync(directory);
  const uid = process.getuid?.();
  if (uid === undefined) return;
  const problem = stat.isSymbolicLink()
    ? 'is a symbolic link'
    : !stat.isDirectory()
      ? 'is no directory'
      : stat.uid !== uid
        ? `belongs to uid ${stat.uid}`
        : stat.mode & 0o077
          ? `is open to others (mode ${(stat.mode & 0o777).toString(8)})`
          : undefined;
  if (problem === undefined) return;
  throw new CcwbError(
    'ERR_SOCKET_UNSAFE',
    `${directory} ${problem}; it must be a directory of yours with mode 700`,
    `run "chmod 700 ${directory}" if it is yours, else remove it or set CCWB_SOCKET`,
  );
}

/** Takes the lock. The kernel releases it when the process ends, so no lock is stale. */
function takeLock(lockPath: string, socket: string): number {
  let fd: number;
  try {
    fd = openSync(lockPath, constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0), 0o600);
  } catch (cause) {
    throw new CcwbError(
      'ERR_SOCKET_UNSAFE',
      `the lock ${lockPath} cannot be opened (${(cause as NodeJS.ErrnoException).code ?? 'unknown error'})`,
      `remove ${lockPath}, then try again`,
      { cause },
    );
  }
  if (tryLock(fd) !== false) return fd;
  closeSync(fd);
  throw alreadyRunning(socket);
}

/** Removes the socket of a killed daemon. Connects first, because a platform may have no locks. */
async function removeStale(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return;
  if (!stat.isSocket() || (process.getuid && stat.uid !== process.getuid())) {
    throw new CcwbError(
      'ERR_SOCKET_UNSAFE',
      `${path} exists and is not a socket of yours`,
      `remove ${path}, or set CCWB_SOCKET to a path elsewhere`,
    );
  }
  if (await accepts(path)) throw alreadyRunning(path);
  rmSync(path, { force: true });
}

/** True if a process listens at the path, even one that hangs. Only a refused connection proves that none does. */
function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
  });
}

function alreadyRunning(path: string): CcwbError {
  return new CcwbError(
    'ERR_DAEMON_RUNNING',
    `another daemon already serves ${path}`,
    'use that one, or stop it first',
  );
}

function listening(server: Server, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    start();
  });
}
