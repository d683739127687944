/** Packages of the npm registry as `npm pack` fetches them: with the administrator's own npm and its settings. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import { type ProgramResult, runToEnd } from '../processes.ts';
import type { RegistryPackage } from './platforms.ts';

/** A Node.js is 50 MB: on a slow line that takes minutes, and npm tries again by itself. In milliseconds. */
const LIMIT_MS = 900_000;

export function specOf({ name, version }: RegistryPackage): string {
  return `${name}@${version}`;
}

/** Returns the file name that `npm pack` gives a tarball, such as `koromix-koffi-linux-x64-3.3.4.tgz`. */
export function tarballName({ name, version }: RegistryPackage): string {
  return `${name.replace(/^@/, '').replace('/', '-')}-${version}.tgz`;
}

/**
 * Fetches the tarball of a package; the caller checks its hash.
 *
 * @param folder an empty folder for this call alone, so that npm reads no project settings.
 * @throws CcwbError ERR_DOWNLOAD, ERR_INTERRUPTED
 */
export async function npmPack(
  what: RegistryPackage,
  folder: string,
  { env, interrupted }: Pick<AdminEdges, 'env' | 'interrupted'>,
): Promise<Uint8Array> {
  const args = ['pack', specOf(what), '--ignore-scripts', '--loglevel=error', '--update-notifier=false'];
  const ran = await runToEnd('npm', args, { env, cwd: folder, limitMs: LIMIT_MS, signal: interrupted });
  if (interrupted.aborted) {
    throw new CcwbError(
      'ERR_INTERRUPTED',
      `interrupted while npm fetched ${specOf(what)}; no package was made`,
      'run it again: what was fetched before is kept',
    );
  }
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  if (ran.end.kind === 'failed' || ran.end.status !== 0 || tarball === undefined) throw failure(what, ran);
  return readFileSync(join(folder, tarball));
}

function failure(what: RegistryPackage, { end, errors }: ProgramResult): CcwbError {
  const spec = specOf(what);
  if (end.kind === 'failed' && end.reason === 'ENOENT') {
    return failed(`npm is needed to fetch ${spec}, and there is none on the PATH`, 'install npm');
  }
  if (end.kind === 'failed') {
    const reason = end.reason === 'SIGKILL' ? `within ${LIMIT_MS / 60_000} min` : `(${end.reason})`;
    return failed(`npm did not fetch ${spec} ${reason}`, 'run it again where the network is faster');
  }
  const code = /^npm (?:error|ERR!) code (\w+)$/m.exec(errors)?.[1] ?? `exit status ${end.status}`;
  return failed(`npm could not fetch ${spec} (${code})`, FIXES[code] ?? NETWORK);
}

const NETWORK =
  'check the network and npm\u2019s proxy and registry (npm config list; npm ping), and run it again';
const ACCESS = 'sign npm in to its registry (npm login)';
const MISSING = 'choose a registry for npm that has it (npm config get registry)';

const FIXES: Readonly<Record<string, string>> = {
  E401: ACCESS,
  E403: ACCESS,
  ENEEDAUTH: ACCESS,
  E404: MISSING,
  ETARGET: MISSING,
  EINTEGRITY: 'run npm cache verify, and run it again',
};

function failed(message: string, fix: string): CcwbError {
  return new CcwbError(
    'ERR_DOWNLOAD',
    message,
    `${fix}; or have the tarballs brought here and pass --runtime-dir (docs/packaging.md)`,
  );
}
