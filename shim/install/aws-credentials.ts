import type { Config } from '../../protocol/config.ts';
import type { ShimEdges } from '../program/edges.ts';
import { shortPath } from '../terminal/format.ts';
import { withoutSections } from '../user-files/aws-edit.ts';
import { awsCredentialsPath, type Section, sectionsOf } from '../user-files/aws-files.ts';
import { readForEdit, writeEdited } from '../user-files/edit-file.ts';
import { type InstallPlan, type ManualStep, manualStep, NO_CHANGES } from './install-plan.ts';

/** A setting that only the legacy tool writes into its sections. */
const LEGACY_TOOL_SETTING = 'x-expiration';

/**
 * Plans the removal of the legacy tool's sections from `~/.aws/credentials`. SDKs prefer a section there to a
 * `credential_process`, and its credentials expire. Sections of other origin become manual steps.
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
  const legacy = found.filter(isLegacyToolSection);
  if (legacy.length === 0) return { changes: [], manualSteps: foreign };
  const apply = (): undefined => {
    writeEdited(path, withoutSections(file.text, legacy));
  };
  const names = [...new Set(legacy.map(({ profile }) => `[${profile}]`))].join(', ');
  return {
    changes: [{ text: `${where}: ${names} of the legacy tool removed`, apply }],
    manualSteps: foreign,
  };
}

/** Returns the sections that the legacy tool has written for these profiles. */
export function legacyToolSections(text: string, profiles: readonly string[]): Section[] {
  return sectionsOf(text).filter(
    (section) => profiles.includes(section.profile) && isLegacyToolSection(section),
  );
}

function isLegacyToolSection({ settings }: Section): boolean {
  return settings.has(LEGACY_TOOL_SETTING) && settings.has('aws_session_token');
}
