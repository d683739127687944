import { CcwbError } from '../../protocol/errors.ts';
import { BUILD_VERSION } from '../../protocol/version.ts';
import type { AdminEdges } from '../edges.ts';
import type { ProfileFlags } from '../profiles/chosen-profile.ts';
import { withElapsedTime } from '../terminal/elapsed-time.ts';
import { paragraph } from '../terminal/text.ts';
import { buildPackageFiles } from './contents.ts';
import { fetchLibraries, fetchRuntime, neededPackages } from './fetch.ts';
import { createOutputFolder, type OutputFolder } from './output.ts';
import { findPayload, nativeFiles, readComponents, sharedFiles } from './payload.ts';
import { type Platform, targetPlatforms } from './platforms.ts';
import { checkGivenTarballs } from './registry-packages.ts';
import { type PackageSource, readPackageSource } from './source.ts';
import type { ArchiveFile } from './tarball.ts';

export type PackagingOptions = ProfileFlags & {
  /** `all`, a system such as `macos`, or one platform. */
  readonly targetPlatform: string;
  /** The folder that gets the packages, in PROFILE/TIME. */
  readonly output: string;
  /** True: Node.js goes into the packages. */
  readonly runtime: boolean;
  /** Folder of tarballs of Node.js and koffi; undefined: they are fetched. */
  readonly runtimeDir?: string;
};

/** The packages that were made. */
export type MadePackages = {
  readonly profile: string;
  /** The version in version.json of every archive. */
  readonly build: string;
  /** The folder with the archives and SHA256SUMS, beginning with the path of the option `output`. */
  readonly folder: string;
  readonly archives: readonly MadeArchive[];
};

export type MadeArchive = {
  readonly platform: Platform;
  /** Name of the file in the folder. */
  readonly file: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
};

/**
 * The time of every file in an archive, unless SOURCE_DATE_EPOCH is set. A constant, so that equal packages have
 * equal bytes. 2026-01-01T00:00:00Z, in seconds since 1970.
 */
const FILE_TIME_SECONDS = 1_767_225_600;

/** The latest time that an archive can store. */
const LAST_TIME_SECONDS = 0o77777777777;

/**
 * Makes one archive for each platform, and reports its progress on standard error.
 *
 * @throws CcwbError ERR_USAGE, ERR_NOT_DEPLOYED, ERR_DOWNLOAD, ERR_INTEGRITY, ERR_OUTPUT, ERR_INTERRUPTED
 */
export async function makePackages(options: PackagingOptions, edges: AdminEdges): Promise<MadePackages> {
  const platforms = targetPlatforms(options.targetPlatform);
  const seconds = fileTime(edges.env.SOURCE_DATE_EPOCH);
  const source = readPackageSource(options, edges.env);
  const payload = findPayload();
  const components = readComponents(payload);
  const shared = sharedFiles(payload);
  if (options.runtimeDir !== undefined) {
    checkGivenTarballs(neededPackages(components, platforms, options.runtime), options.runtimeDir);
  }
  edges.writeError(`profile  ${source.name} (${source.path})\n`);
  edges.writeError(`version  ${BUILD_VERSION}\n\n`);
  for (const note of source.notes) edges.writeError(paragraph(note, edges.columns, 'note     '));

  const output = createOutputFolder(options.output, source.name, edges);
  try {
    const archives: MadeArchive[] = [];
    for (const platform of platforms) {
      const fetched = await fetchLibraries(components, platform, options.runtimeDir, edges);
      const native = [...nativeFiles(payload, platform), ...fetched];
      const runtime = options.runtime ? await fetchRuntime(platform, options.runtimeDir, edges) : [];
      const files = buildPackageFiles({ source, platform, components, shared, native, runtime });
      archives.push(await writeArchive(output, platform, source, files, seconds, edges));
    }
    output.writeText('SHA256SUMS', sums(archives));
    return { profile: source.name, build: BUILD_VERSION, folder: output.finish(), archives };
  } finally {
    output.discard();
  }
}

/** @throws CcwbError ERR_USAGE */
function fileTime(epoch: string | undefined): number {
  if (!epoch) return FILE_TIME_SECONDS;
  const seconds = /^\d{1,12}$/.test(epoch) ? Number(epoch) : Number.NaN;
  if (seconds <= LAST_TIME_SECONDS) return seconds;
  throw new CcwbError(
    'ERR_USAGE',
    `SOURCE_DATE_EPOCH is ${JSON.stringify(epoch)}; allowed: seconds since 1970, at most ${LAST_TIME_SECONDS}`,
    'set it to what date +%s prints, or not at all',
  );
}

async function writeArchive(
  output: OutputFolder,
  platform: Platform,
  source: PackageSource,
  files: readonly ArchiveFile[],
  seconds: number,
  edges: AdminEdges,
): Promise<MadeArchive> {
  const file = `claude-code-with-bedrock-${source.name}-${platform}.tar.gz`;
  const written = await withElapsedTime(
    `packing ${platform}`,
    output.writeArchive(file, files, seconds),
    edges,
  );
  return { platform, file, ...written };
}

function sums(archives: readonly MadeArchive[]): string {
  return archives.map(({ file, sha256 }) => `${sha256}  ${file}\n`).join('');
}
