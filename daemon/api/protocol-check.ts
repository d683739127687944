import { ROUTES } from '../../protocol/api.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { PROTOCOL_VERSION, parseVersion, serves } from '../../protocol/version.ts';

/** The same in every protocol: how two versions find out about each other, and the older makes room. */
const TIMELESS: readonly string[] = [ROUTES.version.path, ROUTES.drain.path];

/**
 * Refuses what a program of another time asks for: its words may have other meanings now. A request that
 * names no version is served; the `sh` programs ask for what stays as it is.
 *
 * @param version the request's {@link VERSION_HEADER}.
 * @param current the daemon's protocol.
 * @throws CcwbError ERR_PROTOCOL_VERSION, with what to do.
 */
export function checkProtocol(version: unknown, path: string, current: number = PROTOCOL_VERSION): void {
  const asked = parseVersion(version);
  if (!asked || serves(current, asked.protocol) || TIMELESS.includes(path)) return;
  throw new CcwbError(
    'ERR_PROTOCOL_VERSION',
    `the program (${asked.build}) speaks protocol ${asked.protocol}, the daemon ${current} and the one before`,
    asked.protocol > current
      ? 'run bedrock-auth service restart, so that the daemon is as new as the program'
      : 'run install.sh of the package again, so that the program is as new as the daemon',
  );
}
