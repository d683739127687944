import type { Random } from './random.ts';

/** JSON as it is written: leaves are texts, fields may come twice, and nothing needs to be valid. */
type Tree = string | { list: Tree[] } | { fields: [name: string, value: Tree][] };

/** Leaves that are none of what a reader expects, some no JSON at all. */
const ODD = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '-1',
  '1',
  '1.5',
  '65536',
  '2147483648',
  '9007199254740993',
  '8640000000001',
  '1e21',
  '1e308',
  '1e999',
  '-1e999',
  '01',
  '0x10',
  'NaN',
  'Infinity',
  'undefined',
  '""',
  '" "',
  '"\\u0000"',
  '"\\ud800"',
  '"\\u202e\\r\\n"',
  '"a\\nb: c"',
  '"0"',
  '"true"',
  '"https://example.com"',
  '"http://localhost"',
  '"https://a@b/"',
  '"file:///etc/passwd"',
  '"__proto__"',
  '[]',
  '{}',
  '[[]]',
  '{"a":{"b":null}}',
  "'x'",
  '"unfinished',
  '/* x */ 1',
] as const;

const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'length',
  '',
  ' ',
  '\u0000',
  'é',
] as const;

/** The value as JSON text with a few of its parts changed, removed, repeated or moved. */
export function mutatedJson(value: unknown, random: Random): string {
  let tree = treeOf(value);
  for (let times = random.below(3) + 1; times > 0; times -= 1) tree = mutated(tree, random);
  return print(tree);
}

function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return { list: value.map(treeOf) };
  if (typeof value === 'object' && value !== null)
    return { fields: Object.entries(value).map(([name, field]) => [name, treeOf(field)]) };
  return JSON.stringify(value) ?? 'null';
}

/** Goes down a random way and changes what it finds at its end. */
function mutated(tree: Tree, random: Random): Tree {
  if (typeof tree === 'string') return leaf(tree, random);
  const size = 'list' in tree ? tree.list.length : tree.fields.length;
  if (size === 0 || random.chance(0.25)) return changedNode(tree, random);
  const at = random.below(size);
  if ('list' in tree) return { list: tree.list.map((item, i) => (i === at ? mutated(item, random) : item)) };
  return {
    fields: tree.fields.map(([name, field], i) => [name, i === at ? mutated(field, random) : field]),
  };
}

function leaf(text: string, random: Random): Tree {
  switch (random.below(6)) {
    case 0:
      return { list: [text] };
    case 1:
      return { fields: [['a', text]] };
    case 2:
      return JSON.stringify((text.startsWith('"') ? text.slice(1, -1) : text).repeat(random.below(40)));
    case 3:
      return text.startsWith('"') ? text.slice(1, -1) || 'null' : `"${text}"`;
    default:
      return random.pick(ODD);
  }
}

function changedNode(tree: Exclude<Tree, string>, random: Random): Tree {
  if (random.chance(0.2)) return random.pick(ODD);
  if (random.chance(0.1)) return deep(random.below(random.chance(0.05) ? 40_000 : 200), random.chance(0.5));
  if ('list' in tree) {
    const { list } = tree;
    return random.chance(0.5) ? { list: [...list, random.pick(ODD)] } : { list: [...list, ...list] };
  }
  const { fields } = tree;
  const at = random.below(fields.length);
  const [name, field] = fields[at] ?? ['', 'null'];
  switch (random.below(4)) {
    case 0:
      return { fields: fields.filter((_, i) => i !== at) };
    case 1:
      return { fields: [...fields, [name, random.chance(0.5) ? field : random.pick(ODD)]] };
    case 2:
      return { fields: [...fields, [random.pick(NAMES), random.chance(0.5) ? tree : random.pick(ODD)]] };
    default:
      return { fields: fields.map((each, i) => (i === at ? [`${name}${random.pick(NAMES)}`, field] : each)) };
  }
}

/** Nested so deep that a recursive reader feels it. */
function deep(levels: number, lists: boolean): Tree {
  return lists
    ? `${'['.repeat(levels)}${']'.repeat(levels)}`
    : `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
}

function print(tree: Tree): string {
  if (typeof tree === 'string') return tree;
  if ('list' in tree) return `[${tree.list.map(print).join(',')}]`;
  return `{${tree.fields.map(([name, field]) => `${JSON.stringify(name)}:${print(field)}`).join(',')}}`;
}
