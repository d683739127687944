import type { Program } from '../program/program.ts';
import { launchd } from './launchd.ts';
import type { ServiceManager } from './service-manager.ts';
import { systemd } from './systemd.ts';

/** The service manager this platform has; undefined where there is none we know. */
export function findServiceManager(program: Program): ServiceManager | undefined {
  if (program.platform === 'linux') return systemd(program);
  return program.platform === 'darwin' ? launchd(program) : undefined;
}
