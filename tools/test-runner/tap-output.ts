/** Most lines of a failure that are shown; the rest is in build/test.tap. */
const MAX_LINES = 80;

export type SkippedTest = { test: string; reason: string };

export type TestCounts = {
  passed: number;
  failed: number;
  skipped: SkippedTest[];
  /** The lines of each failure. */
  failures: string[][];
  /** Milliseconds of each file. */
  times: [string, number][];
};

/**
 * Counts the tests of a run. In the runner's TAP a file is a test point at the margin. A test is a point indented
 * by four spaces, after its assertions, which are indented further. A file that fails without a failing test
 * (it crashed, or timed out) counts as one failure.
 */
export function countTests(tap: string): TestCounts {
  const counts: TestCounts = { passed: 0, failed: 0, skipped: [], failures: [], times: [] };
  let failedInFile = 0;
  let file = '';
  let failure: string[] | undefined;
  let details: string[] = [];
  const fail = (title: string, lines: string[]): void => {
    counts.failed += 1;
    failure = [title, ...lines];
    counts.failures.push(failure);
  };
  for (const line of tap.split('\n')) {
    const subtest = /^# Subtest: (.*)/.exec(line);
    if (subtest || /^ {4}# Subtest/.test(line)) failure = undefined;
    if (subtest) {
      file = subtest[1] ?? '';
      details = [];
    }
    const point = /^( {4})?(not )?ok \d+(?: - (.*))?$/.exec(line);
    if (!point) {
      if (failure && /^ {2}/.test(line)) failure.push(line);
      else details = isOfFailure(line, details) ? [...details, line] : details;
      continue;
    }
    failure = undefined;
    const [, nested, not, description = ''] = point;
    const skip = /^(.*?)\s*# (?:SKIP|TODO)\b\s*(.*)$/i.exec(description);
    if (!nested) {
      counts.times.push([file, Number(/# time=([\d.]+)ms/.exec(description)?.[1] ?? 0)]);
      // The reason of a crash or a timeout is printed last.
      if (not && failedInFile === 0) fail(`as a whole: ${description}`, details.slice(-MAX_LINES));
      failedInFile = 0;
    } else if (skip) counts.skipped.push({ test: skip[1] ?? '', reason: reasonOf(skip[2] ?? '') });
    else if (not) {
      failedInFile += 1;
      fail(`${file}: ${description}`, details.slice(0, MAX_LINES));
    } else counts.passed += 1;
    details = [];
  }
  return counts;
}

/** Returns true for a line of a failed assertion: its point, or the YAML after it. */
function isOfFailure(line: string, details: readonly string[]): boolean {
  if (/^\s+not ok /.test(line)) return true;
  return details.length > 0 && !/^\s+(ok |# Subtest|\d+\.\.)/.test(line);
}

function reasonOf(text: string): string {
  return text.replace(/\s*# time=[\d.]+ms$/, '') || 'no reason given';
}

/** One line for each file, the slowest first. */
export function slowestFirst(times: readonly [string, number][]): string {
  return [...times]
    .sort((a, b) => b[1] - a[1])
    .map(([file, ms]) => `${(ms / 1000).toFixed(1).padStart(7)} ${file}\n`)
    .join('');
}

/** The skipped tests under the tools that are missing, or under another reason. Empty without skipped tests. */
export function describeSkipped(skipped: readonly SkippedTest[]): string {
  const groups = new Map<string, string[]>();
  let toolsMissing = false;
  for (const { test, reason } of skipped) {
    const tools = /^needs (.+), not installed here$/.exec(reason)?.[1];
    toolsMissing ||= tools !== undefined;
    const title = tools === undefined ? reason : `missing: ${tools.split(' and ').join(', ')}`;
    groups.set(title, [...(groups.get(title) ?? []), test]);
  }
  const parts = [...groups].map(
    ([title, tests]) => `\nskipped, ${title}\n${tests.map((test) => `  ${test}\n`).join('')}`,
  );
  if (toolsMissing) parts.push('\n.ci/run installs everything that tests need, on Debian.\n');
  return parts.join('');
}
