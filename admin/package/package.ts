import { resolve } from 'node:path';
import type { AdminEdges } from '../edges.ts';
import { megabytes, paragraph } from '../terminal/text.ts';
import { type MadeArchive, type MadePackages, makePackages, type PackagingOptions } from './make-packages.ts';

export type PackageFlags = PackagingOptions & { readonly json?: true };

/** The form that `ccwb package --json` prints. */
export type PackageReport = {
  readonly profile: string;
  /** The version in version.json of every archive. */
  readonly build: string;
  /** Absolute path of the folder with the archives and SHA256SUMS. */
  readonly directory: string;
  readonly archives: readonly MadeArchive[];
};

/** Runs `ccwb package`: makes the packages of a deployment and lists them. */
export async function packageDeployment(flags: PackageFlags, edges: AdminEdges): Promise<void> {
  const made = await makePackages(flags, edges);
  if (!flags.json) {
    printPackages(made, edges);
    return;
  }
  const { profile, build, folder, archives } = made;
  const report: PackageReport = { profile, build, directory: resolve(folder), archives };
  edges.writeOut(`${JSON.stringify(report, undefined, 2)}\n`);
}

function printPackages({ profile, folder, archives }: MadePackages, edges: AdminEdges): void {
  edges.writeOut(`${folder}\n`);
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
  edges.writeError(paragraph(`The latest packages of ${profile} are in ${folder}`, edges.columns));
}
