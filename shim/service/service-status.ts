import { readFileIfExists } from '../../common/atomic-file.ts';
import { maskProxy, type NetworkSettings, readNetworkSettings } from '../../common/network-settings.ts';
import type { VersionReply } from '../../protocol/api.ts';
import { asCcwbError, errorLines } from '../../protocol/errors.ts';
import { inspectDaemon } from '../daemon/service-daemon.ts';
import type { ShimEdges } from '../program/edges.ts';
import { describeNetworkSettings, requireServiceManager, shortenHome } from './service.ts';
import type { ServiceManager } from './service-manager.ts';

/** Column of the values, as in `bedrock-auth status`. */
const VALUE_COLUMN = 18;

/** Output of `bedrock-auth service status --json`. */
export type ServiceStatus = {
  /** The service manager of this platform; `available` is false if it does not answer. */
  manager: ServiceManager['name'];
  available: boolean;
  installed: boolean;
  /** True if the service starts when the user logs in. */
  enabled: boolean;
  /** True if the files are those of this installation. */
  upToDate: boolean;
  files: string[];
  /** `program`: a program that needed the daemon has started it. Null if no daemon runs. */
  runningBy: 'service' | 'program' | null;
  /** True if the socket exists and the next request starts the daemon. */
  listening: boolean;
  version: string | null;
  pid: number | null;
  /** True if the service keeps running after the last logout; null if unknown or not applicable. */
  lingers: boolean | null;
  /** Settings stored for the service, without user and password; null if network.json cannot be read. */
  network: NetworkSettings | null;
};

/** Runs `bedrock-auth service status`, which starts nothing. Returns 1 unless the service is installed and runs. */
export async function serviceStatus(edges: ShimEdges, options: { json?: boolean }): Promise<number> {
  const manager = requireServiceManager(edges);
  const available = await manager.checkAvailable().then(
    () => true,
    () => false,
  );
  const { running, own, listening } = await inspectDaemon(edges, manager);
  const { settings, problem } = readStoredSettings(edges);
  const status: ServiceStatus = {
    manager: manager.name,
    available,
    installed: manager.isInstalled(),
    enabled: (await manager.readState()).enabled,
    upToDate: manager.files().every(({ path, text }) => readFileIfExists(path) === text),
    files: manager.files().map(({ path }) => path),
    runningBy: running ? (own ? 'service' : 'program') : null,
    listening,
    version: running?.build ?? null,
    pid: running?.pid ?? null,
    lingers: manager.isLingering() ?? null,
    network: settings ?? null,
  };
  await edges.writeOut(options.json ? `${JSON.stringify(status, null, 2)}\n` : formatStatus(status, running));
  if (problem) edges.writeError(errorLines(edges.name, problem));
  return status.installed && status.runningBy === 'service' ? 0 : 1;
}

function readStoredSettings({ paths }: ShimEdges) {
  try {
    const settings = readNetworkSettings(paths.networkSettings);
    for (const name of ['HTTPS_PROXY', 'HTTP_PROXY'] as const) {
      if (settings[name] !== undefined) settings[name] = maskProxy(settings[name]);
    }
    return { settings, problem: undefined };
  } catch (error) {
    return { settings: undefined, problem: asCcwbError(error) };
  }
}

function formatStatus(status: ServiceStatus, running: VersionReply | undefined): string {
  const rows: [string, string][] = [
    ['manager', `${status.manager}${status.available ? '' : ', cannot be asked from here'}`],
    ['installed', installedText(status)],
    ['at login', status.enabled ? 'starts' : 'does not start'],
    [
      'daemon',
      running
        ? daemonText(status, running)
        : `not running${status.listening ? '; the next request starts it' : ''}`,
    ],
    ...(status.installed ? status.files.map((path): [string, string] => ['file', shortenHome(path)]) : []),
    ...describeNetworkSettings(status.network ?? {}).map((setting): [string, string] => ['network', setting]),
  ];
  if (status.installed && status.lingers !== null) rows.push(['lingering', lingeringText(status.lingers)]);
  if (!status.installed) rows.push(['to install', 'bedrock-auth service install']);
  return rows.map(([label, value]) => `${`  ${label}`.padEnd(VALUE_COLUMN)}${value}\n`).join('');
}

function installedText({ installed, upToDate }: ServiceStatus): string {
  if (!installed) return 'no';
  return upToDate ? 'yes' : 'yes, for another version: run bedrock-auth service install';
}

function daemonText({ runningBy }: ServiceStatus, { build, pid }: VersionReply): string {
  const by = runningBy === 'service' ? 'by the service' : 'by a program that needed it, not by the service';
  return `version ${build}, process ${pid}, started ${by}`;
}

function lingeringText(lingers: boolean): string {
  return lingers ? 'yes: it goes on after your last logout' : 'no: it ends with your last logout';
}
