import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { filesIn, ROOT, type SourceFile, sourcesIn } from '../support/source-tree.ts';
import { dependenciesOf } from './dependencies.ts';
import { HELP, parseOptions, type TestRunOptions } from './options.ts';
import { createProgress, type FinishedFile, type TestProgress } from './progress.ts';
import { REPORT_FD } from './reporter.ts';
import { changedFiles, selectChanged, selectNamed, selectQuick } from './selection.ts';
import { countTests, describeSkipped, slowestFirst } from './tap-output.ts';

const FOLDERS = [
  'protocol',
  'common',
  'network',
  'daemon',
  'shim',
  'admin',
  'infra',
  'sandbox',
  'tools',
  'test',
];
const TAP_PROGRAM = join(createRequire(import.meta.url).resolve('tap/package.json'), '../dist/esm/run.mjs');
const REPORTER = join(ROOT, 'build/js/tools/test-runner/reporter.js');
const TAP_OUTPUT = join(ROOT, 'build/test.tap');
const TIMES = join(ROOT, 'build/test-times.txt');

process.exitCode = await main(process.argv.slice(2));

/** Runs the selected tests and returns the exit status. The last line is `N passed, N failed, N skipped`. */
async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const tests = selectTests(options);
  if (tests.length === 0 && options.names.length > 0 && options.changedSince === undefined) {
    process.stderr.write(`no test matches ${options.names.join(' ')}\n`);
    return 2;
  }
  const status = tests.length === 0 ? 0 : await runTests(tests, options.coverage);
  const counts = countTests(tests.length === 0 ? '' : readFileSync(TAP_OUTPUT, 'utf8'));
  for (const lines of counts.failures) process.stdout.write(`\nfailed: ${lines.join('\n')}\n`);
  if (tests.length > 0) writeFileSync(TIMES, slowestFirst(counts.times));
  process.stdout.write(describeSkipped(counts.skipped));
  if (options.coverage && tests.length > 0) await runTap(['report', '--coverage-report=text']);
  const failed = status !== 0 && counts.failed === 0 ? 1 : counts.failed;
  process.stdout.write(`\n${counts.passed} passed, ${failed} failed, ${counts.skipped.length} skipped\n`);
  return failed > 0 ? 1 : 0;
}

function selectTests({ names, quick, changedSince }: TestRunOptions): string[] {
  const named = selectNamed(
    filesIn('test').filter((path) => path.endsWith('.test.ts')),
    names,
  );
  if (!quick && changedSince === undefined) return named;
  const sources: SourceFile[] = FOLDERS.flatMap(sourcesIn);
  const dependencies = dependenciesOf(sources);
  const chosen = quick ? selectQuick(named, dependencies) : named;
  if (changedSince === undefined) return chosen;
  const changed = changedFiles(changedSince);
  const affected = selectChanged(chosen, changed, dependencies, sources);
  process.stdout.write(
    `${changed.length} files changed since ${changedSince}: they affect ${affected.length} of ${chosen.length} test files\n`,
  );
  return affected;
}

/** Runs test files with tap, showing its progress; build/test.tap has its output. */
async function runTests(tests: readonly string[], coverage: boolean): Promise<number> {
  if (!existsSync(join(ROOT, '.tap/plugins'))) await runTap(['build']);
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  rmSync(TAP_OUTPUT, { force: true });
  writeFileSync(TAP_OUTPUT, '');
  const compiled = tests.map((path) => join('build/js', path.replace(/\.ts$/, '.js')));
  const measured = coverage
    ? ['--allow-incomplete-coverage', '--allow-empty-coverage', '--coverage-report=none']
    : ['--disable-coverage'];
  const progress = createProgress(process.stdout, tests.length);
  const status = await runTap(
    ['run', ...measured, `--reporter=${REPORTER}`, `--output-file=${TAP_OUTPUT}`, ...compiled],
    progress,
  );
  progress.end();
  return status;
}

/** Runs tap and returns its exit status. With a progress it is told of each file, else tap's output is shown. */
async function runTap(args: readonly string[], progress?: TestProgress): Promise<number> {
  const child = spawn(process.execPath, [TAP_PROGRAM, ...args], {
    cwd: ROOT,
    stdio: progress ? ['ignore', 'ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
  });
  if (progress) {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => progress.print(text));
    createInterface({ input: child.stdio[REPORT_FD] as Readable }).on('line', (line) =>
      progress.finished(JSON.parse(line) as FinishedFile),
    );
  }
  const [code] = await new Promise<[number | null]>((resolve) =>
    child.once('close', (code) => resolve([code])),
  );
  return code ?? 1;
}
