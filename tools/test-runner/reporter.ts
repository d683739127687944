import { writeSync } from 'node:fs';
import type { FinishedFile } from './progress.ts';

/** The file descriptor on which the runner waits for a line of JSON for each file that ended. */
export const REPORT_FD = 3;

type RunningFile = {
  name: string;
  time?: number;
  results?: { ok: boolean };
  on(event: 'process', listener: (child: { stderr?: NodeJS.ReadableStream | null }) => void): void;
};

type RunnerEvents = { on(event: 'subtestStart' | 'subtestEnd', listener: (file: RunningFile) => void): void };

const seen = new WeakSet<RunnerEvents>();

/**
 * A reporter of tap, which calls it with its runner and renders what it returns: nothing. tap's own reporters
 * write cursor codes into pipes, and its TAP has the files in their order, not as they end.
 */
export default function reporter({ test }: { test: RunnerEvents }): null {
  if (seen.has(test)) return null;
  seen.add(test);
  test.on('subtestStart', (file) =>
    file.on('process', ({ stderr }) => stderr?.pipe(process.stderr, { end: false })),
  );
  test.on('subtestEnd', ({ name, results, time }) => {
    const finished: FinishedFile = { file: name, ok: results?.ok ?? false, ms: time ?? 0 };
    writeSync(REPORT_FD, `${JSON.stringify(finished)}\n`);
  });
  return null;
}
