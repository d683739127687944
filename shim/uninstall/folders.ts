import { readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { INSTALL_FOLDER } from '../../protocol/paths.ts';
import { readInstallationRecord } from '../installation/installation-record.ts';
import {
  CURRENT_LINK,
  isStaleFile,
  LOCK_FILE,
  PROGRAM_LINKS,
  RECORD_FILE,
  UNREADABLE_CONFIG,
  VERSIONS_FOLDER,
} from '../installation/layout.ts';
import type { ShimEdges } from '../program/edges.ts';
import { shortPath } from '../terminal/format.ts';
import { isSamePlace, removeIfEmpty } from '../user-files/edit-file.ts';
import type { UninstallPlan, UninstallStep } from './uninstall-plan.ts';

const CONFIG = ['config.json', 'network.json', UNREADABLE_CONFIG];
const LOGS = ['logs'];

/** Files and folders of an installation. The parts of `bedrock-auth` itself are last. */
const INSTALLED = ['run', RECORD_FILE, LOCK_FILE, ...PROGRAM_LINKS, CURRENT_LINK, VERSIONS_FOLDER];

/** Further files of a package that was unpacked at the place of an installation. */
const UNPACKED = [
  ...['.claude', 'README.md', 'LICENSE', 'licenses.txt', 'install.sh', 'package.json'],
  ...['SHA256SUMS', 'sbom.json', 'version.json'],
];

export type KeepOptions = { config: boolean; logs: boolean };

/** Plans the removal of sockets, locks and session files. */
export function planRuntimeFolderRemoval({ paths, env }: ShimEdges): UninstallPlan {
  const folder = paths.runtimeDirectory;
  const sockets = [paths.socket, `${paths.socket}.lock`, paths.containerToken];
  const ours = basename(folder) === INSTALL_FOLDER || folder === join(paths.installDirectory, 'run');
  const remove = async (): Promise<string[]> => {
    for (const path of [...sockets, ...(ours ? [join(folder, 'sessions')] : [])]) {
      rmSync(path, { recursive: true, force: true });
    }
    return removeIfEmpty(folder) ? [] : remainingFiles(folder, env.HOME);
  };
  return {
    steps: [{ text: `the socket and session files in ${shortPath(folder, env.HOME)}`, remove }],
    kept: [],
  };
}

/** Plans the removal of the programs, and of config.json and the logs unless kept. Files of others stay. */
export function planInstallationFolderRemoval(edges: ShimEdges, keep: KeepOptions): UninstallPlan {
  const { env, paths } = edges;
  const folder = paths.installDirectory;
  const where = shortPath(folder, env.HOME);
  const here = isSamePlace(edges.installation, folder);
  const present = entries(folder);
  const stale = present.filter(isStaleFile);
  const ours = [
    ...(keep.config ? [] : CONFIG),
    ...(keep.logs ? [] : LOGS),
    ...(here ? [...stale, ...UNPACKED, ...INSTALLED] : ['run']),
  ];
  const wanted = ours.filter((name) => present.includes(name));
  const known = [...CONFIG, ...LOGS, ...stale, ...UNPACKED, ...INSTALLED];
  const kept = present
    .filter((name) => !wanted.includes(name))
    .map((name) => `${join(where, name)}${known.includes(name) ? '' : ': nothing of ours'}`);
  if (!here)
    kept.push(`${shortPath(edges.installation, env.HOME)}: these programs are not those in ${where}`);
  if (wanted.length === 0) return { steps: [], kept };
  const remove = async (): Promise<string[]> => {
    // An installer that was killed may have created folders and written nothing into them.
    for (const { folders } of readInstallationRecord(folder).unfinished)
      folders.toReversed().forEach(removeIfEmpty);
    // Not only `wanted`: a sign-out may have started a daemon, which creates its log again.
    for (const name of ours) rmSync(join(folder, name), { recursive: true, force: true });
    removeIfEmpty(folder);
    return [];
  };
  return { steps: [{ text: `${where}: ${wanted.join(', ')}`, remove } satisfies UninstallStep], kept };
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function remainingFiles(folder: string, home: string | undefined): string[] {
  return entries(folder).map((name) => `${join(shortPath(folder, home), name)}: nothing of ours`);
}
