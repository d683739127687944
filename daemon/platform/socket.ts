import { chmodSync, closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { CcwbError } from '../../protocol/errors.ts';
import { socketDirectory } from '../../protocol/paths.ts';
import { tryLock } from './native.ts';

/** First descriptor systemd passes; see sd_listen_fds(3). */
const SYSTEMD_FIRST_FD = 3;

/** Where the daemon listens: a path it makes itself, or a socket the service manager opened already. */
export type SocketSource = { path: string } | { fd: number };

export type ListeningSocket = {
  /**
   * Listens again when the socket's file has been removed: nobody could reach this daemon, and its lock
   * would keep every other from starting. What stands there instead is left alone.
   *
   * @returns whether it had to.
   * @throws CcwbError ERR_DAEMON_RUNNING when the lock's file went too and another daemon has the place;
   *   ERR_SOCKET_UNSAFE when the place is no longer safe, or taken by something else.
   */
  restore(): Promise<boolean>;
  /** After the server was closed: lets another daemon start. */
  release(): void;
};

/**
 * The socket systemd opened for this process, if it did (sd_listen_fds(3)).
 *
 * @throws CcwbError ERR_SOCKET_UNSAFE when there is not exactly one.
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
 * Binds the server to the daemon's socket. One daemon per path: the others find the lock taken.
 *
 * @throws CcwbError ERR_DAEMON_RUNNING, ERR_SOCKET_UNSAFE
 */
export async function listen(server: Server, source: SocketSource): Promise<ListeningSocket> {
  if ('fd' in source) {
    await listening(server, () => server.listen({ fd: source.fd }));
    // Its file is the service manager's.
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
      // Ends the listening alone: connections stay, and are answered.
      server.close();
      await bind(server, path);
      return true;
    },
    // Node removes the socket's file when it closes the server; until then nobody else can have the lock.
    release: () => closeSync(lock),
  };
}

/** Makes the place ours: its directory is safe and its lock taken. Returns the lock's descriptor. */
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

/** Makes the directory, or makes sure that the one there is ours alone. */
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

/** The lock lives as long as its descriptor, so as long as the process: no stale locks. */
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

/** Removes what a killed daemon left. Asks first: the lock may not be available on this platform. */
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

/** Whether any process accepts connections there, a stuck one included: only a refusal is proof of death. */
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
