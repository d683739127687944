/** Edits of `~/.aws/config` and their removal. All other bytes of the file stay the same. */
import { join } from 'node:path';
import { programOfCommand } from '../../common/shell-quote.ts';
import { type Section, sectionsOf } from './aws-files.ts';

/** A profile with the settings that an installation needs. */
export type WantedProfile = { name: string; settings: Readonly<Record<string, string>> };

/** Edits of the file: sections that were added, and lines in sections of other origin. */
export type AwsEdits = {
  /** Each with the line breaks that separate it from the text before it. */
  added: readonly string[];
  /** `earlier` is the line that was replaced; null if there was none. */
  lines: readonly { profile: string; wrote: string; earlier: string | null }[];
};

export const NO_AWS_EDITS: AwsEdits = { added: [], lines: [] };

/** Returns the text with these profiles and all edits so far, or the name of a profile that the text has twice. */
export function withProfiles(
  text: string,
  wanted: readonly WantedProfile[],
  installation: string,
  before: AwsEdits = NO_AWS_EDITS,
): { text: string; edits: AwsEdits } | { doubled: string } {
  let result = { text, edits: before };
  for (const profile of wanted) {
    const sections = sectionsNamed(result.text, profile.name);
    if (sections.length > 1) return { doubled: profile.name };
    result = sections.length === 0 ? appended(result, profile) : mended(result, profile, installation);
  }
  return result;
}

/** Returns the text without those edits that are still in it. */
export function withoutProfiles(text: string, edits: AwsEdits, installation: string): string {
  let rest = text;
  for (const added of [...edits.added].reverse()) {
    const at = rest.indexOf(added);
    // If a user has added lines to the section, it is removed below, as a whole.
    const whole = at !== -1 && /^(\r?\n)*(\[|$)/.test(rest.slice(at + added.length));
    if (whole) rest = rest.slice(0, at) + rest.slice(at + added.length);
  }
  for (const { profile, wrote, earlier } of [...edits.lines].reverse()) {
    const [section, another] = sectionsNamed(rest, profile);
    const lineAt = section && !another ? rest.indexOf(wrote, section.start) : -1;
    if (!section || lineAt === -1 || lineAt >= section.end) continue;
    rest = rest.slice(0, lineAt) + (earlier ?? '') + rest.slice(lineAt + wrote.length);
  }
  return withoutSections(rest, ownSections(rest, installation));
}

/** Returns the sections that run this installation's credential-process. */
export function ownSections(text: string, installation: string): Section[] {
  const ours = join(installation, 'credential-process');
  return sectionsOf(text).filter(
    ({ settings }) => programOfCommand(settings.get('credential_process') ?? '') === ours,
  );
}

/**
 * Returns the text without these sections and their separating blank lines: those before the section, or those after
 * it for the first section of a file.
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

/** Returns the sections of a profile. In `~/.aws/config` a bare `[NAME]` is a profile only as `[default]`. */
function sectionsNamed(text: string, name: string): Section[] {
  return sectionsOf(text).filter(({ profile, bare }) => profile === name && (!bare || profile === 'default'));
}

type Edited = { text: string; edits: AwsEdits };

function appended({ text, edits }: Edited, { name, settings }: WantedProfile): Edited {
  const eol = eolOf(text);
  const header = name === 'default' ? '[default]' : `[profile ${name}]`;
  const lines = [header, ...Object.entries(settings).map(([setting, value]) => `${setting} = ${value}`)];
  const empty = text === '' || text === '\ufeff';
  const ended = empty || text.endsWith('\n') ? '' : eol;
  const blank = empty || /\n[ \t]*\r?\n$/.test(text) ? '' : eol;
  const added = `${ended}${blank}${lines.join(eol)}${eol}`;
  return { text: text + added, edits: { ...edits, added: [...edits.added, added] } };
}

function mended(edited: Edited, { name, settings }: WantedProfile, installation: string): Edited {
  const ours = ownSections(edited.text, installation).some(({ profile }) => profile === name);
  let { text, edits } = edited;
  for (const [setting, value] of Object.entries(settings)) {
    const [section] = sectionsNamed(text, name);
    if (!section || section.settings.get(setting) === value) continue;
    const line = lineOf(text, section, setting);
    const eol = eolOf(text);
    if (line) {
      const earlier = text.slice(line.start, line.end);
      const [, before = `${setting} = `, , end = ''] =
        /^([^=]*=[ \t]*)([^\r\n]*?)((?:\r?\n)?)$/.exec(earlier) ?? [];
      const wrote = `${before}${value}${end}`;
      text = text.slice(0, line.start) + wrote + text.slice(line.end);
      edits = noted(edits, { profile: name, wrote, earlier }, ours);
      continue;
    }
    const headerEnd = text.indexOf('\n', section.start) + 1 || text.length;
    const broken = text.slice(0, headerEnd).endsWith('\n') ? '' : eol;
    const wrote = `${broken}${setting} = ${value}${broken === '' ? eol : ''}`;
    text = text.slice(0, headerEnd) + wrote + text.slice(headerEnd);
    edits = noted(edits, { profile: name, wrote, earlier: null }, ours);
  }
  return { text, edits };
}

/** Adds an edited line. A line of ours that is written again keeps the `earlier` of the first edit. */
function noted(edits: AwsEdits, line: AwsEdits['lines'][number], ours: boolean): AwsEdits {
  const { profile, wrote, earlier } = line;
  const known = edits.lines.find((each) => each.profile === profile && each.wrote === earlier);
  if (known) {
    const lines = edits.lines.map((each) => (each === known ? { ...known, wrote } : each));
    return { ...edits, lines };
  }
  if (!ours) return { ...edits, lines: [...edits.lines, line] };
  const added = edits.added.map((each) => {
    const inside = earlier !== null && each.includes(`${profile === 'default' ? '' : 'profile '}${profile}]`);
    return inside ? each.replace(earlier, () => wrote) : each;
  });
  return { ...edits, added };
}

/** Returns the last line of a section that has the setting: SDKs use that one. */
function lineOf(text: string, section: Section, setting: string): { start: number; end: number } | undefined {
  let found: { start: number; end: number } | undefined;
  for (let start = section.start; start < section.end; ) {
    const end = text.indexOf('\n', start) + 1 || text.length;
    const name = /^([^\s=#;][^=]*?)\s*=/.exec(text.slice(start, end))?.[1];
    if (name?.toLowerCase() === setting) found = { start, end };
    start = end;
  }
  return found;
}

function eolOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}
