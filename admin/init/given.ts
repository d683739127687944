/** Answers known before the first prompt: from flags, a file, or an interrupted start. */
import { readFileSync } from 'node:fs';
import { CcwbError } from '../../protocol/errors.ts';
import { isObject } from '../../protocol/json.ts';
import { formatValue } from '../../protocol/profile-reader.ts';
import { ANSWER_NAMES, type AnswerName, type AnswerValue } from './names.ts';
import { parseText, parseValue } from './values.ts';

export type GivenAnswer = {
  readonly value: AnswerValue;
  /** The answer as it was written, for errors. */
  readonly written: unknown;
  /** Path of the file of answers; undefined for a flag and for an answer kept from an interrupted start. */
  readonly file?: string;
  /** True for an answer kept from an interrupted start: it may have become useless without a mistake. */
  readonly kept?: true;
};

export type GivenAnswers = ReadonlyMap<AnswerName, GivenAnswer>;

/** @throws CcwbError ERR_USAGE for a value that a flag does not allow. */
export function flagAnswers(flags: Readonly<Record<string, unknown>>): GivenAnswers {
  const given = new Map<AnswerName, GivenAnswer>();
  for (const name of ANSWER_NAMES) {
    const text = flags[camelCase(name)];
    if (typeof text !== 'string') continue;
    const parsed = parseText(name, text);
    const answer = { written: text };
    if ('allowed' in parsed) throw notAllowed(name, answer, parsed.allowed);
    given.set(name, { ...answer, value: parsed.value });
  }
  return given;
}

/**
 * Reads a file of answers, YAML or JSON: an object with the names of the flags.
 *
 * @returns the answers, and the name of the profile if the file gives one.
 * @throws CcwbError ERR_CONFIG_MISSING when it does not exist; ERR_CONFIG_INVALID with the field, the value and what
 *   is allowed.
 */
export async function fileAnswers(path: string): Promise<{ answers: GivenAnswers; profile?: string }> {
  const root = await parse(path);
  if (root === null || root === undefined) return { answers: new Map() };
  if (!isObject(root))
    throw fileInvalid(path, `${path} is ${formatValue(root)}; allowed: names of flags with their values`);
  const answers = new Map<AnswerName, GivenAnswer>();
  let profile: string | undefined;
  for (const [field, value] of Object.entries(root)) {
    if (field === 'profile') {
      if (typeof value !== 'string')
        throw fileInvalid(path, `${path}: profile is ${formatValue(value)}; allowed: a text`);
      profile = value;
      continue;
    }
    const name = ANSWER_NAMES.find((each) => each === field);
    if (name === undefined) {
      throw fileInvalid(
        path,
        `${path}: ${formatValue(field)} is no question; there are profile, ${ANSWER_NAMES.join(', ')}`,
      );
    }
    const parsed = parseValue(name, value);
    const answer = { written: value, file: path };
    if ('allowed' in parsed) throw notAllowed(name, answer, parsed.allowed);
    answers.set(name, { ...answer, value: parsed.value });
  }
  return { answers, ...(profile !== undefined && { profile }) };
}

/** Creates the error of an answer that is not allowed; it names the flag or the file. */
export function notAllowed(
  name: AnswerName,
  { written, file }: Omit<GivenAnswer, 'value'>,
  allowed: string,
): CcwbError {
  if (file !== undefined)
    return fileInvalid(file, `${file}: ${name} is ${formatValue(written)}; allowed: ${allowed}`);
  return new CcwbError(
    'ERR_USAGE',
    `--${name} is ${formatValue(written)}; allowed: ${allowed}`,
    'run ccwb init --help',
  );
}

/** Creates the error of an answer to a question that does not apply. */
export function hasNoUse(name: AnswerName, { file }: GivenAnswer): CcwbError {
  const message = `${name} does not apply to what was answered before it`;
  if (file !== undefined) return fileInvalid(file, `${file}: ${message}`);
  return new CcwbError('ERR_USAGE', `--${message}`, `leave it out, or see in docs/init.md when it is asked`);
}

function fileInvalid(path: string, message: string): CcwbError {
  return new CcwbError('ERR_CONFIG_INVALID', message, `correct ${path} (docs/init.md lists the names)`);
}

async function parse(path: string): Promise<unknown> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new CcwbError(
      'ERR_CONFIG_MISSING',
      `${path} cannot be read (${code})`,
      'pass --answers the path of a file of answers (docs/init.md has an example)',
      { cause },
    );
  }
  const { parseYaml } = await import('./yaml.ts');
  return parseYaml(text, path);
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
