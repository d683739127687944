/** Text for people: foreign text made harmless, and paragraphs that fit a terminal. */
import { wrapWords } from '../../common/terminal/layout.ts';
import { CONTROL_CHARACTERS } from '../../protocol/control-characters.ts';

/** Longest text of AWS's that is shown, in characters: its reasons are a sentence or two. */
const MAX_FOREIGN = 600;

/** Returns a text of AWS as one line without control characters. */
export function oneLine(text: string): string {
  const plain = text
    .replace(/[\s\u0085\u2028\u2029]+/g, ' ')
    .replace(CONTROL_CHARACTERS, '')
    .trim();
  return plain.length > MAX_FOREIGN ? `${plain.slice(0, MAX_FOREIGN - 1)}…` : plain;
}

/**
 * Wraps a paragraph at spaces to the width of a terminal. Without a width it stays one line, for programs that
 * read lines.
 *
 * @param first prefix of the first line; the other lines are indented by its width.
 */
export function paragraph(text: string, columns: number | undefined, first = ''): string {
  if (columns === undefined) return `${first}${text}\n`;
  const width = Math.max(first.length + 20, columns);
  return wrapWords(first, text, first.length, width)
    .map((line) => `${line}\n`)
    .join('');
}

/** Shortens a resource type: `AWS::IAM::OIDCProvider` becomes `IAM OIDCProvider`. */
export function typeWords(type: string): string {
  return type.replace(/^AWS::/, '').replaceAll('::', ' ');
}

/** Formats a list in words: `a, b and c`. */
export function listWords(items: readonly string[]): string {
  const last = items.at(-1) ?? '';
  return items.length < 2 ? last : `${items.slice(0, -1).join(', ')} and ${last}`;
}

/** Formats a size in bytes: ` 45.1 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1).padStart(5)} MB`;
}
