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
 * A paragraph broken at spaces to lines of a terminal; without a width it stays one line, for programs that
 * read lines.
 *
 * @param first what stands before the first line; the others are indented as deep.
 */
export function paragraph(text: string, columns: number | undefined, first = ''): string {
  if (columns === undefined) return `${first}${text}\n`;
  const width = Math.max(first.length + 20, columns);
  return wrapWords(first, text, first.length, width)
    .map((line) => `${line}\n`)
    .join('');
}

/** `AWS::IAM::OIDCProvider` as people say it: `IAM OIDCProvider`. */
export function typeWords(type: string): string {
  return type.replace(/^AWS::/, '').replaceAll('::', ' ');
}

/** One thing of several, in words: `a, b and c`. */
export function listWords(items: readonly string[]): string {
  const last = items.at(-1) ?? '';
  return items.length < 2 ? last : `${items.slice(0, -1).join(', ')} and ${last}`;
}

/** A size in bytes as people say it: ` 45.1 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1).padStart(5)} MB`;
}
