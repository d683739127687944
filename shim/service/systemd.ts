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

/** Names of the units; service-files/ holds them. */
export const SYSTEMD_UNIT = 'bedrock-authd.service';
export const SYSTEMD_SOCKET = 'bedrock-authd.socket';
const UNITS = [SYSTEMD_UNIT, SYSTEMD_SOCKET] as const;

/** Where `[Install]` of the units has them linked, and `systemctl disable` removes the links. */
const WANTED_BY = { [SYSTEMD_UNIT]: 'default.target', [SYSTEMD_SOCKET]: 'sockets.target' } as const;

/** Never from the PATH, as with curl. */
const SYSTEMCTL = ['/usr/bin/systemctl', '/bin/systemctl', '/run/current-system/sw/bin/systemctl'];

const PATH = '/usr/local/bin:/usr/bin:/bin';

/** systemd's user manager, through `systemctl --user`. */
export function systemd(edges: ShimEdges): ServiceManager {
  const systemctlPath = SYSTEMCTL.find((path) => existsSync(path));
  const folder = unitFolder(edges.env);
  const unitPath = (unit: string): string => join(folder, unit);
  const linkPath = (unit: keyof typeof WANTED_BY): string => join(folder, `${WANTED_BY[unit]}.wants`, unit);

  const runFor = async (limitMs: number, ...args: string[]): Promise<ChildResult> => {
    if (systemctlPath === undefined) return { end: { kind: 'failed', reason: 'ENOENT' }, output: '' };
    return runBriefly(systemctlPath, ['--user', '--quiet', ...args], managerEnvironment(edges), limitMs);
  };
  const run = (...args: string[]): Promise<ChildResult> => runFor(MANAGER_TIMING.orderMs, ...args);
  const orderFor = async (limitMs: number, ...args: string[]): Promise<void> => {
    const { end } = await runFor(limitMs, ...args);
    if (end.kind === 'exited' && end.status === 0) return;
    throw refused(`systemctl --user ${args.join(' ')}`, end, limitMs);
  };
  const order = (...args: string[]): Promise<void> => orderFor(MANAGER_TIMING.orderMs, ...args);

  return {
    name: 'systemd',
    inquiry: `systemctl --user status ${SYSTEMD_UNIT}`,
    files: () =>
      UNITS.map((unit) => ({ path: unitPath(unit), text: serviceFile(edges, unit, escapeForUnit) })),
    installed: () => existsSync(unitPath(SYSTEMD_UNIT)),

    available: async () => {
      const { end } = await run('show', '--property=Version');
      if (end.kind === 'exited' && end.status === 0) return;
      throw unavailable(systemctlPath === undefined ? 'there is no systemctl' : 'it does not answer');
    },

    state: async () => {
      const { output } = await run('show', '--property=MainPID,ActiveState', ...UNITS);
      const pid = Number(/^MainPID=(\d+)$/m.exec(output)?.[1] ?? 0);
      return {
        // What systemd says of it may be older than what is there.
        enabled: UNITS.every((unit) => existsSync(linkPath(unit))),
        pid: pid === 0 ? undefined : pid,
        listening: output.trim().split('\n\n').at(-1) === 'ActiveState=active',
      };
    },

    enable: async () => {
      await order('daemon-reload');
      const { output } = await run('show', '--property=FragmentPath', '--value', SYSTEMD_UNIT);
      if (!isSamePlace(output.trim(), unitPath(SYSTEMD_UNIT))) {
        throw new CcwbError(
          'ERR_SERVICE_FAILED',
          `systemd does not look into ${folder}, or has another ${SYSTEMD_UNIT} before it`,
          'compare XDG_CONFIG_HOME with systemctl --user show-environment, and run it again with the same',
        );
      }
      await order('enable', ...UNITS);
    },

    // The socket of a failed start is failed too, and would not be opened again.
    start: async () => {
      await run('reset-failed', ...UNITS);
      await order('start', SYSTEMD_SOCKET, SYSTEMD_UNIT);
    },
    wake: async () => {
      await runFor(MANAGER_TIMING.wakeMs, 'start', SYSTEMD_UNIT);
    },
    stop: () => orderFor(MANAGER_TIMING.stopMs, 'stop', SYSTEMD_SOCKET, SYSTEMD_UNIT),

    remove: async () => {
      await run('disable', ...UNITS);
      // First of all: a caller that comes now must not find the service installed, and start it again.
      rmSync(unitPath(SYSTEMD_UNIT), { force: true });
      // Before systemd forgets the socket unit, and that it is to remove the socket.
      await runFor(MANAGER_TIMING.stopMs, 'stop', SYSTEMD_SOCKET, SYSTEMD_UNIT);
      for (const unit of UNITS) {
        // systemctl leaves the links of a unit whose file is gone.
        rmSync(linkPath(unit), { force: true });
        rmSync(unitPath(unit), { force: true });
        removeIfEmpty(dirname(linkPath(unit)));
      }
      await run('daemon-reload');
      await run('reset-failed', ...UNITS);
      for (const path of [folder, dirname(folder), dirname(dirname(folder))]) removeIfEmpty(path);
    },

    lingers: () => {
      const user = userName();
      return user === undefined ? undefined : existsSync(join('/var/lib/systemd/linger', user));
    },
  };
}

/** Where the user manager looks for this user's own units. */
function unitFolder(env: ShimEdges['env']): string {
  const declared = env.XDG_CONFIG_HOME;
  const configHome = declared && isAbsolute(declared) ? declared : join(homedir(), '.config');
  return join(configHome, 'systemd', 'user');
}

/**
 * What systemctl needs to find the manager. cron, sudo and some editors leave XDG_RUNTIME_DIR out: then it
 * is where the daemon's own socket would be.
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

function unavailable(reason: string): CcwbError {
  return new CcwbError(
    'ERR_SERVICE_UNAVAILABLE',
    `no systemd user manager can be asked: ${reason}`,
    'nothing is lost: the first program that needs the daemon starts it. For a service, log in where systemd' +
      ' runs (on WSL 2 set systemd=true in /etc/wsl.conf), not in a container or by sudo or su',
  );
}

function refused(command: string, end: ChildEnd, limitMs: number): CcwbError {
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
    // A user id that has no name, as in some containers.
    return undefined;
  }
}
