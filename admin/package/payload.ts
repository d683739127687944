/** The payload of packages, as scripts/build.js lays it out: beside the bundled program, or in the checkout. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CcwbError } from '../../protocol/errors.ts';
import { nodeName, type Platform, type RegistryPackage } from './platforms.ts';
import type { ArchiveFile } from './tarball.ts';

/** A npm package shipped to users. */
export type Component = RegistryPackage & {
  /** SPDX expression. */
  readonly license: string;
  /** Shipped packages that it needs, as NAME@VERSION. */
  readonly dependencies: readonly string[];
};

/** `components.json` of the payload. */
export type Components = {
  /** Packages inside the bundles of daemon and shims. */
  readonly bundled: readonly Component[];
  /** Packages beside the bundles. */
  readonly native: readonly Component[];
  /** Packages to fetch for each platform, as Node.js names it: the binaries of koffi. */
  readonly fetched: Readonly<Record<string, Component>>;
};

/**
 * Returns the folder that scripts/build.js creates.
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

/** Returns every file of a folder, with relative paths. Modes depend on the content, not on the copy. */
function filesUnder(folder: string): ArchiveFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => {
      const bytes = readFileSync(join(folder, path));
      // Our programs begin with a shebang line; libraries are loaded, not run.
      const executable = bytes.subarray(0, 2).toString('latin1') === '#!' && !path.endsWith('.js');
      return { path: path.split(sep).join('/'), bytes, executable };
    });
}
