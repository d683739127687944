/** Parts of a package that come from the npm registry: Node.js and the binaries of koffi. */
import type { AdminEdges } from '../edges.ts';
import { withElapsedTime } from '../terminal/elapsed-time.ts';
import { megabytes } from '../terminal/text.ts';
import { specOf } from './npm.ts';
import type { Components } from './payload.ts';
import { nodeName, type Platform, type RegistryPackage, RUNTIMES } from './platforms.ts';
import { obtainTarball, type TarballOrigin } from './registry-packages.ts';
import { type ArchiveFile, readTarball } from './tarball.ts';

const NODE = 'runtime/bin/node';

/** Returns the packages of the registry that these platforms need. */
export function neededPackages(
  components: Components,
  platforms: readonly Platform[],
  hasRuntime: boolean,
): RegistryPackage[] {
  return platforms.flatMap((platform) => [
    ...[components.fetched[nodeName(platform)]].filter((library) => library !== undefined),
    ...(hasRuntime ? [RUNTIMES[platform]] : []),
  ]);
}

/** Node.js, and its license. @param given folder of tarballs to use, see {@link obtainTarball}, which throws. */
export async function fetchRuntime(
  platform: Platform,
  given: string | undefined,
  edges: AdminEdges,
): Promise<readonly ArchiveFile[]> {
  const places = new Map([
    ['package/bin/node', NODE],
    ['package/LICENSE', 'runtime/LICENSE'],
  ]);
  const files = await unpacked(RUNTIMES[platform], given, edges, (path) => places.get(path));
  return files.map((file) => ({ ...file, executable: file.path === NODE }));
}

/** The binaries of koffi, where the daemon looks for them. Throws as {@link fetchRuntime} does. */
export async function fetchLibraries(
  components: Components,
  platform: Platform,
  given: string | undefined,
  edges: AdminEdges,
): Promise<readonly ArchiveFile[]> {
  const library = components.fetched[nodeName(platform)];
  if (!library) return [];
  const place = `daemon/node_modules/${library.name}/`;
  const files = await unpacked(library, given, edges, (path) => path.replace(/^package\//, place));
  // Libraries are loaded, not run.
  return files.map((file) => ({ ...file, executable: false }));
}

const ORIGINS: Readonly<Record<TarballOrigin, string>> = {
  given: 'from --runtime-dir',
  cache: 'from the cache',
  registry: 'from the registry',
};

/** The files of a registry's package that have a place, under it. */
async function unpacked(
  what: RegistryPackage,
  given: string | undefined,
  edges: AdminEdges,
  placeOf: (path: string) => string | undefined,
): Promise<readonly ArchiveFile[]> {
  const { tarball, origin } = await withElapsedTime(specOf(what), obtainTarball(what, given, edges), edges);
  edges.writeError(`${megabytes(tarball.byteLength)}  ${specOf(what)} ${ORIGINS[origin]}\n`);
  const files = await readTarball(tarball, (path) => placeOf(path) !== undefined);
  return [...files.values()].map((file) => ({ ...file, path: placeOf(file.path) ?? file.path }));
}
