import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLIENT_TIMING, isListening } from '../../protocol/client.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { ShimEdges } from '../program/edges.ts';
import { type StartedDaemon, startDaemonProcess } from '../program/processes.ts';
import { findServiceManager } from '../service/find-service-manager.ts';
import type { ServiceManager } from '../service/service-manager.ts';
import { isProgram } from '../sign-in/browser.ts';
import { tryProcessLock } from './process-lock.ts';

/** Time limits of a start, in milliseconds. */
export const START_TIMING = {
  /** Longest wait for a daemon that is starting. A cold disk at log-in is slow. */
  daemonMs: 30_000,
  /** Pause before a daemon that found another one is started again. The other one may be ending. */
  occupiedMs: 500,
  /** Longest time to retry while another daemon holds the socket and does not answer. */
  stuckMs: 10_000,
  /** Longest pause between two checks of a caller that waits for another one's start. */
  lookMs: 250,
} as const;

/**
 * Variables of the shell that a daemon started from it inherits, besides CCWB_*: the user and home, the bus of
 * the keyring, and network settings. Others are left out: AWS_* would redirect its calls, NODE_OPTIONS and LD_*
 * would change its code, DISPLAY would let the keyring show a prompt that nobody expects.
 */
const INHERITED = [
  ...['HOME', 'USER', 'LOGNAME', 'TMPDIR', 'TZ', 'LANG', 'LC_ALL'],
  ...['XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'DBUS_SESSION_BUS_ADDRESS'],
  ...['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'NO_PROXY', 'no_proxy'],
  ...['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
];

/**
 * Options of Node.js for the daemon. They save 17 MB of memory, and its start is no slower. The same as in
 * bedrock-authd.sh.
 */
export const DAEMON_NODE_OPTIONS = ['--max-semi-space-size=1', '--optimize-for-size', '--max-lazy'] as const;

const FIXED_PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';

/**
 * Starts the daemon unless one listens: through the service manager where the service is installed, else (or
 * if that fails) as a process of its own. Many callers may do so at once; one daemon survives.
 *
 * @throws CcwbError ERR_DAEMON_START with the last line of the daemon's log as the reason.
 */
export async function startDaemon(edges: ShimEdges): Promise<void> {
  const { socket } = edges.paths;
  if (await isListening(socket)) return;
  const service = installedService(edges);
  if (service) {
    await service.requestStart();
    if (await waitUntilListening(socket, CLIENT_TIMING.startingMs)) return;
  }
  const log = openLog(edges.paths.log);
  const deadline = performance.now() + START_TIMING.daemonMs;
  let lock: { end(): void } | undefined;
  try {
    lock = await waitForStartLock(edges, deadline);
    // The previous holder of the lock may have started it.
    if (await isListening(socket)) return;
    const stuckAt = performance.now() + START_TIMING.stuckMs;
    let daemon: StartedDaemon;
    let occupied = false;
    do {
      daemon = spawnDaemon(edges, log);
      if (await waitUntilListening(socket, deadline - performance.now(), daemon)) return;
      occupied ||= foundAnotherDaemon(daemon);
    } while (foundAnotherDaemon(daemon) && performance.now() < Math.min(stuckAt, deadline));
    if (occupied) throw startError(`another daemon holds ${socket} and does not answer`);
    throw startError(`the daemon could not be started: ${log.lastProblem() ?? endOf(daemon)}`);
  } finally {
    log.close();
    lock?.end();
  }
}

function startError(message: string): CcwbError {
  return new CcwbError(
    'ERR_DAEMON_START',
    message,
    'look into logs/daemon.log in ~/claude-code-with-bedrock',
  );
}

/** Returns the service manager if the service is installed and serves the paths of this caller. */
export function installedService(edges: ShimEdges): ServiceManager | undefined {
  // The service uses the default paths; a caller with other paths wants its own daemon.
  if (edges.env.CCWB_SOCKET || edges.env.CCWB_CONFIG) return undefined;
  const manager = findServiceManager(edges);
  return manager?.isInstalled() ? manager : undefined;
}

function spawnDaemon({ installation, paths, env }: ShimEdges, log: StartLog): StartedDaemon {
  const entry = join(installation, 'daemon', 'index.js');
  if (!existsSync(entry)) {
    throw new CcwbError('ERR_DAEMON_START', `${entry} is missing`, 'run install.sh of the package again');
  }
  const flags = ['--socket', paths.socket, '--config', paths.config];
  if (log.path !== undefined) flags.push('--log-file', log.path);
  return startDaemonProcess(
    // Real paths, because an installer looks for programs that still run from a version.
    [nodeOf(installation), ...DAEMON_NODE_OPTIONS, realpathSync(entry), ...flags],
    daemonEnvironment(env),
    log.fd,
  );
}

/** Returns the installation's own Node.js. This program may run on another one, as an installer does. */
function nodeOf(installation: string): string {
  const own = join(installation, 'runtime', 'bin', 'node');
  return isProgram(own) ? realpathSync(own) : process.execPath;
}

/** The log that a daemon is started with. `path` is undefined if none can be written. */
type StartLog = { fd: number; path: string | undefined; lastProblem(): string | undefined; close(): void };

function openLog(path: string): StartLog {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    const before = fstatSync(fd).size;
    return { fd, path, lastProblem: () => lastWords(path, before), close: () => closeSync(fd) };
  } catch (error) {
    // A daemon without a log still serves credentials, in a home that is full or read-only.
    const { code } = error as NodeJS.ErrnoException;
    const fd = openSync('/dev/null', 'w');
    const reason = `its log ${path} cannot be written (${code ?? 'unknown error'})`;
    return { fd, path: undefined, lastProblem: () => reason, close: () => closeSync(fd) };
  }
}

/** Returns the environment of a daemon that this process starts. */
export function daemonEnvironment(env: ShimEdges['env']): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (INHERITED.includes(entry[0]) || entry[0].startsWith('CCWB_')),
  );
  return { ...Object.fromEntries(kept), PATH: FIXED_PATH };
}

/** Waits for a listener on the socket. False after `limitMs`, or if `daemon` has ended. */
async function waitUntilListening(socket: string, limitMs: number, daemon?: StartedDaemon): Promise<boolean> {
  let deadline = performance.now() + limitMs;
  let ended = false;
  for (;;) {
    if (await isListening(socket)) return true;
    if (daemon?.end() && !ended) {
      ended = true;
      deadline = foundAnotherDaemon(daemon)
        ? Math.min(deadline, performance.now() + START_TIMING.occupiedMs)
        : 0;
    }
    if (performance.now() >= deadline) return isListening(socket);
    await sleep(CLIENT_TIMING.retryMs);
  }
}

/** True if the daemon ended with status 0: it found another daemon, which is about to listen, or to end. */
function foundAnotherDaemon(daemon: StartedDaemon): boolean {
  const end = daemon.end();
  return end?.kind === 'exited' && end.status === 0;
}

/** Describes the end of a daemon that logged no error. */
function endOf(daemon: StartedDaemon): string {
  const end = daemon.end() ?? { kind: 'running' };
  if (end.kind === 'running') return 'it runs, and does not listen';
  return end.kind === 'failed' ? `it was ended by ${end.reason}` : `it ended with status ${end.status}`;
}

/**
 * Waits for the lock for starting the daemon. Claude Code runs thirteen shims at once: one starts the daemon, the
 * others wait and check less and less often. Thirteen starts, or frequent checks, would slow the daemon's start.
 *
 * @returns the lock; undefined when there is a daemon by now, or where no mark can be written.
 * @throws CcwbError ERR_DAEMON_START when another caller is still at it after `deadline`.
 */
async function waitForStartLock(
  { paths, now }: ShimEdges,
  deadline: number,
): Promise<{ end(): void } | undefined> {
  const mark = join(dirname(paths.log), 'daemon.starting');
  let pauseMs: number = CLIENT_TIMING.retryMs;
  for (;;) {
    try {
      const lock = tryProcessLock(mark, now(), START_TIMING.daemonMs);
      if ('end' in lock) return lock;
    } catch {
      // The lock only saves work: without it the daemon is started all the same.
      return undefined;
    }
    if (await isListening(paths.socket)) return undefined;
    if (performance.now() >= deadline) {
      throw startError('another program has started the daemon, and it does not listen');
    }
    await sleep(pauseMs);
    pauseMs = Math.min(1.5 * pauseMs, START_TIMING.lookMs);
  }
}

/** Returns the last error in the log after `offset`, if any: an error's first line, or a record's event. */
function lastWords(path: string, offset: number): string | undefined {
  const lines = readFileSync(path).subarray(offset).toString('utf8').split('\n');
  const said = lines.filter((line) => /^\S/.test(line)).map(problemIn);
  return said.findLast((text) => text !== undefined)?.slice(0, 300);
}

/** Returns a line, or the event of an error record. Undefined for every other record. */
function problemIn(line: string): string | undefined {
  try {
    const record = JSON.parse(line) as { level?: unknown; event?: unknown } | null;
    return record?.level === 'error' && typeof record.event === 'string' ? record.event : undefined;
  } catch {
    return line;
  }
}
