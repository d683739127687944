/** Tarballs of the npm registry, each checked against its pinned hash whenever it is used. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import { makeFolders } from '../files/make-folders.ts';
import { ccwbHome } from '../profiles/profile-store.ts';
import { npmPack, specOf, tarballName } from './npm.ts';
import type { RegistryPackage } from './platforms.ts';
import { removeStaleFiles } from './stale-files.ts';

/** The source of a tarball. */
export type TarballOrigin = 'given' | 'cache' | 'registry';

export type ObtainedTarball = { readonly tarball: Uint8Array; readonly origin: TarballOrigin };

/** Returns `$XDG_CACHE_HOME/ccwb`, or `cache` in the folder of `ccwb`. */
export function cacheFolder(env: AdminEdges['env']): string {
  const { XDG_CACHE_HOME: cache } = env;
  // The XDG base directory specification: a relative path is invalid and is to be ignored.
  return cache && isAbsolute(cache) ? join(cache, 'ccwb') : join(ccwbHome(env), 'cache');
}

/**
 * Returns the tarball of a package: from the folder that the administrator names, else from the cache, else
 * from the registry. A fetched tarball is cached. A cached one with a wrong hash is fetched again.
 *
 * @param given folder of tarballs, for machines that do not reach a registry; then nothing is fetched.
 * @throws CcwbError ERR_DOWNLOAD, ERR_INTEGRITY, ERR_OUTPUT, ERR_INTERRUPTED
 */
export async function obtainTarball(
  what: RegistryPackage,
  given: string | undefined,
  edges: Pick<AdminEdges, 'env' | 'interrupted' | 'now'>,
): Promise<ObtainedTarball> {
  if (given !== undefined) return { tarball: readGiven(what, given), origin: 'given' };
  const cache = cacheFolder(edges.env);
  const path = join(cache, tarballName(what));
  const cached = readIfThere(path);
  if (cached && hasIntegrity(cached, what.integrity)) return { tarball: cached, origin: 'cache' };
  const folder = makeTemporary(cache, edges.now());
  try {
    const tarball = await npmPack(what, folder, edges);
    if (!hasIntegrity(tarball, what.integrity)) {
      throw wrongHash(
        `what the registry has as ${specOf(what)}`,
        'find out who serves npm there: it is not the package that this ccwb was made with',
      );
    }
    // Renamed when complete: another ccwb may read the cache at the same time.
    const whole = join(folder, 'whole');
    writeFileSync(whole, tarball, { mode: 0o600 });
    renameSync(whole, path);
    return { tarball, origin: 'registry' };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Checks that a folder of tarballs is complete.
 *
 * @throws CcwbError ERR_DOWNLOAD with one command that fetches all missing files.
 */
export function checkGivenTarballs(all: readonly RegistryPackage[], folder: string): void {
  const lacking = all.filter((what) => !existsSync(join(folder, tarballName(what))));
  if (lacking.length === 0) return;
  throw new CcwbError(
    'ERR_DOWNLOAD',
    `${folder} has no ${lacking.map(tarballName).join(', ')}`,
    `run this where there is a network, and put what it makes into ${folder}: npm pack ${lacking.map(specOf).join(' ')}`,
  );
}

/** Compares the hash of bytes with one in the form of Subresource Integrity. */
export function hasIntegrity(bytes: Uint8Array, integrity: string): boolean {
  const expected = Buffer.from(integrity.replace(/^sha512-/, ''), 'base64');
  const actual = createHash('sha512').update(bytes).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function readGiven(what: RegistryPackage, folder: string): Uint8Array {
  checkGivenTarballs([what], folder);
  const path = join(folder, tarballName(what));
  const tarball = readIfThere(path);
  if (!tarball) throw new CcwbError('ERR_DOWNLOAD', `${path} cannot be read`, 'make it readable for you');
  if (hasIntegrity(tarball, what.integrity)) return tarball;
  throw wrongHash(path, `fetch it again: npm pack ${specOf(what)}`);
}

function wrongHash(what: string, fix: string): CcwbError {
  return new CcwbError(
    'ERR_INTEGRITY',
    `${what} has another hash than the pinned one; nothing was made of it`,
    fix,
  );
}

function makeTemporary(cache: string, now: number): string {
  try {
    makeFolders(cache, 0o700);
    removeStaleFiles(cache, /^fetch-/, now);
    return mkdtempSync(join(cache, 'fetch-'));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new CcwbError(
      'ERR_OUTPUT',
      `the cache ${cache} cannot be written (${code})`,
      'make room there or make it yours, or set XDG_CACHE_HOME to another folder',
      { cause },
    );
  }
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
