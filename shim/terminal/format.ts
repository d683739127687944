import { hanging } from '../../common/terminal/layout.ts';
import type { ShimEdges } from '../program/edges.ts';

/** Where values begin beside their labels. */
const VALUE_COLUMN = 18;

/** Colours are for terminals that have them, and for people who want them (no-color.org). */
export function wantsColours({ terminal, env }: Pick<ShimEdges, 'terminal' | 'env'>): boolean {
  return terminal && !env.NO_COLOR && env.TERM !== 'dumb';
}

/** A label and its value, broken between words to fit the width; nothing without a value. */
export function formatRow(label: string, value: string | null, column = VALUE_COLUMN): string[] {
  if (value === null) return [];
  return hanging(`  ${label}`.padEnd(column), value, column);
}

/** A path with the home as `~`, as people write it. */
export function shortPath(path: string, home: string | undefined): string {
  return home && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

/** Text of others as a terminal may show it: what would steer the terminal becomes visible. */
export function safeText(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
