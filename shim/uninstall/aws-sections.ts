import { join } from 'node:path';
import { awsConfigPath, programOf, type Section, sectionsOf } from '../aws-files.ts';
import type { Program } from '../program.ts';
import { shortPath } from '../view.ts';
import { readForEdit, writeEdited } from './edit-file.ts';
import type { Plan } from './step.ts';

/** The sections of `~/.aws/config` that run this installation's credential-process. */
export function awsSections(program: Program): Plan {
  const path = awsConfigPath(program);
  const where = shortPath(path, program.env.HOME);
  const file = readForEdit(path);
  if (!file) return { steps: [], left: [] };
  if ('problem' in file) return { steps: [], left: [`${where}: not looked at, ${file.problem}`] };
  const ours = ownSections(file.text, program.installation);
  if (ours.length === 0) return { steps: [], left: [] };
  const names = ours.map(({ profile }) => `[profile ${profile}]`).join(', ');
  const remove = async (): Promise<string[]> => {
    // As it is now: a person may have taken a while to say yes.
    const now = readForEdit(path);
    if (!now) return [];
    if ('problem' in now) return [`${where}: ${now.problem}; remove ${names} by hand`];
    writeEdited(path, withoutSections(now.text, ownSections(now.text, program.installation)));
    return [];
  };
  return { steps: [{ text: `${names} in ${where}`, remove }], left: [] };
}

export function ownSections(text: string, installation: string): Section[] {
  const ours = join(installation, 'credential-process');
  return sectionsOf(text).filter(
    ({ settings }) => programOf(settings.get('credential_process') ?? '') === ours,
  );
}

/**
 * The text without these sections, and without the blank lines that set each off: those before it, or for
 * the first section of a file those after it. Nothing else changes.
 */
export function withoutSections(text: string, sections: readonly Section[]): string {
  let rest = text;
  for (const { start, end } of [...sections].reverse()) {
    const before = rest.slice(0, start);
    const after = rest.slice(end);
    const kept = before.replace(/(?:(?<=\n)[ \t]*\r?\n)+$/, '');
    const first = kept === '' || kept === '\ufeff';
    rest = first ? kept + after.replace(/^(?:[ \t]*\r?\n)+/, '') : kept + after;
  }
  return rest;
}
