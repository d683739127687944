import { createHash } from 'node:crypto';
import { closeSync, lstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { readFileIfExists } from '../../common/atomic-file.ts';
import { type Config, parseConfig } from '../../protocol/config.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { sha256 } from '../installation/installation-record.ts';
import { type JsonObject, objectIn } from '../user-files/json-text.ts';

/** An unpacked package. */
export type Package = {
  folder: string;
  /** Build version of its programs. */
  build: string;
  /** Name of the folder under `versions` for exactly these files: the build, then digits of their checksums. */
  version: string;
  files: readonly PackageFile[];
  /** The text of SHA256SUMS. That file is not in `files`. */
  sums: string;
  /** config.json, parsed and checked. */
  config: Config;
  configText: string;
  /** `.claude/settings.json`; undefined if the package has none. */
  settings: JsonObject | undefined;
};

export type PackageFile = { path: string; sha256: string; size: number; executable: boolean };

export const CHECKSUM_FILE = 'SHA256SUMS';

/** Digits of the checksums' digest that distinguish two packages of one build. */
const DIGEST_DIGITS = 8;

const UNPACK_AGAIN = 'unpack the archive again; if that is no help, get it again from your administrator';

/**
 * Reads a package and checks every file of it against SHA256SUMS.
 *
 * @throws CcwbError ERR_PACKAGE_INVALID; ERR_CONFIG_INVALID for a profile that cannot be used.
 */
export function readPackage(folder: string): Package {
  const sums = readText(folder, CHECKSUM_FILE);
  const files = parseChecksums(sums).map(([digest, path]) => checkFile(folder, path, digest));
  const version = objectIn(readText(folder, 'version.json'));
  const build = version?.build;
  if (typeof build !== 'string' || !/^[\w.+-]{1,64}$/.test(build) || build.startsWith('.')) {
    throw invalidPackage('version.json names no build');
  }
  const configText = readText(folder, 'config.json');
  const config = parseConfig(configText, join(folder, 'config.json'));
  for (const problem of config.invalid.values()) throw problem;
  const settingsText = readFileIfExists(join(folder, '.claude', 'settings.json'));
  const settings = settingsText === undefined ? undefined : objectIn(settingsText);
  if (settingsText !== undefined && !settings)
    throw invalidPackage('.claude/settings.json is no JSON object');
  return {
    folder,
    build,
    version: `${build}-${sha256(sums).slice(0, DIGEST_DIGITS)}`,
    files,
    sums,
    config,
    configText,
    settings,
  };
}

/** Checks that a folder holds exactly the bytes of these files. */
export function folderMatchesPackage(folder: string, { files, sums }: Package): boolean {
  try {
    if (readFileIfExists(join(folder, CHECKSUM_FILE)) !== sums) return false;
    return files.every(({ path, sha256: digest, size }) => {
      const stat = lstatSync(join(folder, path));
      return stat.isFile() && stat.size === size && digestOf(join(folder, path)) === digest;
    });
  } catch {
    return false;
  }
}

/** Returns the SHA-256 of a file. `onPiece` receives each piece that is read. */
export function digestOf(path: string, onPiece: (piece: Uint8Array) => void = () => {}): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1_048_576);
  const fd = openSync(path, 'r');
  try {
    for (let length = 1; length > 0; ) {
      length = readSync(fd, buffer);
      const piece = buffer.subarray(0, length);
      hash.update(piece);
      onPiece(piece);
    }
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}

/** Parses the output format of `sha256sum`. */
function parseChecksums(sums: string): [digest: string, path: string][] {
  const lines = sums.split('\n').filter((line) => line !== '');
  if (lines.length === 0) throw invalidPackage(`${CHECKSUM_FILE} is empty`);
  return lines.map((line) => {
    const [, digest = '', path = ''] = /^([0-9a-f]{64}) [ *](?:\.\/)?(.+)$/.exec(line) ?? [];
    const inside = path !== '' && !path.startsWith('/') && !path.split('/').includes('..');
    if (!inside || path.includes('\\'))
      throw invalidPackage(`${CHECKSUM_FILE} has a line that is none of a checksum`);
    return [digest, path];
  });
}

function checkFile(folder: string, path: string, digest: string): PackageFile {
  const stat = lstatSync(join(folder, path), { throwIfNoEntry: false });
  if (!stat) throw invalidPackage(`${path} is missing`);
  if (!stat.isFile()) throw invalidPackage(`${path} is no file`);
  let found: string;
  try {
    found = digestOf(join(folder, path));
  } catch (cause) {
    throw invalidPackage(`${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
  if (found !== digest) throw invalidPackage(`${path} is not as it was packed`);
  return { path, sha256: digest, size: stat.size, executable: (stat.mode & 0o100) !== 0 };
}

function readText(folder: string, name: string): string {
  let text: string | undefined;
  try {
    text = readFileIfExists(join(folder, name));
  } catch (cause) {
    throw invalidPackage(`${name} cannot be read (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
  if (text === undefined) throw invalidPackage(`${name} is missing`);
  return text;
}

function invalidPackage(what: string, cause?: unknown): CcwbError {
  return new CcwbError('ERR_PACKAGE_INVALID', `the package is damaged: ${what}`, UNPACK_AGAIN, { cause });
}
