import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ShimEdges } from '../program/edges.ts';

/** A section of `~/.aws/config` or `~/.aws/credentials`, with its position in the text. */
export type Section = {
  /** The profile's name; `default` for that section. */
  profile: string;
  /** True for `[NAME]`: a profile in the credentials file, but in the config file only as `[default]`. */
  bare: boolean;
  /** Offset of the header's first character, and the offset behind the last setting. */
  start: number;
  end: number;
  /** The last value of each name, which is the one that SDKs use. */
  settings: ReadonlyMap<string, string>;
};

export function awsConfigPath({ env }: Pick<ShimEdges, 'env'>): string {
  return env.AWS_CONFIG_FILE || join(env.HOME ?? homedir(), '.aws', 'config');
}

export function awsCredentialsPath({ env }: Pick<ShimEdges, 'env'>): string {
  return env.AWS_SHARED_CREDENTIALS_FILE || join(env.HOME ?? homedir(), '.aws', 'credentials');
}

/**
 * Returns the sections of profiles, in order. This is not a library's parser, because byte-exact edits need offsets
 * and parsers of such files do not keep them.
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
 */
export function sectionsOf(text: string): Section[] {
  const sections: (Section & { settings: Map<string, string> })[] = [];
  let current: (typeof sections)[number] | undefined;
  for (const { line, start, end } of linesOf(text)) {
    const header = /^\[\s*(.*?)\s*\]/.exec(line)?.[1];
    if (header !== undefined) {
      current = profileHeader(header, start, end);
      if (current) sections.push(current);
      continue;
    }
    if (!current || /^\s*([#;]|$)/.test(line)) continue;
    current.end = end;
    // An indented line continues the setting above it.
    const [, name, value = ''] = /^([^\s=#;][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined) current.settings.set(name.toLowerCase(), value.replace(/\s+[#;].*$/, ''));
  }
  return sections;
}

/** Parses `[profile NAME]`, with or without quotes, and `[NAME]`. Undefined for other kinds of sections. */
function profileHeader(header: string, start: number, end: number) {
  const [, kind, quoted] = /^(?:(profile|sso-session|services)\s+)?(.*)$/.exec(header) ?? [];
  if (kind !== undefined && kind !== 'profile') return undefined;
  const profile = (quoted ?? '').replace(/^(["'])(.*)\1$/, '$2');
  return { profile, bare: kind === undefined, start, end, settings: new Map<string, string>() };
}

/** Yields each line with its offsets; `end` is behind the line break. */
function* linesOf(text: string): Generator<{ line: string; start: number; end: number }> {
  // A byte order mark is not part of the first line.
  let start = text.startsWith('\ufeff') ? 1 : 0;
  while (start < text.length) {
    const at = text.indexOf('\n', start);
    const end = at === -1 ? text.length : at + 1;
    yield { line: text.slice(start, end).replace(/\r?\n$/, ''), start, end };
    start = end;
  }
}
