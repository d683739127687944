import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseObject } from '../../protocol/json.ts';
import { PREDECESSOR } from '../../protocol/paths.ts';
import type { ShimEdges } from '../program/edges.ts';
import { usageError } from '../program/errors.ts';
import { parseTime } from '../terminal/time-format.ts';

/** Number of lines shown without --lines and --since. */
const DEFAULT_LINES = 50;
const MAX_LINES = 1_000_000;

/** Most bytes that are read of a file's end. */
const MAX_BYTES = 16_000_000;

/** Pause between two reads of a followed file, in milliseconds. */
const LOOK_MS = 250;

/** A line of a log. Without a JSON object it has no record. */
export type LogLine = {
  /** Milliseconds since the epoch. A line without a time has that of the line before it. */
  at: number;
  text: string;
  record: Readonly<Record<string, unknown>> | undefined;
};

/** The selected lines: the last `count` of those since `from`. */
export type LineSelection = { from: number; count: number };

/** @throws CcwbError ERR_USAGE */
export function parseLineSelection(
  edges: ShimEdges,
  options: { lines?: string; since?: string },
): LineSelection {
  const { lines, since } = options;
  const from = since === undefined ? Number.NEGATIVE_INFINITY : parseTime(since, edges.now());
  if (from === undefined) {
    const allowed = '10m, 2h, 3d, "2026-01-02 15:04" or RFC 3339';
    throw usageError(edges.name, `--since is ${JSON.stringify(since)}; allowed: ${allowed}`);
  }
  if (lines === undefined) return { from, count: since === undefined ? DEFAULT_LINES : MAX_LINES };
  const count = /^\d{1,7}$/.test(lines) ? Number(lines) : Number.NaN;
  if (count <= MAX_LINES) return { from, count };
  const allowed = `a whole number from 0 to ${MAX_LINES}`;
  throw usageError(edges.name, `--lines is ${JSON.stringify(lines)}; allowed: ${allowed}`);
}

/** Returns the selected lines by time. Lines of one source keep their order. */
export function selectLines(lines: LogLine[], { from, count }: LineSelection): LogLine[] {
  const since = lines.filter(({ at }) => at >= from);
  return count === 0 ? [] : since.sort((a, b) => a.at - b.at).slice(-count);
}

/** Returns a parser of log lines. A line without a time gets that of the line before it. */
export function createLineParser(): (text: string, at?: number) => LogLine {
  let last = 0;
  return (text, at) => {
    const record = parseObject(text);
    const time = at ?? (typeof record?.time === 'string' ? Date.parse(record.time) : Number.NaN);
    if (!Number.isNaN(time)) last = time;
    return { at: last, text, record };
  };
}

/** Returns the lines at the end of a file, none if it does not exist, and the position after them. */
export function readLogEnd(
  path: string,
  parse = createLineParser(),
): { lines: LogLine[]; position: LogPosition } {
  const { text, position } = readFrom(path, undefined) ?? { text: '', position: NOWHERE };
  const lines = text
    .split('\n')
    .filter(Boolean)
    .map((line) => parse(line));
  return { lines, position };
}

/**
 * Calls `onLine` for each line of a file after a position until `signal` aborts. A file that appears later, or
 * replaces the followed one, is followed too.
 */
export async function followLog(
  path: string,
  from: LogPosition,
  onLine: (line: LogLine) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const parse = createLineParser();
  let position = from;
  while (!signal.aborted) {
    for (const read of readOn(path, position)) {
      position = read.position;
      for (const text of read.text.split('\n').filter(Boolean)) await onLine(parse(text));
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
  }
}

/** A position in a file. Inode numbers are reused, so the creation time is needed to identify the file. */
export type LogPosition = { inode: number; madeAt: number; offset: number };
const NOWHERE: LogPosition = { inode: 0, madeAt: 0, offset: 0 };

/** Reads the text after a position. If the file was rotated meanwhile, the rest of the earlier file is first. */
function readOn(path: string, position: LogPosition): Read[] {
  const read = readFrom(path, position);
  if (!read || isSame(read.position, position)) return read ? [read] : [];
  const rest = readFrom(path + PREDECESSOR, position);
  return rest && isSame(rest.position, position) ? [rest, read] : [read];
}

function isSame(one: LogPosition, other: LogPosition): boolean {
  return one.inode === other.inode && one.madeAt === other.madeAt;
}

type Read = { text: string; position: LogPosition };

/**
 * Reads from a position, or a replaced or truncated file from its start. Without a position reads its end.
 */
function readFrom(path: string, position: LogPosition | undefined): Read | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const { ino: inode, birthtimeMs: madeAt, size } = fstatSync(fd);
    const same =
      position !== undefined && isSame(position, { inode, madeAt, offset: 0 }) && position.offset <= size;
    const start = same ? position.offset : Math.max(0, size - MAX_BYTES);
    const bytes = Buffer.alloc(Math.min(size - start, MAX_BYTES));
    const length = readSync(fd, bytes, 0, bytes.length, start);
    // An incomplete character or line is left for the next read.
    const whole = position === undefined ? length : bytes.lastIndexOf(0x0a, length) + 1;
    return { text: bytes.toString('utf8', 0, whole), position: { inode, madeAt, offset: start + whole } };
  } finally {
    closeSync(fd);
  }
}
