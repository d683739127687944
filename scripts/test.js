/**
 * Runs the compiled tests and ends with the one line `N passed, N failed, N skipped`, counted from the
 * TAP of every test in every file. What is skipped is named with its reason, what failed is shown again
 * at the end, and each file's seconds are in build/test-times.txt.
 *
 * Usage: node scripts/test.js [folder or file under test/ …]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tap = join(createRequire(import.meta.url).resolve('tap/package.json'), '../dist/esm/run.mjs');
const output = join(root, 'build/test.tap');
/** How much is shown again of a failure; the rest is in build/test.tap. */
const MAX_LINES = 80;

const files = wanted(process.argv.slice(2));
if (!existsSync(join(root, '.tap/plugins'))) run(['build'], 'ignore');
mkdirSync(join(root, 'build'), { recursive: true });
rmSync(output, { force: true });
const status = run(
  ['run', '--disable-coverage', '--reporter=terse', `--output-file=${output}`, ...files],
  'inherit',
);
const counts = count(existsSync(output) ? readFileSync(output, 'utf8') : '');
for (const lines of counts.failures) process.stdout.write(`\nfailed: ${lines.join('\n')}\n`);
writeFileSync(join(root, 'build/test-times.txt'), slowestFirst(counts.times));
for (const line of counts.skipped) process.stdout.write(`skipped: ${line}\n`);
const failed = status !== 0 && counts.failed === 0 ? 1 : counts.failed;
process.stdout.write(`\n${counts.passed} passed, ${failed} failed, ${counts.skipped.length} skipped\n`);
process.exit(failed > 0 ? 1 : 0);

/** @param {string[]} args @param {'inherit' | 'ignore'} stdio */
function run(args, stdio) {
  const { status } = spawnSync(process.execPath, [tap, ...args], {
    cwd: root,
    stdio: ['ignore', stdio, 'inherit'],
  });
  return status ?? 1;
}

/** Compiled test files for the given sources, or all. @param {string[]} names */
function wanted(names) {
  const tests = join(root, 'build/js/test');
  const starts = names.map((name) => name.replace(/^test\//, '').replace(/\.ts$/, '.js'));
  const found = readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.js') && statSync(join(tests, path)).isFile())
    .filter((path) => starts.length === 0 || starts.some((start) => path.startsWith(start)))
    .sort();
  if (found.length > 0) return found.map((path) => join('build/js/test', path));
  process.stderr.write(`no test matches ${names.join(' ') || 'build/js/test'}; run npm run build first\n`);
  process.exit(2);
}

/**
 * In the runner's TAP a file is a test point at the margin, and a test is one indented by four spaces,
 * after what it asserted, indented further. A file that fails without a failing test (it crashed, or
 * timed out) counts as one failure.
 * @param {string} text
 */
function count(text) {
  let passed = 0;
  let failed = 0;
  let failedInFile = 0;
  let file = '';
  /** @type {string[] | undefined} */
  let after;
  /** @type {string[]} */
  let details = [];
  /** @type {string[]} */
  const skipped = [];
  /** @type {string[][]} */
  const failures = [];
  /** @type {[string, number][]} */
  const times = [];
  for (const line of text.split('\n')) {
    const subtest = /^# Subtest: (.*)/.exec(line);
    if (subtest || /^ {4}# Subtest/.test(line)) after = undefined;
    if (subtest) {
      file = subtest[1] ?? '';
      details = [];
    }
    const point = /^( {4})?(not )?ok \d+(?: - (.*))?$/.exec(line);
    if (!point) {
      if (after && /^ {2}/.test(line)) after.push(line);
      else details = isOfFailure(line, details) ? [...details, line] : details;
      continue;
    }
    after = undefined;
    const [, nested, not, description = ''] = point;
    if (!nested) {
      times.push([file, Number(/# time=([\d.]+)ms/.exec(description)?.[1] ?? 0)]);
      if (not && failedInFile === 0) {
        failed += 1;
        // A file that crashed, or one that took too long: which one that is follows it.
        after = [`as a whole: ${description}`, ...details.slice(-MAX_LINES)];
        failures.push(after);
      }
      failedInFile = 0;
    } else if (/# (SKIP|TODO)\b/i.test(description))
      skipped.push(`${description.replace(/# (SKIP|TODO)\s*/i, '(')})`);
    else if (not) {
      failed += 1;
      failedInFile += 1;
      // What a test itself failed of follows it.
      after = [`${file}: ${description}`, ...details.slice(0, MAX_LINES)];
      failures.push(after);
    } else passed += 1;
    details = [];
  }
  return { passed, failed, skipped, failures, times };
}

/** Whether a line belongs to a failed assertion: its point, or the YAML that follows it. @param {string} line @param {string[]} details */
function isOfFailure(line, details) {
  if (/^\s+not ok /.test(line)) return true;
  return details.length > 0 && !/^\s+(ok |# Subtest|\d+\.\.)/.test(line);
}

/** @param {[string, number][]} times milliseconds of each file */
function slowestFirst(times) {
  return [...times]
    .sort((a, b) => b[1] - a[1])
    .map(([file, ms]) => `${(ms / 1000).toFixed(1).padStart(7)} ${file}\n`)
    .join('');
}
