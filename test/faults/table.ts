import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

/** One fault and what came of it. */
type Line = {
  name: string;
  caller: string;
  log: string;
  survived: string;
  outcome: 'ok' | 'FAILED';
};

/** What a fault's test tells, for its line in the table; several texts of one kind are joined. */
export type Findings = {
  caller(text: string): void;
  log(text: string): void;
  survived(text: string): void;
};

export type FaultOptions = {
  /** What this machine lacks for it. */
  skip?: string | false;
};

export type Inject = (
  name: string,
  body: (t: Test, findings: Findings) => Promise<void>,
  options?: FaultOptions,
) => void;

const build = fileURLToPath(new URL('../../../', import.meta.url));
const parts = join(build, 'faults');
export const TABLE = join(build, 'faults.txt');

/**
 * A group of faults of one test file. Each is a test of its own and a line in build/faults.txt.
 *
 * @param jobs how many run at the same time: most of them wait for something to expire.
 */
export function faultGroup(t: Test, group: string, jobs = 1): Inject {
  /** In the order of the file, however they end. */
  const lines: (Line | undefined)[] = [];
  t.jobs = jobs;
  mkdirSync(parts, { recursive: true });
  return (name, body, { skip = false } = {}) => {
    const place = lines.push(undefined) - 1;
    const options = { buffered: jobs > 1, ...(skip ? { skip } : {}) };
    void t.test(name, options, async (t) => {
      const found: Record<keyof Findings, string[]> = { caller: [], log: [], survived: [] };
      const add = (kind: keyof Findings) => (text: string) => void found[kind].push(masked(text));
      let outcome: Line['outcome'] = 'FAILED';
      try {
        await body(t, { caller: add('caller'), log: add('log'), survived: add('survived') });
        if (t.passing()) outcome = 'ok';
      } finally {
        const [caller, log, survived] = [found.caller, found.log, found.survived].map((texts) =>
          texts.filter(Boolean).join('; '),
        );
        lines[place] = { name, caller: caller ?? '', log: log ?? '', survived: survived ?? '', outcome };
        const known = lines.filter((line) => line !== undefined);
        save(join(parts, `${group.replaceAll(/\W+/g, '-')}.txt`), printed(group, known));
        save(TABLE, wholeTable());
      }
    });
  };
}

/** Every group that has run since `build/faults` was last empty. */
export function wholeTable(): string {
  const texts = readdirSync(parts)
    .filter((file) => file.endsWith('.txt'))
    .sort()
    .map((file) => readFileSync(join(parts, file), 'utf8'));
  const count = (outcome: RegExp): number => texts.join('\n').match(outcome)?.length ?? 0;
  const sum = `${count(/^ok /gm)} faults survived, ${count(/^FAILED /gm)} not`;
  return `fault · what the caller saw · what the log says · what survived\n\n${texts.join('\n')}\n${sum}\n`;
}

function printed(group: string, lines: readonly Line[]): string {
  const rows = lines.map(
    ({ name, caller, log, survived, outcome }) =>
      `${outcome.padEnd(6)} ${name} · ${caller} · ${log || 'nothing'} · ${survived}`,
  );
  return `${group}\n${rows.join('\n')}\n`;
}

/** Ports and homes differ from run to run; the table should not. */
function masked(text: string): string {
  return text
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
    .replaceAll(/\bport \d{4,5}\b/g, 'port PORT')
    .replaceAll(/\/tmp\/ccwb-\w+/g, '~');
}

function save(path: string, text: string): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}
