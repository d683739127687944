import type { Config } from '../../protocol/config.ts';
import type { ShimEdges } from '../program/edges.ts';
import { shortPath } from '../terminal/view.ts';
import { withoutSections } from '../user-files/aws-edit.ts';
import { awsCredentialsPath, type Section, sectionsOf } from '../user-files/aws-files.ts';
import { readForEdit, writeEdited } from '../user-files/edit-file.ts';
import { type ByHand, byHand, NOTHING, type Plan } from './step.ts';

/** What only the legacy tool writes into its sections. */
const LEGACY_TOOL_MARK = 'x-expiration';

/**
 * Sections of `~/.aws/credentials` for the profiles of the package: SDKs take them before any
 * `credential_process`, and nobody renews them. Those of the legacy tool go; others are told.
 */
export function planAwsCredentials(edges: ShimEdges, config: Config): Plan {
  const path = awsCredentialsPath(edges);
  const where = shortPath(path, edges.env.HOME);
  const file = readForEdit(path);
  if (!file) return NOTHING;
  if ('problem' in file) {
    return byHand(
      `${where} was not looked at: ${file.problem}`,
      `see to it that it has no section ${config.names.map((name) => `[${name}]`).join(', ')}`,
    );
  }
  const found = sectionsOf(file.text).filter(({ profile }) => config.profiles.has(profile));
  const foreign: ByHand[] = found
    .filter((section) => !isOfLegacyTool(section))
    .map(({ profile }) => ({
      text: `${where} has a section [${profile}], which AWS tools take before this installation`,
      fix: `remove the section [${profile}] from ${where}`,
    }));
  const theirs = found.filter(isOfLegacyTool);
  if (theirs.length === 0) return { changes: [], byHand: foreign };
  const make = (): undefined => {
    writeEdited(path, withoutSections(file.text, theirs));
  };
  const names = [...new Set(theirs.map(({ profile }) => `[${profile}]`))].join(', ');
  return { changes: [{ text: `${where}: ${names} of the legacy tool removed`, make }], byHand: foreign };
}

/** The sections that the tool which this one replaces has written for these profiles. */
export function sectionsOfLegacyTool(text: string, profiles: readonly string[]): Section[] {
  return sectionsOf(text).filter((section) => profiles.includes(section.profile) && isOfLegacyTool(section));
}

function isOfLegacyTool({ settings }: Section): boolean {
  return settings.has(LEGACY_TOOL_MARK) && settings.has('aws_session_token');
}
