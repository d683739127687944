import type { ShimEdges } from '../program/edges.ts';
import { createLaunchdManager } from './launchd.ts';
import type { ServiceManager } from './service-manager.ts';
import { createSystemdManager } from './systemd.ts';

/** Creates the service manager of this platform; undefined if there is none that we support. */
export function findServiceManager(edges: ShimEdges): ServiceManager | undefined {
  if (edges.platform === 'linux') return createSystemdManager(edges);
  return edges.platform === 'darwin' ? createLaunchdManager(edges) : undefined;
}
