import { existsSync, rmSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { ChildEnd, ChildResult } from '../../common/child-process.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { INSTALL_FOLDER } from '../../protocol/paths.ts';
import type { ShimEdges } from '../program/edges.ts';
import { runBriefly } from '../program/processes.ts';
import { isSamePlace, removeIfEmpty } from '../user-files/edit-file.ts';
import { escapeForUnit, serviceFile } from './service-files.ts';
import { MANAGER_TIMING, type ServiceManager } from './service-manager.ts';

/** Names of the units in service-files/. */
export const SYSTEMD_UNIT = 'bedrock-authd.service';
export const SYSTEMD_SOCKET = 'bedrock-authd.socket';
const UNITS = [SYSTEMD_UNIT, SYSTEMD_SOCKET] as const;
type SystemdUnit = (typeof UNITS)[number];

/** Targets of `[Install]` in the units: `systemctl enable` links the units there, `disable` removes the links. */
const WANTED_BY_TARGET = { [SYSTEMD_UNIT]: 'default.target', [SYSTEMD_SOCKET]: 'sockets.target' } as const;

/** Places of systemctl. It is never taken from the PATH. */
const SYSTEMCTL = ['/usr/bin/systemctl', '/bin/systemctl', '/run/current-system/sw/bin/systemctl'];

const PATH = '/usr/local/bin:/usr/bin:/bin';

/** Creates the service manager of Linux: systemd's user manager, through `systemctl --user`. */
export function createSystemdManager(edges: ShimEdges): ServiceManager {
  const systemctl = createSystemctl(edges);
  const folder = unitFolder(edges.env);
  const unitPath = (unit: SystemdUnit): string => join(folder, unit);
  const linkPath = (unit: SystemdUnit): string => join(folder, `${WANTED_BY_TARGET[unit]}.wants`, unit);

  return {
    name: 'systemd',
    diagnoseCommand: `systemctl --user status ${SYSTEMD_UNIT}`,
    files: () =>
      UNITS.map((unit) => ({ path: unitPath(unit), text: serviceFile(edges, unit, escapeForUnit) })),
    isInstalled: () => existsSync(unitPath(SYSTEMD_UNIT)),

    checkAvailable: async () => {
      const { end } = await systemctl.run('show', '--property=Version');
      if (end.kind === 'exited' && end.status === 0) return;
      throw managerUnavailable(systemctl.isMissing ? 'there is no systemctl' : 'it does not answer');
    },

    readState: async () => {
      const { output } = await systemctl.run('show', '--property=MainPID,ActiveState', ...UNITS);
      const pid = Number(/^MainPID=(\d+)$/m.exec(output)?.[1] ?? 0);
      return {
        // Read from the disk, because systemd may not have reloaded its units.
        enabled: UNITS.every((unit) => existsSync(linkPath(unit))),
        pid: pid === 0 ? undefined : pid,
        listening: output.trim().split('\n\n').at(-1) === 'ActiveState=active',
      };
    },

    enable: async () => {
      await systemctl.order('daemon-reload');
      const { output } = await systemctl.run('show', '--property=FragmentPath', '--value', SYSTEMD_UNIT);
      if (!isSamePlace(output.trim(), unitPath(SYSTEMD_UNIT))) throw folderNotUsed(folder);
      await systemctl.order('enable', ...UNITS);
    },

    // After a failed start the socket unit has failed too, and does not open again without a reset.
    start: async () => {
      await systemctl.run('reset-failed', ...UNITS);
      await systemctl.order('start', SYSTEMD_SOCKET, SYSTEMD_UNIT);
    },
    requestStart: async () => {
      await systemctl.runFor(MANAGER_TIMING.wakeMs, 'start', SYSTEMD_UNIT);
    },
    stop: () => systemctl.orderFor(MANAGER_TIMING.stopMs, 'stop', SYSTEMD_SOCKET, SYSTEMD_UNIT),

    remove: async () => {
      await systemctl.run('disable', ...UNITS);
      // Before anything else: a new caller must not find the service installed and start it again.
      rmSync(unitPath(SYSTEMD_UNIT), { force: true });
      // While systemd still knows the socket unit, so that it removes the socket (RemoveOnStop).
      await systemctl.runFor(MANAGER_TIMING.stopMs, 'stop', SYSTEMD_SOCKET, SYSTEMD_UNIT);
      for (const unit of UNITS) {
        // systemctl leaves the links of a unit whose file is missing.
        rmSync(linkPath(unit), { force: true });
        rmSync(unitPath(unit), { force: true });
        removeIfEmpty(dirname(linkPath(unit)));
      }
      await systemctl.run('daemon-reload');
      await systemctl.run('reset-failed', ...UNITS);
      for (const path of [folder, dirname(folder), dirname(dirname(folder))]) removeIfEmpty(path);
    },

    isLingering: () => {
      const user = userName();
      return user === undefined ? undefined : existsSync(join('/var/lib/systemd/linger', user));
    },
  };
}

/** `systemctl --user`: `run` returns the result, `order` throws unless the exit status is 0. */
type Systemctl = {
  isMissing: boolean;
  run(...args: string[]): Promise<ChildResult>;
  runFor(limitMs: number, ...args: string[]): Promise<ChildResult>;
  /** @throws CcwbError ERR_SERVICE_FAILED */
  order(...args: string[]): Promise<void>;
  /** @throws CcwbError ERR_SERVICE_FAILED */
  orderFor(limitMs: number, ...args: string[]): Promise<void>;
};

function createSystemctl(edges: ShimEdges): Systemctl {
  const path = SYSTEMCTL.find((each) => existsSync(each));
  const runFor = async (limitMs: number, ...args: string[]): Promise<ChildResult> => {
    if (path === undefined) return { end: { kind: 'failed', reason: 'ENOENT' }, output: '' };
    return runBriefly(path, ['--user', '--quiet', ...args], managerEnvironment(edges), limitMs);
  };
  const orderFor = async (limitMs: number, ...args: string[]): Promise<void> => {
    const { end } = await runFor(limitMs, ...args);
    if (end.kind === 'exited' && end.status === 0) return;
    throw orderFailed(`systemctl --user ${args.join(' ')}`, end, limitMs);
  };
  return {
    isMissing: path === undefined,
    run: (...args) => runFor(MANAGER_TIMING.orderMs, ...args),
    runFor,
    order: (...args) => orderFor(MANAGER_TIMING.orderMs, ...args),
    orderFor,
  };
}

/** Returns the folder in which the user manager looks for the user's own units. */
function unitFolder(env: ShimEdges['env']): string {
  const declared = env.XDG_CONFIG_HOME;
  const configHome = declared && isAbsolute(declared) ? declared : join(homedir(), '.config');
  return join(configHome, 'systemd', 'user');
}

/**
 * Returns the environment in which systemctl finds the user manager. cron, sudo and some editors leave out
 * XDG_RUNTIME_DIR: it is then derived from the path of the daemon's own socket.
 */
function managerEnvironment({ env, paths }: ShimEdges): Record<string, string> {
  const inLoginSession = basename(paths.runtimeDirectory) === INSTALL_FOLDER;
  const bus = env.DBUS_SESSION_BUS_ADDRESS;
  return {
    PATH,
    HOME: homedir(),
    LC_ALL: 'C',
    ...(inLoginSession ? { XDG_RUNTIME_DIR: dirname(paths.runtimeDirectory) } : {}),
    ...(bus ? { DBUS_SESSION_BUS_ADDRESS: bus } : {}),
  };
}

function folderNotUsed(folder: string): CcwbError {
  return new CcwbError(
    'ERR_SERVICE_FAILED',
    `systemd does not look into ${folder}, or has another ${SYSTEMD_UNIT} before it`,
    'compare XDG_CONFIG_HOME with systemctl --user show-environment, and run it again with the same',
  );
}

function managerUnavailable(reason: string): CcwbError {
  return new CcwbError(
    'ERR_SERVICE_UNAVAILABLE',
    `no systemd user manager can be asked: ${reason}`,
    'nothing is lost: the first program that needs the daemon starts it. For a service, log in where systemd' +
      ' runs (on WSL 2 set systemd=true in /etc/wsl.conf), not in a container or by sudo or su',
  );
}

function orderFailed(command: string, end: ChildEnd, limitMs: number): CcwbError {
  const how =
    end.kind === 'exited'
      ? `ended with status ${end.status}`
      : end.kind === 'failed' && end.reason === 'SIGKILL'
        ? `did not end within ${limitMs / 1000} s`
        : 'could not be run';
  return new CcwbError(
    'ERR_SERVICE_FAILED',
    `${command} ${how}`,
    `run systemctl --user status ${SYSTEMD_UNIT} to see why`,
  );
}

function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // The user id has no name, as in some containers.
    return undefined;
  }
}
