import type { VersionReply } from '../../protocol/api.ts';
import { asCcwbError } from '../../protocol/errors.ts';
import { isOlder } from '../../protocol/version.ts';
import { findServiceManager } from '../find-service-manager.ts';
import type { Program } from '../program.ts';
import { isServiceUpToDate, setUpService } from '../service.ts';
import type { ServiceManager } from '../service-manager.ts';
import { startDaemon } from '../start-daemon.ts';
import { endDaemon, SERVICE_TIMING } from '../take-over.ts';
import { giveWay, runningDaemon } from '../upgrade.ts';
import { asByHand, NOTHING, type Plan } from './step.ts';

/**
 * The daemon of the installation, as a service where there is a service manager, in the place of one of other
 * programs: what is in flight is answered, and a sign-in under way is finished first.
 *
 * @param renewed the installation has other programs now.
 * @param service false: without one, unless it is there already.
 */
export async function planDaemon(program: Program, renewed: boolean, service: boolean): Promise<Plan> {
  const manager = await managerFor(program);
  if (manager && (service || manager.installed())) return servicePlan(program, manager, renewed);
  const running = await runningDaemon(program);
  if (!running || !(renewed || isOlder(running))) return NOTHING;
  const make = (): Promise<readonly string[]> => replaceDaemon(program, running);
  return { changes: [{ text: `the daemon ${running.build} replaced`, make }], byHand: [] };
}

async function servicePlan(program: Program, manager: ServiceManager, renewed: boolean): Promise<Plan> {
  try {
    if (!renewed && (await isServiceUpToDate(program, manager))) return NOTHING;
  } catch (thrown) {
    return { changes: [], byHand: [asByHand('the service', asCcwbError(thrown))] };
  }
  const make = async (): Promise<readonly string[]> => {
    const { daemon } = await setUpService(program, manager, renewed);
    return daemon === 'later' ? ['the daemon finishes a sign-in first; the new one takes over after it'] : [];
  };
  return { changes: [{ text: `the service (${manager.name})`, make }], byHand: [] };
}

/** Undefined where there is none that can be asked, and for a daemon at other paths. */
async function managerFor(program: Program): Promise<ServiceManager | undefined> {
  if (program.env.CCWB_SOCKET || program.env.CCWB_CONFIG) return undefined;
  const manager = findServiceManager(program);
  const available = await manager?.available().then(
    () => true,
    () => false,
  );
  return available ? manager : undefined;
}

async function replaceDaemon(program: Program, running: VersionReply): Promise<readonly string[]> {
  const outcome = await giveWay(program, running, SERVICE_TIMING.endMs).catch(() => 'busy');
  if (outcome === 'signing-in') {
    return ['the daemon finishes a sign-in first; the next program that asks then starts the new one'];
  }
  if (outcome === 'busy') await endDaemon(program, running);
  await startDaemon(program);
  return [];
}
