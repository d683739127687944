import { execFileSync } from 'node:child_process';
import { posix } from 'node:path';
import ts from 'typescript';
import { ROOT, type SourceFile, visit } from '../support/source-tree.ts';
import { type Dependencies, dependentsOf } from './dependencies.ts';

/** Folders of tests that start installations, browsers, or the whole product again and again. */
const SLOW_FOLDERS = ['e2e', 'faults', 'kill', 'install-kill', 'fuzz', 'bare', 'docs', 'service-files'];

/** Files that start a real program: what needs one of them is left out of a quick run. */
const REAL_PROGRAMS = [
  'tools/support/installation.ts',
  'sandbox/browser/chromium.ts',
  'test/fixtures/bare-system.ts',
  'test/fixtures/glewlwyd.ts',
  'test/fixtures/keyring.ts',
  'test/fixtures/moto.ts',
  'test/fixtures/other-user.ts',
  'test/fixtures/user-systemd.ts',
  'test/admin/fixtures/real-packages.ts',
  'test/admin/fixtures/test-world.ts',
  'test/shim/fixtures/installation.ts',
];

/** Tests that take long for another reason: more than five seconds of a processor. */
const SLOW_TESTS: Readonly<Record<string, string>> = {
  'test/admin/aws/network-fetch.test.ts': 'starts ccwb behind proxies',
  'test/admin/bundle.test.ts': 'needs build/ccwb, and loads CDK in each run',
  'test/admin/deploy/deploy-aws.test.ts': 'deploys whole stacks',
  'test/admin/deploy/deploy-failures.test.ts': 'deploys whole stacks',
  'test/admin/deploy/destroy.test.ts': 'deploys whole stacks',
  'test/admin/deploy/profile-deploy.test.ts': 'deploys whole stacks',
  'test/admin/deploy/unattended.test.ts': 'starts ccwb for each question',
  'test/admin/doctor/doctor.test.ts': 'deploys whole stacks',
  'test/admin/init/terminal.test.ts': 'starts ccwb in a terminal',
  'test/admin/commands/completion.test.ts': 'starts ccwb from three shells',
  'test/admin/terminal/terminal.test.ts': 'starts ccwb in a terminal',
  'test/daemon/main.test.ts': 'starts the daemon',
  'test/daemon/platform/no-debugger.test.ts': 'starts the daemon',
  'test/daemon/session/stores/keyring-store.test.ts': 'starts a keyring',
  'test/daemon/telemetry/otel-headers.test.ts': 'tries every hostile claim',
  'test/infra/analytics/analytics-stack.test.ts': 'runs every query of the dashboards',
  'test/infra/analytics/transform-volume.test.ts': 'transforms a day of telemetry',
  'test/infra/app.test.ts': 'synthesises every configuration',
  'test/infra/dashboard/dashboard-stack.test.ts': 'synthesises many dashboards',
  'test/infra/update-paths.test.ts': 'updates every configuration to every other one',
  'test/tools/week/week.test.ts': 'simulates weeks of use',
};

/** Changes to these files concern every test. */
const CONCERNS_ALL =
  /^(?:package(?:-lock)?\.json|tsconfig\.json|\.taprc|\.npmrc|scripts\/.*|tools\/test-runner\/.*)$/;

/** Keeps the tests whose path under test/ starts with one of the names; no names: all. */
export function selectNamed(tests: readonly string[], names: readonly string[]): string[] {
  const starts = names.map((name) => `test/${name.replace(/^\.?\/?test\//, '').replace(/\.[jt]s$/, '')}`);
  return tests.filter((test) => starts.length === 0 || starts.some((start) => test.startsWith(start)));
}

/** Keeps the tests that start no real program. */
export function selectQuick(tests: readonly string[], dependencies: Dependencies): string[] {
  const real = dependentsOf(dependencies, REAL_PROGRAMS);
  return tests.filter(
    (test) =>
      !real.has(test) &&
      !Object.hasOwn(SLOW_TESTS, test) &&
      !SLOW_FOLDERS.some((folder) => test.startsWith(`test/${folder}/`)),
  );
}

/**
 * Keeps the tests that depend on a changed file: through imports, through a program they start, or because they
 * or what they import mention a file that is no TypeScript. Pages concern every test of test/docs.
 */
export function selectChanged(
  tests: readonly string[],
  changed: readonly string[],
  dependencies: Dependencies,
  sources: readonly SourceFile[],
): string[] {
  if (changed.some((path) => CONCERNS_ALL.test(path))) return [...tests];
  const others = changed.filter((path) => !path.endsWith('.ts'));
  const mentioning = others.length === 0 ? [] : sources.filter((source) => mentions(source, others));
  const affected = dependentsOf(dependencies, [...changed, ...mentioning.map(({ path }) => path)]);
  const pages = others.some((path) => path.endsWith('.md') || path.startsWith('docs/'));
  return tests.filter((test) => affected.has(test) || (pages && test.startsWith('test/docs/')));
}

/**
 * Returns true if a text in the file names one of the files or its folder. Pages in texts of the product do not
 * count: it mentions them only to people.
 */
function mentions({ path, tree }: SourceFile, files: readonly string[]): boolean {
  const isProduct = !/^(?:test|tools|sandbox)\//.test(path);
  const names = files
    .filter((file) => !(isProduct && file.endsWith('.md')))
    .flatMap((file) => [
      posix.basename(file),
      ...(posix.dirname(file).includes('/') ? [posix.dirname(file)] : []),
    ]);
  let found = false;
  visit(tree, (node) => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node))
      found ||= names.some((name) => node.text.includes(name));
  });
  return found;
}

/** Returns the paths that differ from a commit, and those that git does not know yet. */
export function changedFiles(since: string): string[] {
  const git = (...args: string[]): string[] =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).split('\0').filter(Boolean);
  return [
    ...git('diff', '--name-only', '--no-renames', '-z', since, '--'),
    ...git('ls-files', '--others', '--exclude-standard', '-z'),
  ];
}
