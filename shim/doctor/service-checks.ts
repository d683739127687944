import { readFileIfExists } from '../../common/atomic-file.ts';
import { type Finding, ok, problem, skipped, warning } from '../../common/findings.ts';
import { networkSettingsFrom, readNetworkSettings } from '../../common/network-settings.ts';
import { asCcwbError, type CcwbError } from '../../protocol/errors.ts';
import { findServiceManager } from '../service/find-service-manager.ts';
import { describeNetworkSettings } from '../service/service.ts';
import type { ServiceManager } from '../service/service-manager.ts';
import { readText } from '../sign-in/browser.ts';
import { hostKindOf } from '../sign-in/graphical-session.ts';
import type { DoctorContext, ShimCheck } from './check.ts';

const INSTALL = 'bedrock-auth service install';

/** Checks that the daemon is a service of this user: installed, up to date, enabled and running. */
export const service: ShimCheck = async (context) => {
  const { env } = context.edges;
  if (env.CCWB_SOCKET || env.CCWB_CONFIG) return [skipped('CCWB_SOCKET or CCWB_CONFIG is set: not meant')];
  const manager = findServiceManager(context.edges);
  return manager ? serviceWith(manager, context) : [skipped('there is no service for this platform')];
};

export async function serviceWith(
  manager: ServiceManager,
  { status, edges }: Pick<DoctorContext, 'status' | 'edges'>,
): Promise<Finding[]> {
  const refused = await manager.checkAvailable().then(
    () => undefined,
    (error: unknown) => asCcwbError(error),
  );
  if (!manager.isInstalled()) {
    if (refused) return [ok('no service manager here; programs start the daemon themselves')];
    return [warning('not installed; programs start the daemon themselves', INSTALL)];
  }
  if (refused) return [warning(`installed, but ${refused.message}`, refused.fix)];
  const { enabled, pid } = await manager.readState();
  const found: Finding[] = [];
  if (!upToDate(manager)) found.push(warning('installed for another version or folder', INSTALL));
  if (!enabled) found.push(warning('does not start when you log in', INSTALL));
  const reply = await status();
  const running = 'daemon' in reply ? reply.daemon.pid : undefined;
  if (running !== undefined && running !== pid) {
    found.push(warning('the daemon that runs is not that of the service', 'bedrock-auth service restart'));
  }
  if (found.length === 0) found.push(ok(`${manager.name}, ${pid === undefined ? 'ready' : 'running'}`));
  return [...found, ...lingering(manager, edges)];
}

function upToDate(manager: ServiceManager): boolean {
  try {
    return manager.files().every(({ path, text }) => readFileIfExists(path) === text);
  } catch {
    return false;
  }
}

/** Checks that the service survives the last logout, which over SSH would also stop background jobs. */
function lingering(manager: ServiceManager, { env, platform }: DoctorContext['edges']): Finding[] {
  const lingers = manager.isLingering();
  if (lingers === undefined) return [];
  if (lingers) return [ok('goes on after your last logout (lingering)')];
  const text = 'ends with your last logout; so does a sign-in in session storage';
  const remote = hostKindOf({ platform, env, readText }) === 'ssh';
  return [remote ? warning(text, 'loginctl enable-linger') : ok(text)];
}

/** Compares the proxies and certificate authorities of the service with those of this shell. */
export const network: ShimCheck = async ({ edges, status }) => {
  let kept: ReturnType<typeof readNetworkSettings>;
  let shell: typeof kept;
  try {
    kept = readNetworkSettings(edges.paths.networkSettings);
    shell = networkSettingsFrom(edges.env);
  } catch (error) {
    const { message, fix } = asCcwbError(error) satisfies CcwbError;
    return [problem(message, fix)];
  }
  const used = { ...kept, ...shell };
  const certificates = used.NODE_EXTRA_CA_CERTS;
  if (certificates !== undefined && !/-----BEGIN CERTIFICATE-----/.test(readText(certificates) ?? '')) {
    const fix = `export NODE_EXTRA_CA_CERTS=/path/to/ca.pem; ${INSTALL}`;
    return [problem(`NODE_EXTRA_CA_CERTS: no certificates can be read from ${certificates}`, fix)];
  }
  const installed = findServiceManager(edges)?.isInstalled() === true;
  const names = Object.keys(shell) as (keyof typeof shell)[];
  const unkept = names.filter((name) => shell[name] !== kept[name]);
  if (installed && unkept.length > 0) {
    return [warning(`this shell has ${unkept.join(', ')}, which the service does not know`, INSTALL)];
  }
  const reply = await status();
  const proxy = 'network' in reply ? reply.network.proxy : null;
  const shown = describeNetworkSettings(used);
  if (shown.length > 0) return [ok(shown.join(', '))];
  return [ok(proxy === null ? 'no proxy, the certificates of the system' : `the daemon uses ${proxy}`)];
};
