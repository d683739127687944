/** The documentation as text: its pages, and the parts of a page that a test compares with the code. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository, seen from the compiled file. */
export const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Folders that no commit holds: packages and results. */
const SKIPPED = new Set(['node_modules', 'build', 'dist']);
const HIDDEN_BUT_OURS = new Set(['.ci', '.github']);

/** Every file a commit may hold, as a path from {@link ROOT}. */
export function repositoryFiles(folder = ''): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return entry.isFile() ? [path] : [];
    const skipped = entry.name.startsWith('.') ? !HIDDEN_BUT_OURS.has(entry.name) : SKIPPED.has(entry.name);
    return skipped ? [] : repositoryFiles(path);
  });
}

/** Every Markdown page. */
export function pages(): string[] {
  return repositoryFiles().filter((path) => path.endsWith('.md'));
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** A fenced block: its language and its lines, without the fences. */
export type Fence = { language: string; text: string };

export function fences(markdown: string): Fence[] {
  return [...markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));
}

/** The page without its fenced blocks: prose, tables, links. */
export function prose(markdown: string): string {
  return markdown.replace(/^```\w*\n[\s\S]*?^```$/gm, '');
}

/**
 * The rows of the table under a heading, cells trimmed, without header and rule.
 *
 * @throws Error when there is no such heading, or no table under it.
 */
export function tableUnder(markdown: string, heading: string): string[][] {
  const [, section] = markdown.split(new RegExp(`^#+ ${heading}$`, 'm'));
  const lines = section?.split(/^#+ /m)[0]?.match(/^\|.*\|$/gm);
  if (!lines) throw new Error(`no table under the heading "${heading}"`);
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

/** Returns the names of code in a cell: the texts between backticks. */
export function codeIn(cell: string | undefined): string[] {
  return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}
