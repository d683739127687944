/** Parses answers of flags and files, and formats answers for people. */
import { readFileSync } from 'node:fs';
import { isObject } from '../../protocol/json.ts';
import { ANSWERS, type AnswerName, type AnswerSpec, type AnswerValue } from './names.ts';

/** The value that a text stands for, or what is allowed instead of that text. */
export type ParsedAnswer = { readonly value: AnswerValue } | { readonly allowed: string };

/** One attribute of `claude.attributes`: they become one variable, as NAME=VALUE with commas between. */
const ATTRIBUTE = /^([^\s=,]+)=([^\s,;"\\=]+)$/;

/** The word for an empty list, where a list may be empty. */
export const EMPTY_LISTS: Readonly<Partial<Record<AnswerName, string>>> = {
  models: 'all',
  geographies: 'none',
};

/** Reads the text of a flag, or what was typed. */
export function parseText(name: AnswerName, text: string): ParsedAnswer {
  const { kind }: AnswerSpec = ANSWERS[name];
  const trimmed = text.trim();
  if (typeof kind !== 'string') return choiceOf(kind, trimmed);
  switch (kind) {
    case 'text':
      return { value: trimmed };
    case 'secret':
      return secretIn(trimmed);
    case 'number':
      return /^\d+(\.\d+)?$/.test(trimmed) ? { value: Number(trimmed) } : { allowed: 'a number' };
    case 'yes or no':
      return yesNo(trimmed);
    case 'list':
      return { value: listOf(name, trimmed.split(',')) };
    case 'pairs':
      return pairsOf(trimmed.split(','));
  }
}

/** Reads the value of a field of a file, where a number need not be a text. */
export function parseValue(name: AnswerName, value: unknown): ParsedAnswer {
  const { kind }: AnswerSpec = ANSWERS[name];
  if (kind === 'yes or no' && typeof value === 'boolean') return { value };
  if (kind === 'number' && typeof value === 'number' && Number.isFinite(value)) return { value };
  if (kind === 'list' && Array.isArray(value)) {
    return value.every((item) => typeof item === 'string')
      ? { value: listOf(name, value) }
      : { allowed: 'a list of texts' };
  }
  if (kind === 'pairs' && isObject(value)) {
    return pairsOf(Object.entries(value).map(([key, text]) => `${key}=${String(text)}`));
  }
  // Ids of clients and accounts may consist of digits, which a file parses as a number.
  if (typeof value === 'number' && kind === 'text') return { value: String(value) };
  if (value === null && (kind === 'text' || kind === 'list')) return parseText(name, '');
  return typeof value === 'string' ? parseText(name, value) : { allowed: allowedOf(kind) };
}

/** Returns an answer as it is shown and typed. */
export function showAnswer(name: AnswerName, value: AnswerValue): string {
  if (ANSWERS[name].kind === 'secret') return value === '' ? '' : '(kept to itself)';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.join(', ') || (EMPTY_LISTS[name] ?? '');
  if (typeof value === 'object')
    return Object.entries(value)
      .map((pair) => pair.join('='))
      .join(', ');
  return String(value);
}

/** Compares two answers. The order of a list counts, that of pairs does not. */
export function sameAnswer(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  return isObject(value) ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)) : value;
}

function choiceOf(choices: readonly string[], text: string): ParsedAnswer {
  return choices.includes(text) ? { value: text } : { allowed: `one of ${choices.join(', ')}` };
}

function yesNo(text: string): ParsedAnswer {
  if (/^(y|yes|true|on)$/i.test(text)) return { value: true };
  return /^(n|no|false|off)$/i.test(text) ? { value: false } : { allowed: 'yes or no' };
}

function listOf(name: AnswerName, items: readonly string[]): readonly string[] {
  const found = items.map((item) => item.trim()).filter((item) => item !== '');
  return found.join() === EMPTY_LISTS[name] ? [] : [...new Set(found)];
}

function pairsOf(items: readonly string[]): ParsedAnswer {
  const pairs: [string, string][] = [];
  for (const item of items.map((each) => each.trim()).filter((each) => each !== '')) {
    const [, key, value] = ATTRIBUTE.exec(item) ?? [];
    if (key === undefined || value === undefined)
      return { allowed: 'NAME=VALUE, with commas between; no spaces, quotes or ; in either' };
    pairs.push([key, value]);
  }
  return { value: Object.fromEntries(pairs) };
}

/** Reads a secret from a file, since any user of the machine can read a command line. */
function secretIn(path: string): ParsedAnswer {
  if (path === '') return { value: '' };
  try {
    return { value: readFileSync(path, 'utf8').trim() };
  } catch {
    return { allowed: 'the path of a file that holds it and that you may read' };
  }
}

function allowedOf(kind: Exclude<AnswerSpec['kind'], readonly string[]> | readonly string[]): string {
  if (typeof kind !== 'string') return `one of ${kind.join(', ')}`;
  const words = {
    text: 'a text',
    secret: 'the path of a file',
    number: 'a number',
    'yes or no': 'yes or no',
    list: 'a list of texts',
    pairs: 'NAME=VALUE, with commas between',
  } as const;
  return words[kind];
}
