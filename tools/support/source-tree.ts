import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The folder of the repository. */
export const ROOT = projectRoot();
const builtins = new Set(builtinModules);

/** A parsed file; `path` is relative to the root, with slashes. */
export type SourceFile = { path: string; tree: ts.SourceFile };
/** One import of a file; `target` is a path relative to the root, `node:NAME` or the name of a package. */
export type Import = {
  from: string;
  specifier: string;
  target: string;
  kind: 'builtin' | 'file' | 'package' | 'computed';
};

function projectRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return directory;
}

/** Paths of the TypeScript files in a folder, relative to the root, with slashes. */
export function filesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => posix.join(folder, ...path.split(sep)))
    .sort();
}

export function sourcesIn(folder: string): SourceFile[] {
  return filesIn(folder).map((path) => ({ path, tree: parse(path, readFileSync(join(ROOT, path), 'utf8')) }));
}

/** Groups of files of which each imports itself through the others, by name. */
export function cyclesOf(arrows: readonly Import[]): string[][] {
  const targets = new Map<string, Set<string>>();
  for (const { from, target, kind } of arrows)
    if (kind === 'file') targets.set(from, (targets.get(from) ?? new Set()).add(target));
  const reach = (start: string): Set<string> => {
    const seen = new Set<string>();
    const waiting = [...(targets.get(start) ?? [])];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      waiting.push(...(targets.get(next) ?? []));
    }
    return seen;
  };
  const reached = new Map([...targets.keys()].map((file) => [file, reach(file)]));
  const groups = new Map<string, string[]>();
  for (const [file, own] of reached) {
    if (!own.has(file)) continue;
    const group = [...own].filter((other) => reached.get(other)?.has(file)).sort();
    groups.set(group.join(' '), group);
  }
  return [...groups.values()].sort();
}

export function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.TS);
}

export function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  ts.forEachChild(node, (child) => visit(child, look));
}

export function importsOf({ path, tree }: SourceFile): Import[] {
  const found: Import[] = [];
  const loaders = new Set(['require']);
  const add = (specifier: ts.Node | undefined): void => {
    const text = specifier && ts.isStringLiteralLike(specifier) ? specifier.text : undefined;
    found.push(resolve(path, text));
  };
  visit(tree, (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier);
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier) add(node.moduleSpecifier);
    else if (ts.isExternalModuleReference(node)) add(node.expression);
    else if (ts.isImportTypeNode(node))
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined);
    else if (ts.isVariableDeclaration(node) && node.initializer && isCreateRequire(node.initializer))
      loaders.add(node.name.getText(tree));
    else if (ts.isCallExpression(node) && loads(node.expression, loaders)) add(node.arguments[0]);
  });
  return found;
}

/** `import`, `require`, `createRequire(…)`, whatever that was called, and its `resolve`. */
function loads(callee: ts.Expression, loaders: ReadonlySet<string>): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword || isCreateRequire(callee)) return true;
  if (ts.isIdentifier(callee)) return loaders.has(callee.text);
  return (
    ts.isPropertyAccessExpression(callee) &&
    callee.name.text === 'resolve' &&
    ts.isIdentifier(callee.expression) &&
    loaders.has(callee.expression.text)
  );
}

function isCreateRequire(node: ts.Expression): boolean {
  return ts.isCallExpression(node) && node.expression.getText().split('.').at(-1) === 'createRequire';
}

function resolve(from: string, specifier: string | undefined): Import {
  if (specifier === undefined) return { from, specifier: '<computed>', target: '', kind: 'computed' };
  if (specifier.startsWith('.')) {
    return { from, specifier, target: posix.join(posix.dirname(from), specifier), kind: 'file' };
  }
  if (specifier.startsWith('/') || specifier.startsWith('file:'))
    return { from, specifier, target: relative(ROOT, specifier), kind: 'file' };
  const bare = specifier.replace(/^node:/, '');
  if (specifier.startsWith('node:') || builtins.has(bare))
    return { from, specifier, target: `node:${bare}`, kind: 'builtin' };
  const parts = specifier.split('/');
  const target = parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  return { from, specifier, target, kind: 'package' };
}
