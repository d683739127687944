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

/** What an installer and the programs put into the installation's folder, what `bedrock-auth` is made of last. */
const INSTALLED = ['run', RECORD_FILE, LOCK_FILE, ...PROGRAM_LINKS, CURRENT_LINK, VERSIONS_FOLDER];

/** What a package has besides, where it was unpacked in the place of an installation. */
const UNPACKED = [
  ...['.claude', 'README.md', 'LICENSE', 'licenses.txt', 'install.sh', 'package.json'],
  ...['SHA256SUMS', 'sbom.json', 'version.json'],
];

export type KeepOptions = { config: boolean; logs: boolean };

/** Sockets, locks and session files. */
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

/** The programs, and config.json and the logs unless they are to be kept; nothing that somebody else put there. */
export function planInstallationFolderRemoval(edges: ShimEdges, keep: KeepOptions): UninstallPlan {
  const { env, paths } = edges;
  const folder = paths.installDirectory;
  const where = shortPath(folder, env.HOME);
  const here = isSamePlace(edges.installation, folder);
  const there = entries(folder);
  const litter = there.filter(isStaleFile);
  const ours = [
    ...(keep.config ? [] : CONFIG),
    ...(keep.logs ? [] : LOGS),
    ...(here ? [...litter, ...UNPACKED, ...INSTALLED] : ['run']),
  ];
  const wanted = ours.filter((name) => there.includes(name));
  const known = [...CONFIG, ...LOGS, ...litter, ...UNPACKED, ...INSTALLED];
  const left = there
    .filter((name) => !wanted.includes(name))
    .map((name) => `${join(where, name)}${known.includes(name) ? '' : ': nothing of ours'}`);
  if (!here)
    left.push(`${shortPath(edges.installation, env.HOME)}: these programs are not those in ${where}`);
  if (wanted.length === 0) return { steps: [], kept: left };
  const remove = async (): Promise<string[]> => {
    // Signing out may have started a daemon, which has made itself a folder for its log.
    for (const { folders } of readInstallationRecord(folder).unfinished)
      folders.toReversed().forEach(removeIfEmpty);
    for (const name of ours) rmSync(join(folder, name), { recursive: true, force: true });
    removeIfEmpty(folder);
    return [];
  };
  return { steps: [{ text: `${where}: ${wanted.join(', ')}`, remove } satisfies UninstallStep], kept: left };
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
