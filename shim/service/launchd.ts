import { existsSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ChildEnd, ChildResult } from '../../common/child-process.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { ShimEdges } from '../program/edges.ts';
import { runBriefly } from '../program/processes.ts';
import { escapeForPlist, serviceFile } from './service-files.ts';
import { MANAGER_TIMING, type ServiceManager } from './service-manager.ts';

/** Label of the agent. Its property list is in service-files/. */
export const LAUNCHD_LABEL = 'com.claude-code-with-bedrock.bedrock-authd';

const LAUNCHCTL = '/bin/launchctl';

/** Exit statuses of launchctl for a service that is not loaded. */
const NO_SUCH_SERVICE = [3, 113];

/** Runs launchctl. Passed as a value, so that tests run without a Mac. */
export type Launchctl = (limitMs: number, ...args: string[]) => Promise<ChildResult>;

/** Creates the service manager of macOS: launchd's `gui` domain, because only there the keychain is open. */
export function createLaunchdManager(edges: ShimEdges, launchctl: Launchctl = runLaunchctl): ServiceManager {
  const plist = join(homedir(), 'Library', 'LaunchAgents', `${LAUNCHD_LABEL}.plist`);
  const domain = `gui/${process.getuid?.()}`;
  const target = `${domain}/${LAUNCHD_LABEL}`;

  const run = (...args: string[]): Promise<ChildResult> => launchctl(MANAGER_TIMING.orderMs, ...args);
  const order = async (...args: string[]): Promise<void> => {
    const { end } = await run(...args);
    if (end.kind === 'exited' && end.status === 0) return;
    throw orderFailed(`launchctl ${args.join(' ')}`, end, target);
  };
  const loaded = async (): Promise<string | undefined> => {
    const { end, output } = await run('print', target);
    return end.kind === 'exited' && end.status === 0 ? output : undefined;
  };
  const unload = async (): Promise<void> => {
    const { end } = await run('bootout', target);
    if (end.kind === 'exited' && (end.status === 0 || NO_SUCH_SERVICE.includes(end.status))) return;
    if ((await loaded()) !== undefined) throw orderFailed(`launchctl bootout ${target}`, end, target);
  };

  return {
    name: 'launchd',
    diagnoseCommand: `launchctl print ${target}`,
    files: () => [{ path: plist, text: serviceFile(edges, `${LAUNCHD_LABEL}.plist`, escapeForPlist) }],
    isInstalled: () => existsSync(plist),

    checkAvailable: async () => {
      const { end } = await run('print', domain);
      if (end.kind === 'exited' && end.status === 0) return;
      throw new CcwbError(
        'ERR_SERVICE_UNAVAILABLE',
        `launchd has no session ${domain}: nobody is logged in at the screen`,
        'nothing is lost: the first program that needs the daemon starts it. For a service, run this in a' +
          ' terminal on the Mac itself, not over SSH',
      );
    },

    readState: async () => {
      const text = await loaded();
      const pid = /^\s*pid = (\d+)$/m.exec(text ?? '')?.[1];
      return {
        enabled: text !== undefined,
        pid: pid === undefined ? undefined : Number(pid),
        listening: false,
      };
    },

    // launchd keeps a copy of the file, so a changed file is loaded again. Loading starts the agent (RunAtLoad).
    enable: async () => {
      await unload();
      await order('enable', target);
      await order('bootstrap', domain, plist);
    },

    start: async () => {
      if ((await loaded()) === undefined) await order('bootstrap', domain, plist);
      await order('kickstart', target);
    },
    requestStart: async () => {
      await launchctl(MANAGER_TIMING.wakeMs, 'kickstart', target);
    },
    // The daemon exits with 0, and launchd does not restart it then (KeepAlive: SuccessfulExit false).
    stop: async () => {
      if (/^\s*pid = /m.test((await loaded()) ?? '')) await order('kill', 'SIGTERM', target);
    },

    remove: async () => {
      rmSync(plist, { force: true });
      await unload();
    },

    isLingering: () => undefined,
  };
}

function runLaunchctl(limitMs: number, ...args: string[]): Promise<ChildResult> {
  return runBriefly(LAUNCHCTL, args, { PATH: '/usr/bin:/bin', HOME: homedir() }, limitMs);
}

function orderFailed(command: string, end: ChildEnd, target: string): CcwbError {
  const how = end.kind === 'exited' ? `ended with status ${end.status}` : 'could not be run, or did not end';
  return new CcwbError(
    'ERR_SERVICE_FAILED',
    `${command} ${how}`,
    `run launchctl print ${target} to see why, then try again`,
  );
}
