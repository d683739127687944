import { resolve } from 'node:path';
import { CcwbError } from '../../protocol/errors.ts';
import { BUILD_VERSION } from '../../protocol/version.ts';
import type { PackageFlags } from '../commands/package.ts';
import type { AdminEdges } from '../edges.ts';
import { megabytes, paragraph } from '../terminal/text.ts';
import { whileWaiting } from '../terminal/while-waiting.ts';
import { packageFiles } from './contents.ts';
import { fetchLibraries, fetchRuntime, neededPackages } from './fetch.ts';
import { type OutputFolder, openOutput } from './output.ts';
import { findPayload, nativeFiles, readComponents, sharedFiles } from './payload.ts';
import { type Platform, targetPlatforms } from './platforms.ts';
import { checkGiven } from './registry-packages.ts';
import { type PackageSource, packageSource } from './source.ts';
import type { ArchiveFile } from './tarball.ts';

/** What `ccwb package --json` prints. */
export type PackageReport = {
  readonly profile: string;
  /** As version.json in every archive says it. */
  readonly build: string;
  /** Absolute path of the folder with the archives and SHA256SUMS. */
  readonly directory: string;
  readonly archives: readonly MadeArchive[];
};

type MadeArchive = {
  readonly platform: Platform;
  /** Its name in the folder. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
};

/**
 * The time of every file in an archive unless SOURCE_DATE_EPOCH says another: one and the same, since the time of a
 * build would make the same package differ. 2026-01-01T00:00:00Z, in seconds since 1970.
 */
const FILE_TIME_SECONDS = 1_767_225_600;

/** The last time that an archive can say. */
const LAST_TIME_SECONDS = 0o77777777777;

/** `ccwb package`, once its words are understood. */
export async function makePackages(flags: PackageFlags, edges: AdminEdges): Promise<void> {
  const platforms = targetPlatforms(flags.targetPlatform);
  const seconds = fileTime(edges.env.SOURCE_DATE_EPOCH);
  const source = packageSource(flags, edges.env);
  const payload = findPayload();
  const components = readComponents(payload);
  const shared = sharedFiles(payload);
  if (flags.runtimeDir !== undefined) {
    checkGiven(neededPackages(components, platforms, flags.runtime), flags.runtimeDir);
  }
  edges.writeError(`profile  ${source.name} (${source.path})\n`);
  edges.writeError(`version  ${BUILD_VERSION}\n\n`);
  for (const note of source.notes) edges.writeError(paragraph(note, edges.columns, 'note     '));

  const output = openOutput(flags.output, source.name, edges);
  try {
    const archives: MadeArchive[] = [];
    for (const platform of platforms) {
      const fetched = await fetchLibraries(components, platform, flags.runtimeDir, edges);
      const native = [...nativeFiles(payload, platform), ...fetched];
      const runtime = flags.runtime ? await fetchRuntime(platform, flags.runtimeDir, edges) : [];
      const files = packageFiles({ source, platform, components, shared, native, runtime });
      archives.push(await writeArchive(output, platform, source, files, seconds, edges));
    }
    output.writeText('SHA256SUMS', sums(archives));
    const directory = output.finish();
    const report = { profile: source.name, build: BUILD_VERSION, directory: resolve(directory), archives };
    if (flags.json) edges.writeOut(`${JSON.stringify(report satisfies PackageReport, undefined, 2)}\n`);
    else show(directory, archives, source, edges);
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
  const written = await whileWaiting(`packing ${platform}`, output.writeArchive(file, files, seconds), edges);
  return { platform, file, ...written };
}

function sums(archives: readonly MadeArchive[]): string {
  return archives.map(({ file, sha256 }) => `${sha256}  ${file}\n`).join('');
}

function show(
  directory: string,
  archives: readonly MadeArchive[],
  { name }: PackageSource,
  edges: AdminEdges,
): void {
  edges.writeOut(`${directory}\n`);
  const width = Math.max(...archives.map(({ file }) => file.length));
  for (const { file, bytes } of archives) {
    edges.writeOut(`  ${file.padEnd(width)}  ${megabytes(bytes)}\n`);
  }
  edges.writeOut('  SHA256SUMS\n');
  edges.writeError(
    paragraph(
      `\nHand each user the archive of their platform, and SHA256SUMS where they can trust it. They unpack it and run ./install.sh in claude-code-with-bedrock; README.md there says the rest.`,
      edges.columns,
    ),
  );
  edges.writeError(paragraph(`The latest packages of ${name} are in ${directory}`, edges.columns));
}
