import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CcwbError } from '../../protocol/errors.ts';
import type { ShimEdges } from '../program/edges.ts';

/** Placeholder of the installation's folder in the templates of service-files/, and in settings of a package. */
export const PLACEHOLDER = '@INSTALL_DIRECTORY@';

/**
 * Returns a file of service-files/ with the installation's folder in place of the placeholder.
 *
 * @param escapePath escapes a path for the syntax of the file.
 * @throws CcwbError ERR_INSTALL_INCOMPLETE if the template cannot be read.
 */
export function serviceFile(
  { installation }: Pick<ShimEdges, 'installation'>,
  name: string,
  escapePath: (path: string) => string,
): string {
  const template = join(installation, 'service-files', name);
  let text: string;
  try {
    text = readFileSync(template, 'utf8');
  } catch (cause) {
    throw new CcwbError(
      'ERR_INSTALL_INCOMPLETE',
      `${template} cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown error'})`,
      'run install.sh of the package again',
      { cause },
    );
  }
  const folder = escapePath(installation);
  return text.replaceAll(PLACEHOLDER, () => folder);
}

/**
 * Escapes a path between double quotes in a command line of a unit: systemd.syntax(7) for quotes and escapes,
 * systemd.unit(5) for `%`, systemd.service(5) for `$`.
 */
export function escapeForUnit(path: string): string {
  return path
    .replace(/[\\"]/g, '\\$&')
    .replaceAll('%', '%%')
    .replaceAll('$', () => '$$')
    .replace(CONTROL, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/**
 * Escapes a path for the text of a property list.
 *
 * @throws CcwbError ERR_SERVICE_FAILED for characters that XML 1.0 cannot represent.
 */
export function escapeForPlist(path: string): string {
  if (path.search(CONTROL) !== -1) {
    throw new CcwbError(
      'ERR_SERVICE_FAILED',
      `the path ${JSON.stringify(path)} holds control characters, which a launchd agent cannot name`,
      'move the installation to another folder',
    );
  }
  return path
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern looks for control characters
const CONTROL = /[\x00-\x1f\x7f]/g;
