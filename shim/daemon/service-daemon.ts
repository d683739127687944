import type { VersionReply } from '../../protocol/api.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { isOlder } from '../../protocol/version.ts';
import type { ShimEdges } from '../program/edges.ts';
import type { ServiceManager } from '../service/service-manager.ts';
import { startDaemon } from './start-daemon.ts';
import { drainDaemon, findRunningDaemon, waitUntilGone } from './upgrade.ts';

/** Time limits in milliseconds. */
export const SERVICE_TIMING = {
  /** Time for a daemon to end: its longest remote call, and the requests that wait for it. */
  endMs: 30_000,
  /** Time for a sign-in in progress to end, if the service does not own its daemon. */
  signInMs: 330_000,
  /** Time for the service manager to start a daemon from a cold disk. */
  startMs: 10_000,
} as const;

/** Most attempts to start the service while other programs start daemons of their own. */
const MAX_SWITCHES = 3;

/** Returns the running daemon, whoever started it. Does not connect to a socket that would start one. */
export async function inspectDaemon(
  edges: ShimEdges,
  manager: ServiceManager | undefined,
): Promise<{ running: VersionReply | undefined; own: boolean; listening: boolean }> {
  const state = await manager?.readState();
  const listening = state?.listening ?? false;
  const running = listening && state?.pid === undefined ? undefined : await findRunningDaemon(edges);
  return { running, own: running !== undefined && running.pid === state?.pid, listening };
}

/**
 * Replaces any other daemon by that of the service, of this build or a newer one. Callers meanwhile wait on
 * the service's socket, or start the service.
 *
 * @param changed the service manager has new files, or the daemon new settings.
 * @param renewed the installation has other programs, if only of the same build.
 * @returns `later` when the service's own daemon has a sign-in to finish first.
 */
export async function switchToServiceDaemon(
  edges: ShimEdges,
  manager: ServiceManager,
  changed: boolean,
  renewed = false,
): Promise<VersionReply | 'later'> {
  let stale = changed;
  let old = renewed;
  for (let tries = 0; tries <= MAX_SWITCHES; tries += 1) {
    const { running, own } = await inspectDaemon(edges, manager);
    if (running && own && !stale && !old && !isOlder(running)) return running;
    if (running && (await drainOrStop(edges, running, own)) === 'later') return 'later';
    // The service may listen on another socket now.
    if (stale) await manager.stop();
    stale = false;
    old = false;
    await startDaemonWith(edges, manager);
  }
  throw new CcwbError(
    'ERR_SERVICE_FAILED',
    'another daemon comes before that of the service each time it is started',
    `end the programs that start it, then try again; ${manager.diagnoseCommand} shows the service`,
  );
}

/** Starts the daemon, and returns when it answers. */
export async function startDaemonWith(edges: ShimEdges, manager: ServiceManager | undefined): Promise<void> {
  if (!manager) return startDaemon(edges);
  await manager.start();
  const patiently = { startingMs: SERVICE_TIMING.startMs, answerMs: SERVICE_TIMING.startMs };
  try {
    await edges.daemon.ask({ route: 'version', ...patiently });
  } catch (cause) {
    throw new CcwbError(
      'ERR_SERVICE_FAILED',
      `${manager.name} started the service, and nothing answers on ${edges.paths.socket}`,
      `run ${manager.diagnoseCommand} to see why`,
      { cause },
    );
  }
}

/**
 * Stops a daemon now. Requests in flight are answered; a sign-in in progress is cancelled and its callers told.
 *
 * @throws CcwbError ERR_SERVICE_FAILED when it stays.
 */
export async function stopDaemon(edges: ShimEdges, running: VersionReply): Promise<void> {
  const outcome = await drainDaemon(edges, running, SERVICE_TIMING.endMs, { now: true }).catch(() => 'busy');
  if (outcome === 'gone') return;
  throw new CcwbError(
    'ERR_SERVICE_FAILED',
    `the daemon ${running.build}, process ${running.pid}, does not end`,
    `run kill ${running.pid}, then try again; the sign-in is kept`,
  );
}

/** Stops a daemon so that the service's can start, after the sign-in in progress. */
async function drainOrStop(edges: ShimEdges, running: VersionReply, own: boolean): Promise<'later' | 'gone'> {
  const outcome = await drainDaemon(edges, running, SERVICE_TIMING.endMs).catch(() => 'busy');
  if (outcome === 'gone') return 'gone';
  if (outcome === 'signing-in') {
    if (own) return 'later';
    edges.writeError(
      'A sign-in is under way; the service takes over when it has ended, in 5 min at most ...\n',
    );
    if (await waitUntilGone(edges, running, SERVICE_TIMING.signInMs)) return 'gone';
  }
  if (!edges.interrupted.aborted) await stopDaemon(edges, running);
  return 'gone';
}
