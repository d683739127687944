import type { Config } from '../../protocol/config.ts';
import type { ShimEdges } from '../program/edges.ts';
import { shortPath } from '../terminal/format.ts';
import { withoutSections } from '../user-files/aws-edit.ts';
import { awsCredentialsPath, type Section, sectionsOf } from '../user-files/aws-files.ts';
import { readForEdit, writeEdited } from '../user-files/edit-file.ts';
import { type InstallPlan, type ManualStep, manualStep, NO_CHANGES } from './install-plan.ts';

/** What only the legacy tool writes into its sections. */
const LEGACY_TOOL_SETTING = 'x-expiration';

/**
 * Sections of `~/.aws/credentials` for the profiles of the package: SDKs take them before any
 * `credential_process`, and nobody renews them. Those of the legacy tool go; others are told.
 */
export function planAwsCredentials(edges: ShimEdges, config: Config): InstallPlan {
  const path = awsCredentialsPath(edges);
  const where = shortPath(path, edges.env.HOME);
  const file = readForEdit(path);
  if (!file) return NO_CHANGES;
  if ('problem' in file) {
    return manualStep(
      `${where} was not looked at: ${file.problem}`,
      `see to it that it has no section ${config.names.map((name) => `[${name}]`).join(', ')}`,
    );
  }
  const found = sectionsOf(file.text).filter(({ profile }) => config.profiles.has(profile));
  const foreign: ManualStep[] = found
    .filter((section) => !isLegacyToolSection(section))
    .map(({ profile }) => ({
      text: `${where} has a section [${profile}], which AWS tools take before this installation`,
      fix: `remove the section [${profile}] from ${where}`,
    }));
  const theirs = found.filter(isLegacyToolSection);
  if (theirs.length === 0) return { changes: [], manualSteps: foreign };
  const make = (): undefined => {
    writeEdited(path, withoutSections(file.text, theirs));
  };
  const names = [...new Set(theirs.map(({ profile }) => `[${profile}]`))].join(', ');
  return {
    changes: [{ text: `${where}: ${names} of the legacy tool removed`, apply: make }],
    manualSteps: foreign,
  };
}

/** The sections that the tool which this one replaces has written for these profiles. */
export function legacyToolSections(text: string, profiles: readonly string[]): Section[] {
  return sectionsOf(text).filter(
    (section) => profiles.includes(section.profile) && isLegacyToolSection(section),
  );
}

function isLegacyToolSection({ settings }: Section): boolean {
  return settings.has(LEGACY_TOOL_SETTING) && settings.has('aws_session_token');
}
