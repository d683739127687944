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
 * The daemon of the installation, as a service where there is a service manager, in the place of one of other
 * programs: what is in flight is answered, and a sign-in under way is finished first.
 *
 * @param version the one that the installation is to use.
 * @param service false: without a service manager, unless the service is there already.
 */
export async function planDaemon(edges: ShimEdges, version: string, service: boolean): Promise<InstallPlan> {
  const manager = await findAvailableManager(edges);
  // A look at a socket that starts a daemon would be a change.
  const { running } = await inspectDaemon(edges, manager?.installed() ? manager : undefined);
  const renewed = running !== undefined && !(await isDaemonOfVersion(edges, running, version));
  if (manager && (service || manager.installed())) return planService(edges, manager, renewed);
  if (!running || !renewed) return NO_CHANGES;
  const make = (): Promise<readonly string[]> => replaceDaemon(edges, running);
  return { changes: [{ text: `the daemon ${running.build} replaced`, apply: make }], manualSteps: [] };
}

/** Whether a daemon is of a version: of its build, and, as far as that can be told, of its files. */
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
  // What keeps it from being looked at keeps it from being set up, and is told then.
  const upToDate = !renewed && (await isServiceUpToDate(edges, manager).catch(() => false));
  if (upToDate) return NO_CHANGES;
  const make = async (): Promise<readonly string[]> => {
    const { daemon } = await setUpService(edges, manager, renewed);
    return daemon === 'later' ? ['the daemon finishes a sign-in first; the new one takes over after it'] : [];
  };
  return { changes: [{ text: `the service (${manager.name})`, apply: make }], manualSteps: [] };
}

/** Undefined where there is none that can be asked, and for a daemon at other paths. */
async function findAvailableManager(edges: ShimEdges): Promise<ServiceManager | undefined> {
  if (edges.env.CCWB_SOCKET || edges.env.CCWB_CONFIG) return undefined;
  const manager = findServiceManager(edges);
  const available = await manager?.available().then(
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
