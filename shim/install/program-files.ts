import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import {
  CURRENT_LINK,
  PROGRAM_LINKS,
  REPLACED_PREFIX,
  UNFINISHED_SUFFIX,
  VERSIONS_FOLDER,
} from '../installation/layout.ts';
import { type InstallPlan, NO_CHANGES } from './install-plan.ts';
import { CHECKSUM_FILE, digestOf, folderMatchesPackage, type Package } from './package.ts';
import { installError } from './preflight.ts';

/** Returns the name of the version in use; undefined if nothing is installed. */
export function currentVersion(installation: string): string | undefined {
  try {
    const target = readlinkSync(join(installation, CURRENT_LINK));
    return /^versions\/([^/]+)$/.exec(target)?.[1];
  } catch {
    return undefined;
  }
}

/** Plans the copy of the package into a folder of its own, which gets its final name once it is complete. */
export function planProgramFiles(installation: string, pack: Package): InstallPlan & { version: string } {
  const versions = join(installation, VERSIONS_FOLDER);
  const version = chooseVersionName(installation, pack);
  const folder = join(versions, version);
  if (existsSync(folder)) return { ...NO_CHANGES, version };
  const bytes = pack.files.reduce((sum, { size }) => sum + size, 0);
  const apply = (): undefined => {
    const unfinished = `${folder}${UNFINISHED_SUFFIX}`;
    rmSync(unfinished, { recursive: true, force: true });
    try {
      copyFiles(pack, unfinished);
      renameSync(unfinished, folder);
      syncFolder(versions);
    } catch (error) {
      rmSync(unfinished, { recursive: true, force: true });
      throw error;
    }
  };
  const text = `${VERSIONS_FOLDER}/${version}: ${pack.files.length} files, ${Math.ceil(bytes / 1_000_000)} MB`;
  return { changes: [{ text, essential: true, apply }], manualSteps: [], version };
}

/** Plans the switch to a version, by one rename. */
export function planCurrentVersion(installation: string, version: string): InstallPlan {
  const from = currentVersion(installation);
  if (from === version) return NO_CHANGES;
  const apply = (): undefined => replaceLink(installation, CURRENT_LINK, join(VERSIONS_FOLDER, version));
  return {
    changes: [{ text: `${CURRENT_LINK}: ${version}`, essential: true, apply }],
    manualSteps: [],
  };
}

/** Plans links at the paths that other files use for the programs. They replace files of old installations. */
export function planProgramLinks(installation: string, { files }: Package): InstallPlan {
  const names = PROGRAM_LINKS.filter((name) =>
    files.some(({ path }) => path === name || path.startsWith(`${name}/`)),
  );
  const missing = names.filter((name) => linkTarget(join(installation, name)) !== join(CURRENT_LINK, name));
  if (missing.length === 0) return NO_CHANGES;
  const apply = (): undefined => {
    for (const name of missing) replaceLink(installation, name, join(CURRENT_LINK, name));
  };
  const others = missing.filter((name) => existsAndIsNotLink(join(installation, name)));
  const replaced = others.length === 0 ? '' : `; in the place of what was there: ${others.join(', ')}`;
  const text = `links to it: ${missing.join(', ')}${replaced}`;
  return { changes: [{ text, essential: true, apply }], manualSteps: [] };
}

/** Chooses the folder name. A damaged version keeps its name, because programs may run from it. */
function chooseVersionName(installation: string, pack: Package): string {
  const versions = join(installation, VERSIONS_FOLDER);
  const current = currentVersion(installation);
  if (current?.startsWith(pack.version) && folderMatchesPackage(join(versions, current), pack))
    return current;
  for (let number = 0; ; number += 1) {
    const name = number === 0 ? pack.version : `${pack.version}.${number}`;
    if (!existsSync(join(versions, name)) || folderMatchesPackage(join(versions, name), pack)) return name;
  }
}

function copyFiles({ folder, files, sums }: Package, into: string): void {
  const folders = new Set([into]);
  for (const { path } of files) {
    for (let each = dirname(join(into, path)); !folders.has(each); each = dirname(each)) folders.add(each);
  }
  mkdirSync(into, { recursive: true, mode: 0o700 });
  for (const { path, sha256, executable } of files) {
    const target = join(into, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    const fd = openSync(target, 'wx', executable ? 0o755 : 0o644);
    try {
      const digest = digestOf(join(folder, path), (piece) => writeAll(fd, piece));
      if (digest !== sha256) throw installError(`${path} changed while it was copied`, 'run it again');
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }
  writeFileSync(join(into, CHECKSUM_FILE), sums, { mode: 0o644, flush: true });
  for (const each of folders) syncFolder(each);
}

function writeAll(fd: number, piece: Uint8Array): void {
  for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
}

/** Replaces a file by a link in one rename. A folder, of an installation without versions, is moved away first. */
function replaceLink(installation: string, name: string, target: string): undefined {
  const path = join(installation, name);
  const replaced = join(installation, `${REPLACED_PREFIX}${name}`);
  const made = join(installation, `.${name}${UNFINISHED_SUFFIX}`);
  rmSync(made, { force: true });
  symlinkSync(target, made);
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    rmSync(replaced, { recursive: true, force: true });
    renameSync(path, replaced);
  }
  renameSync(made, path);
  syncFolder(installation);
  rmSync(replaced, { recursive: true, force: true });
}

function linkTarget(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : undefined;
}

function existsAndIsNotLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === false;
}

function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
