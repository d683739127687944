import { readFileIfExists } from '../../common/atomic-file.ts';
import { maskProxy, type NetworkSettings, readNetworkSettings } from '../../common/network-settings.ts';
import type { VersionReply } from '../../protocol/api.ts';
import { asCcwbError, errorLines } from '../../protocol/errors.ts';
import { inspectDaemon } from '../daemon/service-daemon.ts';
import type { ShimEdges } from '../program/edges.ts';
import { managerMeant, shortened, shownSettings } from './service.ts';
import type { ServiceManager } from './service-manager.ts';

/** Where values begin, as in `bedrock-auth status`. */
const VALUE_COLUMN = 18;

/** What `bedrock-auth service status --json` prints. */
export type ServiceStatus = {
  /** The service manager of this platform, and whether it can be asked from here. */
  manager: ServiceManager['name'];
  available: boolean;
  installed: boolean;
  /** Starts with the user's login. */
  enabled: boolean;
  /** The files are those of this installation. */
  upToDate: boolean;
  files: string[];
  /** `service`, or `program`: started by a program that needed it. Null when none runs. */
  runningBy: 'service' | 'program' | null;
  /** The socket is there, and starts the daemon with the next request. */
  listening: boolean;
  version: string | null;
  pid: number | null;
  /** Outlives the last login; null where that is no question, or not known. */
  lingers: boolean | null;
  /** Kept for the service, without user and password; null when network.json cannot be read. */
  network: NetworkSettings | null;
};

/** `bedrock-auth service status`: starts nothing; 1 when the service is not installed or its daemon does not run. */
export async function serviceStatus(edges: ShimEdges, options: { json?: boolean }): Promise<number> {
  const manager = managerMeant(edges);
  const available = await manager.available().then(
    () => true,
    () => false,
  );
  const { running, own, listening } = await inspectDaemon(edges, manager);
  const { settings, problem } = keptSettings(edges);
  const status: ServiceStatus = {
    manager: manager.name,
    available,
    installed: manager.installed(),
    enabled: (await manager.state()).enabled,
    upToDate: manager.files().every(({ path, text }) => readFileIfExists(path) === text),
    files: manager.files().map(({ path }) => path),
    runningBy: running ? (own ? 'service' : 'program') : null,
    listening,
    version: running?.build ?? null,
    pid: running?.pid ?? null,
    lingers: manager.lingers() ?? null,
    network: settings ?? null,
  };
  await edges.writeOut(options.json ? `${JSON.stringify(status, null, 2)}\n` : view(status, running));
  if (problem) edges.writeError(errorLines(edges.name, problem));
  return status.installed && status.runningBy === 'service' ? 0 : 1;
}

function keptSettings({ paths }: ShimEdges) {
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

function view(status: ServiceStatus, running: VersionReply | undefined): string {
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
    ...(status.installed ? status.files.map((path): [string, string] => ['file', shortened(path)]) : []),
    ...shownSettings(status.network ?? {}).map((setting): [string, string] => ['network', setting]),
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
