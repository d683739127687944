import { wrapWords } from '../../common/terminal/layout.ts';
import type { ShimEdges } from '../program/edges.ts';

/** Column in which values begin beside their labels. */
const VALUE_COLUMN = 18;

/** True if standard output is a terminal with colours and NO_COLOR is not set (no-color.org). */
export function wantsColours({ terminal, env }: Pick<ShimEdges, 'terminal' | 'env'>): boolean {
  return terminal && !env.NO_COLOR && env.TERM !== 'dumb';
}

/** Returns a label and its value, wrapped between words to the width. Empty without a value. */
export function formatRow(label: string, value: string | null, column = VALUE_COLUMN): string[] {
  if (value === null) return [];
  return wrapWords(`  ${label}`.padEnd(column), value, column);
}

/** Returns a path with the home written as `~`. */
export function shortPath(path: string, home: string | undefined): string {
  return home && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
