import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ShimEdges } from '../program/edges.ts';

/** A section of `~/.aws/config` or `~/.aws/credentials`, and where it is in the text. */
export type Section = {
  /** The profile's name; `default` for that section. */
  profile: string;
  /** `[NAME]`, which is a profile in the credentials file, and in the other only as `[default]`. */
  bare: boolean;
  /** From the first character of its header to behind its last setting. */
  start: number;
  end: number;
  /** The last one of each name, as SDKs take it. */
  settings: ReadonlyMap<string, string>;
};

export function awsConfigPath({ env }: Pick<ShimEdges, 'env'>): string {
  return env.AWS_CONFIG_FILE || join(env.HOME ?? homedir(), '.aws', 'config');
}

export function awsCredentialsPath({ env }: Pick<ShimEdges, 'env'>): string {
  return env.AWS_SHARED_CREDENTIALS_FILE || join(env.HOME ?? homedir(), '.aws', 'credentials');
}

/**
 * The sections of profiles, in order. Written for this because what is not ours must stay as it is, byte for
 * byte, and parsers of such files forget where they read what.
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
    // An indented line belongs to the setting above it.
    const [, name, value = ''] = /^([^\s=#;][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined) current.settings.set(name.toLowerCase(), value.replace(/\s+[#;].*$/, ''));
  }
  return sections;
}

/** `[profile NAME]` with or without quotes, `[default]`; in the credentials file the bare name. */
function profileHeader(header: string, start: number, end: number) {
  const [, kind, quoted] = /^(?:(profile|sso-session|services)\s+)?(.*)$/.exec(header) ?? [];
  if (kind !== undefined && kind !== 'profile') return undefined;
  const profile = (quoted ?? '').replace(/^(["'])(.*)\1$/, '$2');
  return { profile, bare: kind === undefined, start, end, settings: new Map<string, string>() };
}

/** Each line with its place; the end is behind its line break. */
function* linesOf(text: string): Generator<{ line: string; start: number; end: number }> {
  // A byte order mark belongs to no line.
  let start = text.startsWith('\ufeff') ? 1 : 0;
  while (start < text.length) {
    const at = text.indexOf('\n', start);
    const end = at === -1 ? text.length : at + 1;
    yield { line: text.slice(start, end).replace(/\r?\n$/, ''), start, end };
    start = end;
  }
}
