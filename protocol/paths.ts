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

/** Suffix of the previous log file: a full log is renamed to it. */
export const PREDECESSOR = '.1';

/** Facts that the paths depend on; a value, so that tests can set any platform. */
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
  /** File of the authorization token of the container credentials endpoint, beside the daemon's socket. */
  containerToken: string;
  /** Audit log of the programs that got credentials. */
  audit: string;
};

/**
 * Returns every path of this user's installation. Shim and daemon must agree even if one of them lacks
 * XDG_RUNTIME_DIR (cron, `sudo -u`, editors): then `/run/user/UID` is used if it belongs to this user.
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

/** Returns the path of config.json, for programs that do not use the socket. */
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

/** Returns the facts of the running process. */
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

/** Returns the directory of a socket. The socket is trusted if the directory is this user's with mode 0700. */
export function socketDirectory(socket: string): string {
  return dirname(socket);
}
