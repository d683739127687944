/** `ccwb profiles export`: an allow-list of fields that may be shared. All other fields are left out. */
import { existsSync } from 'node:fs';
import { replaceFile } from '../../common/atomic-file.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import { listWords, paragraph } from '../terminal/text.ts';
import type { AdminProfile } from './admin-profile.ts';
import { chooseProfileFile } from './current-profile.ts';
import { unknownFields } from './profile-check.ts';
import { readProfile } from './profile-store.ts';

export type ExportFlags = { output?: string; force?: true; withClientSecret?: true; json?: true };

export function exportProfile(named: string | undefined, flags: ExportFlags, edges: AdminEdges): void {
  const name = chooseProfileFile({ profile: named }, edges.env);
  const { profile, leftOut } = exportable(readProfile(name, edges.env), flags.withClientSecret === true);
  const text = `${JSON.stringify(profile, undefined, 2)}\n`;
  const { output } = flags;
  if (output === undefined) edges.writeOut(text);
  else {
    writeExport(output, text, flags.force === true);
    if (flags.json)
      edges.writeOut(`${JSON.stringify({ profile: name, path: output, leftOut }, undefined, 2)}\n`);
    else edges.writeOut(`${name} is in ${output}\n`);
  }
  if (leftOut.length > 0) edges.writeError(paragraph(`Left out: ${listWords(leftOut)}`, edges.columns));
}

/** Returns the profile without private fields, and the names of those fields. */
export function exportable(
  profile: AdminProfile,
  withClientSecret: boolean,
): { readonly profile: AdminProfile; readonly leftOut: readonly string[] } {
  const leftOut = [...unknownFields(profile)];
  // Every user gets it in the package, so it protects nothing. People and scanners still treat it as a secret.
  if (!withClientSecret && profile.config.client_secret !== undefined) leftOut.push('config.client_secret');
  const known = <T extends object>(value: T, prefix: string): T => {
    const copy: T = { ...value };
    for (const field of Object.keys(value))
      if (leftOut.includes(`${prefix}${field}`)) Reflect.deleteProperty(copy, field);
    return copy;
  };
  return {
    profile: {
      ...known(profile, ''),
      config: known(profile.config, 'config.'),
      claude: known(profile.claude, 'claude.'),
      outputs: known(profile.outputs, 'outputs.'),
    },
    leftOut,
  };
}

function writeExport(path: string, text: string, force: boolean): void {
  if (existsSync(path) && !force) {
    throw new CcwbError(
      'ERR_USAGE',
      `${path} is there already`,
      'choose another file, or add --force to replace it',
    );
  }
  try {
    replaceFile(path, text, 0o600);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new CcwbError('ERR_USAGE', `${path} cannot be written (${code})`, 'choose another file', { cause });
  }
}
