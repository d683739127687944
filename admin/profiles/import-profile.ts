/** `ccwb profiles import`. */
import { readFileSync } from 'node:fs';
import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import { listWords, paragraph } from '../terminal/text.ts';
import type { AdminProfile } from './admin-profile.ts';
import { deployedStacks } from './manage-profiles.ts';
import { listProfiles, parseAdminProfile, profilePath, readProfile, writeProfile } from './profile-store.ts';

export type ImportFlags = { as?: string; force?: true; json?: true };

export function importProfile(file: string, flags: ImportFlags, edges: AdminEdges): void {
  const given = parseAdminProfile(readFile(file), file);
  const name = flags.as ?? given.name;
  const path = profilePath(name, edges.env);
  const replaces = listProfiles(edges.env).includes(name);
  if (replaces && !flags.force) {
    throw new CcwbError(
      'ERR_USAGE',
      `there is a profile ${name} already`,
      'give it another name with --as NAME, or add --force to replace it',
    );
  }
  const kept = replaces ? outputsOf(name, edges) : {};
  const said: string[] = [];
  let profile: AdminProfile = { ...given, name };
  if (name !== given.name && deployedStacks(given).length > 0) {
    profile = { ...profile, outputs: {} };
    said.push(`Left out: the outputs of ${given.name}, whose stacks are others`);
  }
  if (deployedStacks(profile).length === 0 && Object.keys(kept).length > 0) {
    profile = { ...profile, outputs: kept };
    said.push(`Kept: the outputs of ${listWords(deployedStacks(profile))}, which are deployed`);
  }
  writeProfile(profile, edges.env, replaces);
  if (flags.json)
    edges.writeOut(`${JSON.stringify({ imported: name, path, replaced: replaces }, undefined, 2)}\n`);
  else edges.writeOut(`${name} is in ${path}\n`);
  for (const text of said) edges.writeError(paragraph(text, edges.columns));
}

/** Returns the outputs of the replaced profile; none for a broken one. */
function outputsOf(name: string, { env }: AdminEdges): AdminProfile['outputs'] {
  try {
    return readProfile(name, env).outputs;
  } catch (thrown) {
    if (thrown instanceof CcwbError) return {};
    throw thrown;
  }
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new CcwbError(
      'ERR_CONFIG_MISSING',
      `${path} cannot be read (${code})`,
      'pass the path of a file that ccwb profiles export wrote',
      { cause },
    );
  }
}
