import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { removeNetworkSettings } from '../../common/network-settings.ts';
import type { SignOutReply } from '../../protocol/api.ts';
import { type Config, loadConfig } from '../../protocol/config.ts';
import { asCcwbError } from '../../protocol/errors.ts';
import { askDaemon } from '../daemon/ask-daemon.ts';
import { stopDaemon } from '../daemon/service-daemon.ts';
import { findRunningDaemon, waitUntilExited } from '../daemon/upgrade.ts';
import type { ShimEdges } from '../program/edges.ts';
import { findServiceManager } from '../service/find-service-manager.ts';
import type { UninstallPlan } from './uninstall-plan.ts';

/** Time limit of a sign-out, which revokes a token at the identity provider, in milliseconds. */
const SIGN_OUT_MS = 20_000;

/** Time limit for a daemon that no longer answers to exit, in milliseconds. */
const DAEMON_EXIT_MS = 5_000;

/** Plans the sign-out of each profile: in the daemon, in the keyring and at the identity provider. */
export function planSignOut(edges: ShimEdges): UninstallPlan & { names: readonly string[] } {
  const config = readConfig(edges);
  const names = config?.names ?? [];
  const usable = [...(config?.profiles.keys() ?? [])];
  const remove = async (): Promise<string[]> => {
    const left: string[] = [];
    for (const profile of usable) {
      try {
        const { wasSignedIn, revoked } = await askDaemon<SignOutReply>(edges, {
          route: 'signOut',
          params: { profile },
          answerMs: SIGN_OUT_MS,
        });
        if (wasSignedIn && !revoked)
          left.push(`the session of ${profile} at the identity provider: not told`);
      } catch (thrown) {
        left.push(`the sign-in of ${profile}, perhaps in the keyring: ${asCcwbError(thrown).message}`);
      }
    }
    return left;
  };
  // An installation of the legacy tool has no daemon. Its tokens are removed by another plan.
  const hasDaemon = existsSync(join(edges.installation, 'daemon'));
  const steps =
    usable.length === 0 || !hasDaemon ? [] : [{ text: `the sign-in of ${usable.join(', ')}`, remove }];
  const unknown = config || !hasDaemon ? [] : ['a sign-in, if there is one: config.json cannot be used'];
  return { steps, kept: unknown, names };
}

/** Plans the removal of the service, and the end of a daemon that runs without it. */
export function planDaemonRemoval(edges: ShimEdges): UninstallPlan {
  const { env } = edges;
  const manager = env.CCWB_SOCKET || env.CCWB_CONFIG ? undefined : findServiceManager(edges);
  const installed = manager?.isInstalled() === true;
  const remove = async (): Promise<string[]> => {
    if (installed) {
      await manager.remove();
      removeNetworkSettings(edges.paths.networkSettings);
    }
    const running = await findRunningDaemon(edges);
    if (running) await stopDaemon(edges, running);
    // The daemon writes a last log line, which would create the folder of the log again.
    if (running) await waitUntilExited(running.pid, DAEMON_EXIT_MS);
    return [];
  };
  return {
    steps: [{ text: installed ? `the service (${manager.name})` : 'the daemon, if it runs', remove }],
    kept: [],
  };
}

function readConfig({ paths }: ShimEdges): Config | undefined {
  try {
    return loadConfig(paths.config);
  } catch {
    return undefined;
  }
}
