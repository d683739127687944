/** The payload of packages, as scripts/build.js lays it out: beside the bundled program, or in the checkout. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CcwbError } from '../../protocol/errors.ts';
import { nodeName, type Platform, type RegistryPackage } from './platforms.ts';
import type { ArchiveFile } from './tarball.ts';

/** A package that is part of what users are shipped. */
export type Component = RegistryPackage & {
  /** SPDX expression. */
  readonly license: string;
  /** NAME@VERSION of those it needs that are shipped too. */
  readonly dependencies: readonly string[];
};

/** `components.json` of the payload. */
export type Components = {
  /** In the bundles of daemon and shims. */
  readonly bundled: readonly Component[];
  /** Beside them. */
  readonly native: readonly Component[];
  /** For each platform, as Node.js names it, what has to be fetched for it: the binaries of koffi. */
  readonly fetched: Readonly<Record<string, Component>>;
};

/**
 * The folder that scripts/build.js lays out.
 *
 * @throws CcwbError ERR_INSTALL_INCOMPLETE when there is none.
 */
export function findPayload(here: string = dirname(fileURLToPath(import.meta.url))): string {
  // Beside the bundle, or in build/ as seen from build/js/admin/package.
  const places = [join(here, 'payload'), join(here, '..', '..', '..', 'payload')];
  const found = places.find((folder) => existsSync(join(folder, 'components.json')));
  if (found !== undefined) return found;
  throw new CcwbError(
    'ERR_INSTALL_INCOMPLETE',
    `what packages are made of is missing: there is no ${places[0]}`,
    'unpack ccwb again, or run npm run build in the checkout',
  );
}

export function readComponents(payload: string): Components {
  return JSON.parse(readFileSync(join(payload, 'components.json'), 'utf8')) as Components;
}

/** The files that are the same on every platform. */
export function sharedFiles(payload: string): ArchiveFile[] {
  return [
    ...filesUnder(join(payload, 'app')),
    { path: 'LICENSE', bytes: readFileSync(join(payload, 'LICENSE')), executable: false },
    { path: 'licenses.txt', bytes: readFileSync(join(payload, 'licenses.txt')), executable: false },
  ];
}

/** keytar, and koffi without its binaries, where the daemon looks for them. */
export function nativeFiles(payload: string, platform: Platform): ArchiveFile[] {
  return filesUnder(join(payload, 'native', nodeName(platform))).map((file) => ({
    ...file,
    path: `daemon/node_modules/${file.path}`,
  }));
}

/** Every file in a folder, with paths from there. Modes are those of what it is, not of who copied it. */
function filesUnder(folder: string): ArchiveFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => {
      const bytes = readFileSync(join(folder, path));
      // Programs of ours begin with the line that names their interpreter; libraries are loaded, not run.
      const executable = bytes.subarray(0, 2).toString('latin1') === '#!' && !path.endsWith('.js');
      return { path: path.split(sep).join('/'), bytes, executable };
    });
}
