import { ROUTES } from '../../protocol/api.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { PROTOCOL_VERSION, parseVersion, serves } from '../../protocol/version.ts';

/** Routes that are the same in every protocol: with them two versions meet and the older daemon ends. */
const TIMELESS: readonly string[] = [ROUTES.version.path, ROUTES.drain.path];

/**
 * Refuses requests of protocols that this daemon does not serve. A request without a version is served: the
 * `sh` programs send none, and use only what never changes.
 *
 * @param version the request's {@link VERSION_HEADER}.
 * @param current the daemon's protocol.
 * @throws CcwbError ERR_PROTOCOL_VERSION
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
