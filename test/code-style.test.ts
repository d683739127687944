import t from 'tap';
import { parse, type SourceFile, sourcesIn } from '../tools/support/source-tree.ts';
import { docblocksIn, functionLengthsIn, typeNamesIn } from './fixtures/declarations.ts';

/** The folders that the rules hold for: all of the product, the sandbox and the tools. */
const RULED = ['protocol', 'common', 'network', 'daemon', 'shim', 'admin', 'infra', 'sandbox', 'tools'];

/** Most lines of a function that is no table: about two screens. */
const MAX_FUNCTION_LINES = 80;

/** Words that turn a docblock into a riddle: it names the thing, or starts with a verb. */
const RIDDLE = /^(What|Whether|Who|Whose|How|As|Where|When)\b/;

const file = (text: string): SourceFile => ({ path: 'x.ts', tree: parse('x.ts', text) });

t.test('type names are found in every form they can take', async (t) => {
  const text = `export type A = 1; type B = 2; export interface C {} class D {} enum E {}
    function f() { type Inner = 3; } export const F = class Inner {};`;
  t.same(typeNamesIn(file(text)), ['A', 'B', 'C', 'D']);
});

t.test('docblocks are found wherever they stand', async (t) => {
  const text = `/** Of the file. */\n\n/** One. */\ntype A = {\n  /**\n   * Two\n   * lines.\n   */\n  b: 1;\n};\n
    function f() {\n  /** Inside. */\n  const c = 1;\n}\n// none\n/* none */`;
  t.same(docblocksIn(file(text)), ['Of the file.', 'One.', 'Two\nlines.', 'Inside.']);
});

t.test('a function is measured from its first line to its last, a table is not', async (t) => {
  const text = `function a() {\n  b();\n}\nconst c = () =>\n  d();\nconst e = () => ({\n  f: 1,\n});
    function g() {\n  return [\n    1,\n  ];\n}\nconst h = {\n  i() {\n    j();\n  },\n};`;
  t.same(functionLengthsIn(file(text)), [
    { name: 'a', lines: 3 },
    { name: 'c', lines: 2 },
    { name: 'i', lines: 3 },
  ]);
});

t.test('a type has a name of its own', async (t) => {
  const files = new Map<string, string[]>();
  for (const source of RULED.flatMap(sourcesIn))
    for (const name of typeNamesIn(source)) files.set(name, [...(files.get(name) ?? []), source.path]);
  t.same(
    [...files].filter(([, paths]) => paths.length > 1),
    [],
  );
});

t.test('a docblock starts with a verb or the name of its thing', async (t) => {
  const riddles = RULED.flatMap(sourcesIn).flatMap((source) =>
    docblocksIn(source)
      .filter((text) => RIDDLE.test(text))
      .map((text) => `${source.path}: ${text}`),
  );
  t.same(riddles, []);
});

t.test(`a function has at most ${MAX_FUNCTION_LINES} lines`, async (t) => {
  const long = RULED.flatMap(sourcesIn).flatMap((source) =>
    functionLengthsIn(source)
      .filter(({ lines }) => lines > MAX_FUNCTION_LINES)
      .map(({ name, lines }) => `${source.path}: ${name} has ${lines}`),
  );
  t.same(long, []);
});
