import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { importsOf, ROOT, type SourceFile } from '../support/source-tree.ts';

/** Programs that the build assembles from several sources, by how a file names them. */
const ASSEMBLED: readonly { mention: RegExp; sources: readonly string[] }[] = [
  {
    mention: /(?:\.\.\/|build\/)(?:app|payload)\b/,
    sources: [
      'daemon/main.ts',
      'daemon/keyring-child.ts',
      'shim/credential-process.ts',
      'shim/otel-helper.ts',
      'shim/bedrock-auth.ts',
      'shim/install/install.ts',
      'shim/launchers',
      'service-files',
    ],
  },
  { mention: /(?:\.\.\/|build\/)ccwb\b/, sources: ['admin/ccwb.ts'] },
];

/** A file, and the files and folders that it needs: those it imports, and those of the programs it starts. */
export type Dependencies = ReadonlyMap<string, ReadonlySet<string>>;

export function dependenciesOf(
  sources: readonly SourceFile[],
  isSource = (path: string) => existsSync(join(ROOT, path)),
): Dependencies {
  return new Map(
    sources.map((source) => {
      const imported = importsOf(source).flatMap(({ kind, target }) => (kind === 'file' ? target : []));
      return [source.path, new Set([...imported, ...startedBy(source, isSource)])];
    }),
  );
}

/** Returns the files that need one of the given files or folders, these included. */
export function dependentsOf(dependencies: Dependencies, changed: Iterable<string>): Set<string> {
  const users = new Map<string, string[]>();
  for (const [file, needed] of dependencies)
    for (const path of needed) users.set(path, [...(users.get(path) ?? []), file]);
  const found = new Set<string>();
  const waiting = [...changed];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    for (let path = next; path !== '.'; path = posix.dirname(path)) waiting.push(...(users.get(path) ?? []));
  }
  return found;
}

/** Returns the sources of the compiled programs that a file names. */
function startedBy({ path, tree }: SourceFile, isSource: (path: string) => boolean): string[] {
  const compiled = [...tree.text.matchAll(/['"`]([\w./-]+)\.js\b/g)].flatMap(([, name = '']) => {
    const fromRoot = `${name.replace(/^(?:\.\.\/)+/, '').replace(/^build\/js\//, '')}.ts`;
    return [posix.join(posix.dirname(path), `${name}.ts`), fromRoot].filter(isSource);
  });
  const assembled = ASSEMBLED.flatMap(({ mention, sources }) => (mention.test(tree.text) ? sources : []));
  return [...compiled, ...assembled];
}
