import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sectionsOfEarlierTool } from '../install/aws-credentials.ts';
import type { Program } from '../program/program.ts';
import { shortPath } from '../terminal/view.ts';
import { withoutSections } from '../user-files/aws-edit.ts';
import { awsCredentialsPath } from '../user-files/aws-files.ts';
import { readForEdit, removeIfEmpty, writeEdited } from '../user-files/edit-file.ts';
import type { Plan, Step } from './step.ts';

/** How the files end in which it keeps tokens, and headers made from them, for a profile. */
const FILES = /-(?:refresh\.json(?:\.tmp)?|monitoring\.json|otel-headers\.(?:json|raw))$/;

/** What the tool that this one replaces keeps in plain files for these profiles: its tokens, its AWS credentials. */
export function earlierTool(program: Program, profiles: readonly string[]): Plan {
  return { steps: [...tokens(program, profiles), ...credentials(program, profiles)], left: [] };
}

function tokens({ env }: Program, profiles: readonly string[]): Step[] {
  const folder = join(env.HOME ?? '', '.claude-code-session');
  const ours = entries(folder).filter(
    (name) => profiles.includes(name.replace(FILES, '')) && FILES.test(name),
  );
  if (ours.length === 0) return [];
  const remove = async (): Promise<string[]> => {
    for (const name of ours) rmSync(join(folder, name), { force: true });
    removeIfEmpty(folder);
    return [];
  };
  return [{ text: `the tokens of the earlier tool in ${shortPath(folder, env.HOME)}`, remove }];
}

function credentials(program: Program, profiles: readonly string[]): Step[] {
  const path = awsCredentialsPath(program);
  const text = (): string => {
    const file = readForEdit(path);
    return file && 'text' in file ? file.text : '';
  };
  const found = sectionsOfEarlierTool(text(), profiles);
  if (found.length === 0) return [];
  const names = [...new Set(found.map(({ profile }) => `[${profile}]`))].join(', ');
  const remove = async (): Promise<string[]> => {
    const now = text();
    const sections = sectionsOfEarlierTool(now, profiles);
    if (sections.length > 0) writeEdited(path, withoutSections(now, sections));
    return [];
  };
  return [{ text: `${names} of the earlier tool in ${shortPath(path, program.env.HOME)}`, remove }];
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
