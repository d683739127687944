import { type Colour, painter } from '../../common/terminal/layout.ts';
import { escapeControlCharacters } from '../../protocol/control-characters.ts';
import { PREDECESSOR } from '../../protocol/paths.ts';
import type { ShimEdges } from '../program/edges.ts';
import { isOutputClosed } from '../program/errors.ts';
import { shortPath, wantsColours } from '../terminal/format.ts';
import { formatTimestamp } from '../terminal/time-format.ts';
import {
  createLineParser,
  followLog,
  type LogLine,
  type LogPosition,
  parseLineSelection,
  readLogEnd,
  selectLines,
} from './log-lines.ts';
import { createJournalParser, findJournalctl, readJournal, runJournalctl } from './systemd-journal.ts';

const LEVEL_COLOURS: Readonly<Record<string, Colour>> = { error: 'red', fatal: 'red', warn: 'yellow' };

export type LogsOptions = { follow?: boolean; lines?: string; since?: string; json?: boolean };

/**
 * Runs `bedrock-auth logs`. Prints by time the log file of daemons started by programs or launchd, and the
 * journal if the service runs under systemd.
 */
export async function logs(edges: ShimEdges, options: LogsOptions): Promise<number> {
  const wanted = parseLineSelection(edges, options);
  const show = printer(edges, options.json === true);
  const journal = findJournalctl(edges);
  const { lines: before, position } = readLog(edges);
  if (journal) before.push(...(await readJournal(edges, journal, wanted.count)));
  try {
    for (const line of selectLines(before, wanted)) await show(line);
    if (options.follow) await follow(edges, journal, position, show);
    else if (before.length === 0) edges.writeError(`There is no log yet: ${describeLogs(edges, journal)}.\n`);
  } catch (error) {
    if (!isOutputClosed(error)) throw error;
  }
  return 0;
}

/** Returns the last lines of the log, for a report. */
export async function lastLines(edges: ShimEdges, count: number): Promise<LogLine[]> {
  const journal = findJournalctl(edges);
  const { lines } = readLog(edges);
  if (journal) lines.push(...(await readJournal(edges, journal, count)));
  return selectLines(lines, { from: Number.NEGATIVE_INFINITY, count });
}

/** Returns the lines of the file and of the one before it, and the position after them. */
function readLog({ paths }: ShimEdges): { lines: LogLine[]; position: LogPosition } {
  const parse = createLineParser();
  const before = readLogEnd(paths.log + PREDECESSOR, parse).lines;
  const { lines, position } = readLogEnd(paths.log, parse);
  return { lines: [...before, ...lines], position };
}

async function follow(
  edges: ShimEdges,
  journal: string | undefined,
  position: LogPosition,
  show: (line: LogLine) => Promise<void>,
): Promise<void> {
  // A closed output ends every follower.
  const ending = new AbortController();
  const signal = AbortSignal.any([edges.interrupted, ending.signal]);
  let gone: unknown;
  const tell = (line: LogLine): Promise<void> =>
    show(line).catch((error: unknown) => {
      gone = error;
      ending.abort();
    });
  const parse = createJournalParser();
  const onEntry = (entry: string): void => {
    const line = parse(entry);
    if (line) void tell(line);
  };
  await Promise.all([
    followLog(edges.paths.log, position, tell, signal),
    ...(journal ? [runJournalctl(journal, ['--follow', '--lines=0'], onEntry, signal)] : []),
  ]);
  if (gone !== undefined) throw gone;
}

function printer(edges: ShimEdges, json: boolean): (line: LogLine) => Promise<void> {
  if (json) {
    return ({ text, record }) => edges.writeOut(`${record ? text : JSON.stringify({ text })}\n`);
  }
  const paint = painter(wantsColours(edges));
  return ({ at, text, record }) => {
    if (!record) return edges.writeOut(`${escapeControlCharacters(text)}\n`);
    const { time: _, level, event, ...fields } = record;
    const name = String(level ?? '').padEnd(5);
    const values = Object.entries(fields).map(([field, value]) => `${field}=${shown(value)}`);
    const parts = [
      paint('dim', formatTimestamp(at, edges.now())),
      paint(LEVEL_COLOURS[String(level)] ?? 'dim', escapeControlCharacters(name)),
      [escapeControlCharacters(String(event ?? '')), paint('dim', values.join(' '))]
        .filter(Boolean)
        .join('  '),
    ];
    return edges.writeOut(`${parts.join('  ').trimEnd()}\n`);
  };
}

function shown(value: unknown): string {
  return escapeControlCharacters(
    typeof value === 'string' && !/[\s"]/.test(value) ? value : JSON.stringify(value),
  );
}

function describeLogs({ paths, env }: ShimEdges, journal: string | undefined): string {
  const file = `${shortPath(paths.log, env.HOME)} is not there`;
  return journal ? `${file}, and the journal has nothing` : file;
}
