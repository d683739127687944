import t from 'tap';
import { parse, type SourceFile } from '../../../tools/support/source-tree.ts';
import { dependenciesOf, dependentsOf } from '../../../tools/test-runner/dependencies.ts';
import { selectChanged, selectNamed, selectQuick } from '../../../tools/test-runner/selection.ts';

const FILES: Readonly<Record<string, string>> = {
  'protocol/paths.ts': `export const SERVICE = 'x.service';`,
  'daemon/main.ts': `import '../protocol/paths.ts';`,
  'shim/login.ts': `import type { A } from '../protocol/paths.ts'; // docs/errors.md`,
  'tools/support/installation.ts': `const app = new URL('../../../app', import.meta.url);`,
  'test/daemon/lifetime.test.ts': `const MAIN = new URL('../../daemon/main.js', import.meta.url);`,
  'test/shim/login.test.ts': `import '../../shim/login.ts';`,
  'test/docs/errors.test.ts': `const page = join(root, 'docs', 'errors.md');`,
  'test/docs/links.test.ts': '',
  'test/e2e/sign-in.test.ts': `import '../../tools/support/installation.ts';`,
  'test/shim/real.test.ts': `import '../../tools/support/installation.ts';`,
  'test/common/lone.test.ts': '',
};
const sources: SourceFile[] = Object.entries(FILES).map(([path, text]) => ({
  path,
  tree: parse(path, text),
}));
const tests = Object.keys(FILES).filter((path) => path.endsWith('.test.ts'));
const dependencies = dependenciesOf(sources, (path) => Object.hasOwn(FILES, path));
const changed = (...paths: string[]): string[] => selectChanged(tests, paths, dependencies, sources);

t.test('a file is needed by all that import it, or start a program made of it', async (t) => {
  t.same([...dependentsOf(dependencies, ['protocol/paths.ts'])].sort(), [
    'daemon/main.ts',
    'protocol/paths.ts',
    'shim/login.ts',
    'test/daemon/lifetime.test.ts',
    'test/e2e/sign-in.test.ts',
    'test/shim/login.test.ts',
    'test/shim/real.test.ts',
    'tools/support/installation.ts',
  ]);
});

t.test('names select folders and files, in every way they are typed', async (t) => {
  t.same(selectNamed(tests, []), tests);
  t.same(selectNamed(tests, ['shim']), ['test/shim/login.test.ts', 'test/shim/real.test.ts']);
  for (const name of ['shim/login.test.ts', 'test/shim/login', './test/shim/login.test.js'])
    t.same(selectNamed(tests, [name]), ['test/shim/login.test.ts'], name);
  t.same(selectNamed(tests, ['nothing']), []);
});

t.test('a quick run leaves out what starts an installation', async (t) => {
  t.same(selectQuick(tests, dependencies), [
    'test/daemon/lifetime.test.ts',
    'test/shim/login.test.ts',
    'test/common/lone.test.ts',
  ]);
});

t.test('a changed source selects the tests that depend on it', async (t) => {
  t.same(changed('shim/login.ts'), ['test/shim/login.test.ts']);
  t.same(changed('test/common/lone.test.ts'), ['test/common/lone.test.ts']);
  t.same(changed('shim/launchers/bedrock-auth.sh'), ['test/e2e/sign-in.test.ts', 'test/shim/real.test.ts']);
});

t.test('a changed page selects the tests of pages, whatever mentions it in a comment', async (t) => {
  t.same(changed('docs/errors.md'), ['test/docs/errors.test.ts', 'test/docs/links.test.ts']);
});

t.test('a changed file of another kind selects the tests of what names it', async (t) => {
  t.same(
    changed('shim/x.service'),
    [
      'test/daemon/lifetime.test.ts',
      'test/shim/login.test.ts',
      'test/e2e/sign-in.test.ts',
      'test/shim/real.test.ts',
    ].sort((a, b) => tests.indexOf(a) - tests.indexOf(b)),
  );
});

t.test('a changed package or build selects every test, nothing changed selects none', async (t) => {
  for (const path of ['package.json', 'package-lock.json', 'tsconfig.json', 'scripts/build.js'])
    t.same(changed(path), tests, path);
  t.same(changed(), []);
});
