import { join } from 'node:path';
import { quoteShellWord } from '../../common/shell-quote.ts';
import type { Config } from '../../protocol/config.ts';
import type { ShimEdges } from '../program/edges.ts';
import { ownSections, type WantedProfile, withoutSections, withProfiles } from '../user-files/aws-edit.ts';
import { awsConfigPath } from '../user-files/aws-files.ts';
import type { InstallPlan } from './install-plan.ts';
import { planUserFileEdit } from './user-file-edit.ts';

/** Plans a section of `~/.aws/config` for each profile of the package. */
export function planAwsConfig(edges: ShimEdges, config: Config): InstallPlan {
  const { installation } = edges;
  const profiles = [...config.profiles.values()].map(({ name, awsRegion }) =>
    wantedProfile(installation, name, awsRegion),
  );
  const names = profiles.map(({ name }) => `[${sectionHeader(name)}]`);
  return planUserFileEdit(edges, {
    kind: 'aws-config',
    path: awsConfigPath(edges),
    summary: names.join(', '),
    manualLines: profiles.map(sectionText).join('\n\n'),
    edit: (text, before) => {
      const edited = withProfiles(text, profiles, installation, before?.aws);
      if ('doubled' in edited) return { problem: `it has [${sectionHeader(edited.doubled)}] more than once` };
      return { text: edited.text, aws: edited.edits };
    },
    textWithoutOurs: (text) => withoutSections(text, ownSections(text, installation)),
  });
}

/** Returns the section of a profile: its region, and this installation's credential-process. */
export function wantedProfile(installation: string, name: string, region: string): WantedProfile {
  const program = quoteShellWord(join(installation, 'credential-process'));
  return { name, settings: { region, credential_process: `${program} --profile ${name}` } };
}

function sectionText({ name, settings }: WantedProfile): string {
  const lines = Object.entries(settings).map(([setting, value]) => `${setting} = ${value}`);
  return [`[${sectionHeader(name)}]`, ...lines].join('\n');
}

function sectionHeader(name: string): string {
  return name === 'default' ? name : `profile ${name}`;
}
