import { lstatSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { CcwbError } from './errors.ts';

/** The folder an installation lives in, under the user's home; also the name under XDG_RUNTIME_DIR. */
export const INSTALL_FOLDER = 'claude-code-with-bedrock';

/**
 * Longest socket path in bytes that every platform takes: macOS has 104 bytes for `sun_path` with its
 * final NUL, Linux 108, and Node truncates a longer one silently.
 */
export const SOCKET_PATH_MAX_BYTES = 103;

/** What the file before a log's is called, after that file's own name: logs make room when they are full. */
export const PREDECESSOR = '.1';

/** What the paths depend on; a value, so that tests can be any platform. */
export type PathSource = {
  platform: NodeJS.Platform;
  env: Readonly<Record<string, string | undefined>>;
  home: string;
  uid: number;
  /** True when the directory exists, is no symbolic link and belongs to `uid`. */
  isOwnDirectory(path: string): boolean;
};

export type Paths = {
  /** `~/claude-code-with-bedrock`. */
  installDirectory: string;
  /** config.json; `CCWB_CONFIG` overrides. */
  config: string;
  /** network.json: proxies and certificate authorities kept for the service. */
  networkSettings: string;
  /** The daemon's socket; `CCWB_SOCKET` overrides. */
  socket: string;
  /** Session files and locks. On Linux with XDG_RUNTIME_DIR a tmpfs that ends with the user's last login. */
  runtimeDirectory: string;
  /** Log file of a daemon that no service manager started. */
  log: string;
  /** What callers of the container credentials endpoint must send; beside the socket of the daemon that serves it. */
  containerToken: string;
  /** Which programs got credentials, whoever started the daemon. */
  audit: string;
};

/**
 * Every path of this user's installation. The shim and the daemon must agree also where one of them
 * lacks XDG_RUNTIME_DIR (cron, `sudo -u`, editors): then `/run/user/UID` counts when it is ours.
 *
 * @throws CcwbError ERR_SOCKET_PATH when the socket's path is relative or over 103 bytes.
 */
export function resolvePaths(source: PathSource = thisProcess()): Paths {
  const installDirectory = join(source.home, INSTALL_FOLDER);
  const runtimeDirectory = resolveRuntimeDirectory(source, installDirectory);
  const socket = checkSocketPath(source.env.CCWB_SOCKET || join(runtimeDirectory, 'daemon.sock'));
  return {
    installDirectory,
    config: resolveConfigPath(source),
    networkSettings: join(installDirectory, 'network.json'),
    socket,
    runtimeDirectory,
    containerToken: join(socketDirectory(socket), 'container-authorization-token'),
    log: join(installDirectory, 'logs', 'daemon.log'),
    audit: join(installDirectory, 'logs', 'audit.jsonl'),
  };
}

/** Where config.json is, for programs that have no business with the socket. */
export function resolveConfigPath(source: Pick<PathSource, 'env' | 'home'> = thisProcess()): string {
  return source.env.CCWB_CONFIG || join(source.home, INSTALL_FOLDER, 'config.json');
}

function resolveRuntimeDirectory(source: PathSource, installDirectory: string): string {
  if (source.platform === 'linux') {
    const declared = source.env.XDG_RUNTIME_DIR;
    // The XDG base directory specification: a relative path is invalid and is to be ignored.
    if (declared && isAbsolute(declared)) return join(declared, INSTALL_FOLDER);
    const usual = `/run/user/${source.uid}`;
    if (source.isOwnDirectory(usual)) return join(usual, INSTALL_FOLDER);
  }
  return join(installDirectory, 'run');
}

function checkSocketPath(path: string): string {
  const bytes = Buffer.byteLength(path);
  if (isAbsolute(path) && bytes <= SOCKET_PATH_MAX_BYTES) return path;
  const problem = isAbsolute(path) ? `is ${bytes} bytes long` : 'is not absolute';
  throw new CcwbError(
    'ERR_SOCKET_PATH',
    `the socket path ${path} ${problem}; it must be absolute and at most ${SOCKET_PATH_MAX_BYTES} bytes`,
    'set CCWB_SOCKET to a short absolute path, for the daemon and for every program that uses it',
  );
}

/** The running process as a source of paths. */
export function thisProcess(): PathSource {
  const uid = process.getuid?.() ?? userInfo().uid;
  return {
    platform: process.platform,
    env: process.env,
    home: homedir(),
    uid,
    isOwnDirectory: (path) => {
      const stat = lstatSync(path, { throwIfNoEntry: false });
      return stat?.isDirectory() === true && stat.uid === uid;
    },
  };
}

/** The directory that must be mode 0700 and ours for the socket in it to be trusted. */
export function socketDirectory(socket: string): string {
  return dirname(socket);
}
