import { join } from 'node:path';
import type { Config } from '../../protocol/config.ts';
import type { ShimEdges } from '../program/edges.ts';
import { ownSections, type WantedProfile, withoutSections, withProfiles } from '../user-files/aws-edit.ts';
import { awsConfigPath } from '../user-files/aws-files.ts';
import { quotedWord } from '../user-files/command-words.ts';
import { planEdit } from './edit.ts';
import type { Plan } from './step.ts';

/** A section of `~/.aws/config` for each profile of the package. */
export function planAwsConfig(edges: ShimEdges, config: Config): Plan {
  const { installation } = edges;
  const profiles = [...config.profiles.values()].map(({ name, awsRegion }) =>
    wantedProfile(installation, name, awsRegion),
  );
  const names = profiles.map(({ name }) => `[${headerOf(name)}]`);
  return planEdit(edges, {
    kind: 'aws-config',
    path: awsConfigPath(edges),
    what: names.join(', '),
    lines: profiles.map(sectionText).join('\n\n'),
    edit: (text, before) => {
      const edited = withProfiles(text, profiles, installation, before?.aws);
      if ('doubled' in edited) return { problem: `it has [${headerOf(edited.doubled)}] more than once` };
      return { text: edited.text, aws: edited.edits };
    },
    without: (text) => withoutSections(text, ownSections(text, installation)),
  });
}

export function wantedProfile(installation: string, name: string, region: string): WantedProfile {
  const program = quotedWord(join(installation, 'credential-process'));
  return { name, settings: { region, credential_process: `${program} --profile ${name}` } };
}

function sectionText({ name, settings }: WantedProfile): string {
  const lines = Object.entries(settings).map(([setting, value]) => `${setting} = ${value}`);
  return [`[${headerOf(name)}]`, ...lines].join('\n');
}

function headerOf(name: string): string {
  return name === 'default' ? name : `profile ${name}`;
}
