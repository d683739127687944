/**
 * Runs the compiled tests and ends with the one line `N passed, N failed, N skipped`, counted from the
 * TAP of every test in every file. What is skipped is named with its reason.
 *
 * Usage: node scripts/test.js [folder or file under test/ …]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tap = join(createRequire(import.meta.url).resolve('tap/package.json'), '../dist/esm/run.mjs');
const output = join(root, 'build/test.tap');

const files = wanted(process.argv.slice(2));
if (!existsSync(join(root, '.tap/plugins'))) run(['build'], 'ignore');
mkdirSync(join(root, 'build'), { recursive: true });
rmSync(output, { force: true });
const status = run(
  ['run', '--disable-coverage', '--reporter=terse', `--output-file=${output}`, ...files],
  'inherit',
);
const counts = count(existsSync(output) ? readFileSync(output, 'utf8') : '');
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
 * In the runner's TAP a file is a test point at the margin, and a test is one indented by four spaces.
 * A file that fails without a failing test (it crashed, or timed out) counts as one failure.
 * @param {string} text
 */
function count(text) {
  let passed = 0;
  let failed = 0;
  let failedInFile = 0;
  /** @type {string[]} */
  const skipped = [];
  for (const line of text.split('\n')) {
    const point = /^( {4})?(not )?ok \d+(?: - (.*))?$/.exec(line);
    if (!point) continue;
    const [, nested, not, description = ''] = point;
    if (!nested) {
      if (not && failedInFile === 0) failed += 1;
      failedInFile = 0;
    } else if (/# (SKIP|TODO)\b/i.test(description))
      skipped.push(`${description.replace(/# (SKIP|TODO)\s*/i, '(')})`);
    else if (not) {
      failed += 1;
      failedInFile += 1;
    } else passed += 1;
  }
  return { passed, failed, skipped };
}
