import { parseArgs } from 'node:util';
import type { ShimEdges } from '../program/edges.ts';
import { usageError } from '../program/errors.ts';

export const INSTALL_HELP = `Install Claude Code with Amazon Bedrock for you, or bring it up to date.

Usage: ./install.sh [options]

  --dry-run     show what would change, and change nothing
  --no-service  do not register the daemon with systemd or launchd; the first
                program that needs it starts it
  --json        for programs
  -h, --help    print this text

No sudo: it is all in your home. Run it again to upgrade or to mend; the same
package again changes nothing. bedrock-auth uninstall takes all of it back.
Exit status 0: installed. 1: failed, and what worked before still works.
2: wrong usage. 3: installed, and something is left to do by hand.
`;

export type InstallOptions = { dryRun: boolean; service: boolean; json: boolean };

/**
 * Parses the arguments of the installer. Undefined if they ask for the help.
 *
 * @throws CcwbError ERR_USAGE for arguments that the installer does not have.
 */
export function parseInstallOptions({ name, args }: ShimEdges): InstallOptions | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        'dry-run': { type: 'boolean' },
        'no-service': { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) return undefined;
    const { 'dry-run': dryRun, 'no-service': noService, json } = values;
    return { dryRun: dryRun === true, service: noService !== true, json: json === true };
  } catch (error) {
    const [first = ''] = (error instanceof Error ? error.message : '').split('. ');
    throw usageError(name, first);
  }
}
