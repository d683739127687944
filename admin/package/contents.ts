/** Lists every file of a package, from the parts that were read and fetched. Pure. */
import { createHash } from 'node:crypto';
import { INSTALL_FOLDER } from '../../protocol/paths.ts';
import { BUILD_VERSION } from '../../protocol/version.ts';
import type { Components } from './payload.ts';
import { nodeName, type Platform, RUNTIMES } from './platforms.ts';
import { buildBillOfMaterials } from './sbom.ts';
import type { PackageSource } from './source.ts';
import type { ArchiveFile } from './tarball.ts';
import { buildUserReadme } from './user-readme.ts';

export type PackageParts = {
  readonly source: PackageSource;
  readonly platform: Platform;
  readonly components: Components;
  /** The programs, the same on every platform. */
  readonly shared: readonly ArchiveFile[];
  /** Libraries of the platform. */
  readonly native: readonly ArchiveFile[];
  /** Node.js and its license; empty when users have their own. */
  readonly runtime: readonly ArchiveFile[];
};

/** Returns the files, in the one folder that an archive unpacks to. */
export function buildPackageFiles(made: PackageParts): ArchiveFile[] {
  const { source, platform, components, shared, native, runtime } = made;
  const { name, settings } = source;
  const hasRuntime = runtime.length > 0;
  const text = (path: string, content: string): ArchiveFile => ({
    path,
    bytes: Buffer.from(content),
    executable: false,
  });
  const json = (path: string, value: unknown) => text(path, `${JSON.stringify(value, undefined, 2)}\n`);
  const readme = buildUserReadme({
    profile: name,
    build: BUILD_VERSION,
    hasTelemetry: settings.otelHeadersHelper !== undefined,
    hasRuntime,
  });
  const bill = buildBillOfMaterials({
    build: BUILD_VERSION,
    components,
    platform: nodeName(platform),
    runtime: hasRuntime ? RUNTIMES[platform] : undefined,
  });
  const files = sorted([
    ...shared,
    ...native,
    ...runtime,
    text('README.md', readme),
    text('config.json', source.config),
    json('.claude/settings.json', settings),
    json('version.json', { build: BUILD_VERSION, profile: name }),
    text('sbom.json', bill),
  ]);
  return [...files, text('SHA256SUMS', checksums(files))].map((file) => ({
    ...file,
    path: `${INSTALL_FOLDER}/${file.path}`,
  }));
}

/** Returns the checksums in the format of `sha256sum` and `shasum -a 256`. */
export function checksums(files: readonly Pick<ArchiveFile, 'path' | 'bytes'>[]): string {
  return files
    .map(({ path, bytes }) => `${createHash('sha256').update(bytes).digest('hex')}  ${path}\n`)
    .join('');
}

function sorted(files: readonly ArchiveFile[]): ArchiveFile[] {
  return [...files].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}
