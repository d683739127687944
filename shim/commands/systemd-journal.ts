import { existsSync } from 'node:fs';
import { installedService } from '../daemon/start-daemon.ts';
import type { ShimEdges } from '../program/edges.ts';
import { runForLines } from '../program/processes.ts';
import { SYSTEMD_UNIT } from '../service/systemd.ts';
import { createLineParser, type LogLine } from './log-lines.ts';

/** Paths of journalctl. The PATH is not searched, as with systemctl. */
const JOURNALCTL = ['/usr/bin/journalctl', '/bin/journalctl', '/run/current-system/sw/bin/journalctl'];

/** Returns the path of journalctl if the daemon is a service of systemd. */
export function findJournalctl(edges: ShimEdges): string | undefined {
  if (installedService(edges)?.name !== 'systemd') return undefined;
  return JOURNALCTL.find((path) => existsSync(path));
}

/** Returns the last lines of the journal. If it cannot be read, prints why and returns none. */
export async function readJournal(edges: ShimEdges, journal: string, count: number): Promise<LogLine[]> {
  const parse = createJournalParser();
  const lines: LogLine[] = [];
  const onEntry = (entry: string): void => {
    const line = parse(entry);
    if (line) lines.push(line);
  };
  const end = await runJournalctl(journal, [`--lines=${count}`], onEntry, edges.interrupted);
  if (end.kind !== 'exited' || end.status !== 0) {
    edges.writeError(`The journal cannot be read; journalctl --user -u ${SYSTEMD_UNIT} may say why.\n`);
  }
  return lines;
}

export function runJournalctl(
  journal: string,
  args: readonly string[],
  onEntry: (entry: string) => void,
  signal: AbortSignal,
) {
  const flags = ['--user', `--unit=${SYSTEMD_UNIT}`, '--output=json', '--no-pager', '--quiet'];
  return runForLines(journal, [...flags, ...args], { PATH: '/usr/bin:/bin', LC_ALL: 'C' }, onEntry, signal);
}

/**
 * Creates a parser of journal entries, see systemd.journal-fields(7). A line without a time gets that of the
 * journal, which has microseconds.
 */
export function createJournalParser(): (entry: string) => LogLine | undefined {
  const parse = createLineParser();
  return (entry) => {
    const { record } = parse(entry);
    const { MESSAGE: text, __REALTIME_TIMESTAMP: time } = record ?? {};
    return typeof text === 'string' ? parse(text, Number(time) / 1_000) : undefined;
  };
}
