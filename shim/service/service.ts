import { homedir } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { readFileIfExists, replaceFile } from '../../common/atomic-file.ts';
import {
  maskProxy,
  NETWORK_SETTING_NAMES,
  type NetworkSettings,
  networkSettingsFrom,
  readNetworkSettings,
  removeNetworkSettings,
  writeNetworkSettings,
} from '../../common/network-settings.ts';
import type { VersionReply } from '../../protocol/api.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { isOlder } from '../../protocol/version.ts';
import {
  inspectDaemon,
  startDaemonWith,
  stopDaemon,
  switchToServiceDaemon,
} from '../daemon/service-daemon.ts';
import type { ShimEdges } from '../program/edges.ts';
import { usageError } from '../program/errors.ts';
import { findServiceManager } from './find-service-manager.ts';
import type { ServiceFile, ServiceManager } from './service-manager.ts';

/** Result of setting up the service. */
export type ServiceSetUpResult = {
  /** True if the service was installed before. */
  wasThere: boolean;
  /** True if anything about the service had to change. */
  updated: boolean;
  files: readonly ServiceFile[];
  settings: NetworkSettings;
  /** `later`: the running daemon finishes a sign-in first. */
  daemon: VersionReply | 'later';
};

/** Runs `bedrock-auth service install`, which also upgrades and repairs. A second run changes nothing. */
export async function installService(edges: ShimEdges): Promise<number> {
  const manager = requireServiceManager(edges);
  await manager.checkAvailable();
  const { wasThere, updated, files, settings, daemon } = await setUpService(edges, manager);
  const done = updated ? `${wasThere ? 'Updated' : 'Installed'} the service` : 'The service is up to date';
  const lines = [
    `${done} (${manager.name}).`,
    ...files.map(({ path }) => `  file     ${shortenHome(path)}`),
    ...describeNetworkSettings(settings).map((setting) => `  network  ${setting}`),
    daemon === 'later'
      ? '  daemon   finishes a sign-in first; the new one takes over after it'
      : `  daemon   version ${daemon.build}, process ${daemon.pid}`,
  ];
  if (updated)
    lines.push(
      'It starts when you log in, and when a program asks for credentials.',
      'Next: bedrock-auth status',
    );
  await edges.writeOut(`${lines.join('\n')}\nTo undo: bedrock-auth service uninstall\n`);
  return 0;
}

/**
 * Installs or updates the service, and returns once its daemon answers. A first installation that fails is removed
 * again.
 *
 * @param renewed true if the installation has other programs now, so that a running daemon is replaced.
 */
export async function setUpService(
  edges: ShimEdges,
  manager: ServiceManager,
  renewed = false,
): Promise<ServiceSetUpResult> {
  const files = manager.files();
  const before = files.map(({ path }) => readFileIfExists(path));
  const wasThere = before.some((text) => text !== undefined);
  const settings = settingsToKeep(edges);
  let changed = false;
  try {
    changed = writeNetworkSettings(edges.paths.networkSettings, settings);
    for (const { path, text } of files) changed = replaceFile(path, text, 0o644) || changed;
    const { enabled } = await manager.readState();
    if (changed || !enabled) await manager.enable();
    const daemon = await switchToServiceDaemon(edges, manager, changed, renewed);
    if (edges.interrupted.aborted) throw interruptedError();
    return { wasThere, updated: changed || !enabled, files, settings, daemon };
  } catch (error) {
    if (!wasThere) await removeService(edges, manager);
    throw error;
  }
}

/** Checks that {@link setUpService} would change nothing. */
export async function isServiceUpToDate(edges: ShimEdges, manager: ServiceManager): Promise<boolean> {
  const { enabled } = await manager.readState();
  const { running, own, listening } = await inspectDaemon(edges, manager);
  const kept = readNetworkSettings(edges.paths.networkSettings);
  return (
    enabled &&
    manager.files().every(({ path, text }) => readFileIfExists(path) === text) &&
    isDeepStrictEqual(settingsToKeep(edges), kept) &&
    (running ? own && !isOlder(running) : listening)
  );
}

/** Runs `bedrock-auth service uninstall`, also for a partial installation. The sign-in stays. */
export async function uninstallService(edges: ShimEdges): Promise<number> {
  const manager = requireServiceManager(edges);
  const wasThere = manager.isInstalled() || (await manager.readState()).enabled;
  const settingsWereThere = await removeService(edges, manager);
  await edges.writeOut(
    wasThere || settingsWereThere
      ? 'Removed the service. The sign-in stays; programs that need credentials start the daemon themselves.\n' +
          'To undo: bedrock-auth service install\n'
      : 'The service is not installed; there is nothing to remove.\n',
  );
  return 0;
}

/** Runs `bedrock-auth service start`: through the service manager if the service is installed. */
export async function startService(edges: ShimEdges): Promise<number> {
  const manager = findInstalledManager(edges);
  const { running } = await inspectDaemon(edges, manager);
  if (running) {
    await edges.writeOut(`The daemon runs already, version ${running.build}, process ${running.pid}.\n`);
    return 0;
  }
  await startDaemonWith(edges, manager);
  await edges.writeOut(
    `Started the daemon ${describeStarter(manager)}.\nTo undo: bedrock-auth service stop\n`,
  );
  return 0;
}

/** Runs `bedrock-auth service stop`: stops the daemon, also one that a program has started. */
export async function stopService(edges: ShimEdges): Promise<number> {
  const manager = findInstalledManager(edges);
  const { running, own, listening } = await inspectDaemon(edges, manager);
  await manager?.stop();
  if (running && !own) await stopDaemon(edges, running);
  await edges.writeOut(
    running || listening
      ? 'Stopped the daemon. The next program that needs credentials starts it again.\n' +
          'To undo: bedrock-auth service start\n'
      : 'No daemon was running.\n',
  );
  return 0;
}

/** Runs `bedrock-auth service restart`: at once, even during a sign-in. Other open requests are answered. */
export async function restartService(edges: ShimEdges): Promise<number> {
  const manager = findInstalledManager(edges);
  const { running } = await inspectDaemon(edges, manager);
  if (running) await stopDaemon(edges, running);
  // The service may have a daemon that does not answer.
  else await manager?.stop();
  await startDaemonWith(edges, manager);
  await edges.writeOut(`Restarted the daemon ${describeStarter(manager)}.\n`);
  return 0;
}

/**
 * Returns the service manager of this platform.
 *
 * @throws CcwbError ERR_USAGE if the environment names another daemon or another user; ERR_SERVICE_UNAVAILABLE if the
 *   platform has no service manager.
 */
export function requireServiceManager(edges: ShimEdges): ServiceManager {
  const { env, name, platform } = edges;
  for (const variable of ['CCWB_SOCKET', 'CCWB_CONFIG']) {
    if (env[variable]) throw usageError(name, `${variable} is set, and the service is for the usual paths`);
  }
  if (env.SUDO_UID && env.SUDO_UID !== String(process.getuid?.()))
    throw usageError(name, 'the service belongs to the user who signs in; run this without sudo');
  const manager = findServiceManager(edges);
  if (manager) return manager;
  throw new CcwbError(
    'ERR_SERVICE_UNAVAILABLE',
    `there is no service for ${platform}; there is one for linux (systemd) and darwin (launchd)`,
    'nothing is lost: the first program that needs the daemon starts it',
  );
}

/** Returns the settings for display, without passwords of proxies. */
export function describeNetworkSettings(settings: NetworkSettings): string[] {
  return NETWORK_SETTING_NAMES.flatMap((name) => {
    const value = settings[name];
    return value === undefined ? [] : [`${name} ${name.endsWith('_PROXY') ? maskProxy(value) : value}`];
  });
}

export function shortenHome(path: string): string {
  const home = homedir();
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

/** Undefined if the service is not installed: then the daemon is a process of its own. */
function findInstalledManager(edges: ShimEdges): ServiceManager | undefined {
  const manager = requireServiceManager(edges);
  return manager.isInstalled() ? manager : undefined;
}

/** Returns the settings of the caller's shell, or the stored ones if the shell has none. */
function settingsToKeep({ env, paths }: ShimEdges): NetworkSettings {
  const settings = networkSettingsFrom(env);
  return Object.keys(settings).length > 0 ? settings : readNetworkSettings(paths.networkSettings);
}

/** @returns true if network.json existed. */
async function removeService({ paths }: ShimEdges, manager: ServiceManager): Promise<boolean> {
  await manager.remove();
  return removeNetworkSettings(paths.networkSettings);
}

function describeStarter(manager: ServiceManager | undefined): string {
  return manager ? `through ${manager.name}` : 'as a process of its own; the service is not installed';
}

function interruptedError(): CcwbError {
  return new CcwbError('ERR_SERVICE_FAILED', 'interrupted before the service had taken over', 'run it again');
}
