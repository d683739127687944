import { painter } from '../../common/terminal/layout.ts';
import { escapeControlCharacters } from '../../protocol/control-characters.ts';
import { PREDECESSOR } from '../../protocol/paths.ts';
import type { ShimEdges } from '../program/edges.ts';
import { isOutputClosed } from '../program/errors.ts';
import { shortPath, wantsColours } from '../terminal/format.ts';
import { formatTimestamp } from '../terminal/time-format.ts';
import { createLineParser, type LogLine, parseLineSelection, readLogEnd, selectLines } from './log-lines.ts';

export type AuditOptions = {
  profile?: string;
  program?: string;
  refused?: boolean;
  lines?: string;
  since?: string;
  json?: boolean;
};

/** A credential request that the daemon granted or refused, in its own format; see docs/how-it-works.md. */
type AuditEntry = {
  profile: string;
  what: string;
  refused: boolean;
  keyId: string | undefined;
  /** Undefined if the system does not report it. */
  program: string | undefined;
  pid: number | undefined;
};

/**
 * Runs `bedrock-auth audit`, which shows the programs that got credentials. Reads the files without asking
 * the daemon.
 */
export async function audit(edges: ShimEdges, options: AuditOptions): Promise<number> {
  const { paths, env } = edges;
  const parse = createLineParser();
  // The daemon renames the file when it is full, and keeps one such predecessor.
  const all = [paths.audit + PREDECESSOR, paths.audit].flatMap((path) => readLogEnd(path, parse).lines);
  const found = selectLines(
    all.filter((line) => matches(entryOf(line), options)),
    parseLineSelection(edges, options),
  );
  try {
    if (options.json) for (const { text } of found) await edges.writeOut(`${text}\n`);
    else if (found.length > 0) await edges.writeOut(table(edges, found));
    else {
      const where = shortPath(paths.audit, env.HOME);
      const none = all.length === 0 ? `nothing was given out yet (${where})` : 'no line matches';
      edges.writeError(`The audit log: ${none}.\n`);
    }
  } catch (error) {
    if (!isOutputClosed(error)) throw error;
  }
  return 0;
}

function entryOf({ record }: LogLine): AuditEntry | undefined {
  const { profile, what, refused, keyId, caller, peer } = record ?? {};
  if (typeof profile !== 'string' || typeof what !== 'string') return undefined;
  const asked = (caller ?? peer ?? {}) as Record<string, unknown>;
  return {
    profile,
    what,
    refused: refused === true,
    keyId: typeof keyId === 'string' ? keyId : undefined,
    program: typeof asked.program === 'string' ? asked.program : undefined,
    pid: typeof asked.pid === 'number' ? asked.pid : undefined,
  };
}

function matches(entry: AuditEntry | undefined, { profile, program, refused }: AuditOptions): boolean {
  if (!entry) return false;
  if (profile !== undefined && entry.profile !== profile) return false;
  if (program !== undefined && !entry.program?.toLowerCase().includes(program.toLowerCase())) return false;
  return !refused || entry.refused;
}

const HEADER = ['WHEN', 'PROFILE', 'WHAT', 'KEY', 'PID', 'PROGRAM'] as const;

/**
 * Formats a table with columns of minimal width. On a terminal the last one is cut, so that each entry is one
 * line.
 */
function table(edges: ShimEdges, lines: readonly LogLine[]): string {
  const paint = painter(wantsColours(edges));
  const rows = lines.map((line) => {
    const entry = entryOf(line);
    const name = entry?.program === undefined ? 'unknown' : shortPath(entry.program, edges.env.HOME);
    return {
      refused: entry?.refused === true,
      cells: [
        formatTimestamp(line.at, edges.now()),
        entry?.profile ?? '',
        `${entry?.what ?? ''}${entry?.refused ? ' refused' : ''}`,
        entry?.keyId ?? '-',
        String(entry?.pid ?? '-'),
        name,
      ].map(escapeControlCharacters),
    };
  });
  const widths = HEADER.map((name, column) =>
    Math.max(name.length, ...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const room = edges.terminal ? Math.max(12, edges.size().columns - before) : Number.POSITIVE_INFINITY;
  const asLine = (cells: readonly string[]): string => {
    const name = cells.at(-1) ?? '';
    const padded = cells.slice(0, -1).map((cell, column) => cell.padEnd(widths[column] ?? 0));
    return [...padded, name.length > room ? `\u2026${name.slice(1 - room)}` : name].join('  ');
  };
  return [
    paint('bold', asLine(HEADER)),
    ...rows.map(({ cells, refused }) => (refused ? paint('red', asLine(cells)) : asLine(cells))),
    '',
  ].join('\n');
}
