import { join } from 'node:path';
import type { VersionReply } from '../../protocol/api.ts';
import { BUILD_VERSION } from '../../protocol/version.ts';
import { inspectDaemon, SERVICE_TIMING, stopDaemon } from '../daemon/service-daemon.ts';
import { startDaemon } from '../daemon/start-daemon.ts';
import { drainDaemon } from '../daemon/upgrade.ts';
import { VERSIONS_FOLDER } from '../installation/layout.ts';
import { listProcesses, runsFromFolder } from '../installation/running-processes.ts';
import type { ShimEdges } from '../program/edges.ts';
import { findServiceManager } from '../service/find-service-manager.ts';
import { isServiceUpToDate, setUpService } from '../service/service.ts';
import type { ServiceManager } from '../service/service-manager.ts';
import { type InstallPlan, NO_CHANGES } from './install-plan.ts';

/**
 * Plans the service of the daemon, and the replacement of a daemon of another version. A replaced daemon first
 * answers its open requests and finishes a sign-in in progress.
 *
 * @param version the version that the installation will use.
 * @param service false to register no service, unless it is installed already.
 */
export async function planDaemon(edges: ShimEdges, version: string, service: boolean): Promise<InstallPlan> {
  const manager = await findAvailableManager(edges);
  // Connecting to a socket of the service manager would start a daemon, and planning changes nothing.
  const { running } = await inspectDaemon(edges, manager?.isInstalled() ? manager : undefined);
  const renewed = running !== undefined && !(await isDaemonOfVersion(edges, running, version));
  if (manager && (service || manager.isInstalled())) return planService(edges, manager, renewed);
  if (!running || !renewed) return NO_CHANGES;
  const apply = (): Promise<readonly string[]> => replaceDaemon(edges, running);
  return { changes: [{ text: `the daemon ${running.build} replaced`, apply }], manualSteps: [] };
}

/** Compares the daemon's build and, if its command line can be read, the folder it runs from. */
async function isDaemonOfVersion(
  edges: ShimEdges,
  { pid, build }: VersionReply,
  version: string,
): Promise<boolean> {
  if (build !== BUILD_VERSION) return false;
  const versions = join(edges.installation, VERSIONS_FOLDER);
  const command = (await listProcesses(edges))?.find((each) => each.pid === pid)?.command;
  return command === undefined || runsFromFolder(command, join(versions, version));
}

async function planService(
  edges: ShimEdges,
  manager: ServiceManager,
  renewed: boolean,
): Promise<InstallPlan> {
  // An error here would also prevent the set-up, which reports it.
  const upToDate = !renewed && (await isServiceUpToDate(edges, manager).catch(() => false));
  if (upToDate) return NO_CHANGES;
  const apply = async (): Promise<readonly string[]> => {
    const { daemon } = await setUpService(edges, manager, renewed);
    return daemon === 'later' ? ['the daemon finishes a sign-in first; the new one takes over after it'] : [];
  };
  return { changes: [{ text: `the service (${manager.name})`, apply }], manualSteps: [] };
}

/** Undefined if no service manager answers, or if the environment names other paths for the daemon. */
async function findAvailableManager(edges: ShimEdges): Promise<ServiceManager | undefined> {
  if (edges.env.CCWB_SOCKET || edges.env.CCWB_CONFIG) return undefined;
  const manager = findServiceManager(edges);
  const available = await manager?.checkAvailable().then(
    () => true,
    () => false,
  );
  return available ? manager : undefined;
}

async function replaceDaemon(edges: ShimEdges, running: VersionReply): Promise<readonly string[]> {
  const outcome = await drainDaemon(edges, running, SERVICE_TIMING.endMs).catch(() => 'busy');
  if (outcome === 'signing-in') {
    return ['the daemon finishes a sign-in first; the next program that asks then starts the new one'];
  }
  if (outcome === 'busy') await stopDaemon(edges, running);
  await startDaemon(edges);
  return [];
}
