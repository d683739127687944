import { accessSync, constants, existsSync, lstatSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CcwbError } from '../../protocol/errors.ts';
import type { ShimEdges } from '../program/edges.ts';
import type { Package } from './package.ts';

/** Upper bound of everything that is written besides the package's files, in bytes. */
const OTHER_FILES_BYTES = 16_777_216;

/**
 * Returns the folder of the installation, after checking that it can be written. Writes nothing.
 *
 * @throws CcwbError ERR_USAGE for another user's home; ERR_INSTALL_FAILED for a home that cannot be written.
 */
export function findInstallFolder({ paths, env }: ShimEdges): string {
  const wanted = paths.installDirectory;
  const home = dirname(wanted);
  const stat = statSync(home, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) throw installError(`there is no home ${home}`, 'set HOME to your home folder');
  const uid = process.getuid?.();
  const sudoer = env.SUDO_UID !== undefined && env.SUDO_UID !== String(uid);
  if (stat.uid !== uid || sudoer) {
    throw new CcwbError(
      'ERR_USAGE',
      sudoer
        ? 'this runs by sudo, and an installation belongs to the user who signs in'
        : `the home ${home} belongs to uid ${stat.uid}, and this runs as uid ${uid}`,
      'run ./install.sh as yourself, without sudo or su',
    );
  }
  const there = lstatSync(wanted, { throwIfNoEntry: false });
  if (there && !statSync(wanted, { throwIfNoEntry: false })?.isDirectory()) {
    throw installError(`${wanted} is no folder`, `move it away: mv ${wanted} ${wanted}.away`);
  }
  const place = there ? realpathSync(wanted) : join(realpathSync(home), basename(wanted));
  if (there && statSync(place).uid !== uid) {
    throw installError(`${wanted} belongs to uid ${statSync(place).uid}, not to you`, `sudo rm -r ${wanted}`);
  }
  checkWritable(existsSync(place) ? place : dirname(place));
  checkPathCharacters(place);
  return place;
}

/** @throws CcwbError ERR_INSTALL_FAILED if the disk has too little space for the package. */
export function checkDiskSpace(place: string, { files }: Package): void {
  const folder = existsSync(place) ? place : dirname(place);
  const needed = files.reduce((sum, { size }) => sum + size, OTHER_FILES_BYTES);
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= needed) return;
  throw installError(
    `there is no room in ${folder}: ${megabytes(needed)} are needed, ${megabytes(free)} are free`,
    `make room there, then run it again; du -sh ${folder}/* shows what takes it`,
  );
}

/** Converts the error of a file operation to a CcwbError with ERR_INSTALL_FAILED; a CcwbError is returned as it is. */
export function toInstallError(thrown: unknown, what: string): CcwbError {
  if (thrown instanceof CcwbError) return thrown;
  const { code, path } = (thrown ?? {}) as NodeJS.ErrnoException;
  if (code === undefined || path === undefined) {
    return installError(`${what}: ${code ?? 'unexpected error'}`, 'run it again', thrown);
  }
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  const why = full ? 'the disk or your quota is full' : `${path} cannot be written (${code})`;
  const fix = full ? 'make room, then run it again' : `see to it that ${dirname(path)} can be written`;
  return installError(`${what}: ${why}`, fix, thrown);
}

function checkWritable(folder: string): void {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'EROFS' ? 'is on a disk that is read-only' : `cannot be written (${code})`;
    throw installError(`${folder} ${why}`, 'see to it that you can write there', cause);
  }
}

/** Rejects characters that files of AWS and of service managers cannot hold in a path. */
function checkPathCharacters(place: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern looks for control characters
  if (!/[\x00-\x1f\x7f]|\s[#;]/.test(place)) return;
  throw installError(
    `the path ${JSON.stringify(place)} holds control characters, or # or ; after a space`,
    'no AWS tool could run a program there; use a home without them',
  );
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1_000_000)} MB`;
}

export function installError(message: string, fix: string, cause?: unknown): CcwbError {
  return new CcwbError('ERR_INSTALL_FAILED', message, fix, { cause });
}
