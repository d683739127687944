/** Finds the package to test: the named one, the newest one, or one that is made for the test. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CcwbError } from '../../protocol/errors.ts';
import { parseObject } from '../../protocol/json.ts';
import { INSTALL_FOLDER } from '../../protocol/paths.ts';
import type { AdminEdges } from '../edges.ts';
import { makePackages } from '../package/make-packages.ts';
import { nodeName, PLATFORMS, type Platform } from '../package/platforms.ts';
import { runToEnd } from '../processes.ts';
import { oneLine } from '../terminal/text.ts';
import { userEnvironment } from './environment.ts';
import type { TrialFlags } from './trial-flags.ts';
import type { TrialFolders } from './trial-folders.ts';

/** An archive or what it unpacks to, and where it comes from, in words. */
export type FoundPackage = { readonly path: string; readonly origin: string };

/** A package as it was unpacked. */
export type UnpackedPackage = {
  /** The folder with install.sh. */
  readonly folder: string;
  /** The version in version.json. */
  readonly build: string;
  readonly profile: string | undefined;
};

/** Folders of `ccwb package`: `20260102T030405Z`, and a number when two were made in one second. */
const TIMESTAMP = /^\d{8}T\d{6}Z(-\d+)?$/;

/** Unpacking a hundred megabytes on a slow disk takes a while. */
const UNPACK_MS = 120_000;

const AGAIN = 'make it again with ccwb package';

/** @throws CcwbError ERR_USAGE on a machine that no package is for. */
export function thisPlatform(): Platform {
  const name = `${process.platform}-${process.arch}`;
  const found = PLATFORMS.find((platform) => nodeName(platform) === name);
  if (found) return found;
  const allowed = PLATFORMS.join(', ');
  throw new CcwbError(
    'ERR_USAGE',
    `this machine is ${name}; packages are for ${allowed}`,
    'test on one of those',
  );
}

/**
 * @param name of the deployment.
 * @throws CcwbError ERR_PACKAGE_INVALID; as `makePackages` does.
 */
export async function findPackage(
  flags: TrialFlags,
  name: string | undefined,
  folders: TrialFolders,
  edges: AdminEdges,
): Promise<FoundPackage> {
  const platform = thisPlatform();
  const found =
    flags.package === undefined
      ? findNewest(flags.output, name, platform)
      : findNamed(flags.package, platform);
  if (!found)
    return { path: await makePackage(flags, platform, folders, edges), origin: 'made for this test' };
  await checkSum(found);
  // The name of the archive repeats the path.
  const origin = flags.package === undefined ? `the newest, ${dirname(found)}` : found;
  return { path: found, origin };
}

/** Returns the latest archive of a deployment for this platform. */
function findNewest(output: string, name = '', platform: Platform): string | undefined {
  const parent = join(output, name);
  return namesIn(parent)
    .filter((folder) => TIMESTAMP.test(folder))
    .sort((one, other) => other.localeCompare(one, 'en', { numeric: true }))
    .map((folder) => archiveIn(join(parent, folder), platform))
    .find((archive) => archive !== undefined);
}

function findNamed(path: string, platform: Platform): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw invalid(`there is no ${path}`, 'pass --package an archive of ccwb package, or its folder');
  if (!stat.isDirectory() || existsSync(join(path, 'install.sh'))) return path;
  const archive = archiveIn(path, platform);
  if (archive !== undefined) return archive;
  throw invalid(`${path} has no archive for ${platform}`, `run ccwb package --target-platform ${platform}`);
}

function archiveIn(folder: string, platform: Platform): string | undefined {
  const name = namesIn(folder).find((file) => file.endsWith(`-${platform}.tar.gz`));
  return name === undefined ? undefined : join(folder, name);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

async function makePackage(
  flags: TrialFlags,
  platform: Platform,
  { made }: TrialFolders,
  edges: AdminEdges,
): Promise<string> {
  const quiet = { ...edges, columns: undefined, writeError: () => {} };
  const { folder, archives } = await makePackages(
    { ...flags, targetPlatform: platform, output: made, runtime: true },
    quiet,
  );
  return join(folder, archives[0]?.file ?? '');
}

/** Compares an archive with SHA256SUMS beside it, if that exists. */
async function checkSum(path: string): Promise<void> {
  const sums = join(dirname(path), 'SHA256SUMS');
  if (statSync(path).isDirectory() || !existsSync(sums)) return;
  const line = readFileSync(sums, 'utf8')
    .split('\n')
    .find((each) => each.endsWith(`  ${basename(path)}`));
  if (line === undefined) return;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  if (line.startsWith(hash.digest('hex'))) return;
  throw invalid(`${path} is damaged: SHA256SUMS beside it has another checksum`, AGAIN);
}

/** Unpacks an archive as users do. @throws CcwbError ERR_PACKAGE_INVALID */
export async function unpack(
  { path }: FoundPackage,
  folders: TrialFolders,
  edges: AdminEdges,
): Promise<UnpackedPackage> {
  if (statSync(path).isDirectory()) return contents(resolve(path));
  const env = userEnvironment(folders, edges.env);
  const args = ['-xzf', resolve(path), '-C', folders.unpacked];
  const { end, errors } = await runToEnd('tar', args, { env, limitMs: UNPACK_MS, signal: edges.interrupted });
  if (end.kind === 'failed') {
    throw invalid(`tar did not unpack ${path} (${end.reason})`, 'see that there is a tar in your PATH');
  }
  if (end.status !== 0) {
    const [reason = ''] = errors.trim().split('\n');
    throw invalid(
      `tar does not unpack ${path}: ${oneLine(reason)}`,
      `make room if it says so; else ${AGAIN}`,
    );
  }
  return contents(join(folders.unpacked, INSTALL_FOLDER));
}

function contents(folder: string): UnpackedPackage {
  if (!existsSync(join(folder, 'install.sh'))) {
    throw invalid(`the package is damaged: it has no ${INSTALL_FOLDER}/install.sh`, AGAIN);
  }
  const { build, profile } = readJson(join(folder, 'version.json')) ?? {};
  return {
    folder,
    build: typeof build === 'string' ? build : 'of no known version',
    profile: typeof profile === 'string' ? profile : undefined,
  };
}

/** Reads a JSON object; undefined for anything else, which the installed programs report in more detail. */
export function readJson(path: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return parseObject(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
}

function invalid(message: string, fix: string): CcwbError {
  return new CcwbError('ERR_PACKAGE_INVALID', message, fix);
}
