import type { ShimEdges } from '../program/edges.ts';
import { launchd } from './launchd.ts';
import type { ServiceManager } from './service-manager.ts';
import { systemd } from './systemd.ts';

/** The service manager this platform has; undefined where there is none we know. */
export function findServiceManager(edges: ShimEdges): ServiceManager | undefined {
  if (edges.platform === 'linux') return systemd(edges);
  return edges.platform === 'darwin' ? launchd(edges) : undefined;
}
