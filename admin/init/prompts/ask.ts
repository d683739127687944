/** One question to a person at the terminal. */
import { CcwbError } from '../../../protocol/errors.ts';
import { ANSWERS, type AnswerSpec, type AnswerValue } from '../names.ts';
import type { Choice, Context, Question } from '../question.ts';
import { parseText, sameAnswer, showAnswer } from '../values.ts';
import { type Prompter, STOPPED } from './prompter.ts';

/** Returns what is allowed when an answer is not; undefined when it is. */
export type AnswerRule = (answer: AnswerValue) => string | undefined;

/**
 * Asks until there is an answer that is allowed.
 *
 * @param proposed what Enter takes.
 * @throws CcwbError ERR_INTERRUPTED after Ctrl-C or Ctrl-D.
 */
export async function ask(
  q: Question,
  c: Context,
  proposed: AnswerValue | undefined,
  judge: AnswerRule,
  prompter: Prompter,
): Promise<AnswerValue> {
  for (;;) {
    const answer = await askOnce(q, c, proposed, judge, prompter);
    const allowed = judge(answer);
    if (allowed === undefined) return answer;
    prompter.warn(`Allowed: ${allowed}`);
  }
}

async function askOnce(
  q: Question,
  c: Context,
  proposed: AnswerValue | undefined,
  judge: AnswerRule,
  prompter: Prompter,
): Promise<AnswerValue> {
  const message = q.message?.(c) ?? q.name;
  if (ANSWERS[q.name].kind === 'yes or no')
    return answered(await prompter.yesNo({ message, initial: proposed === true }));
  const choices = q.choices?.(c);
  if (!choices) return type(q, message, proposed, judge, prompter);
  const offered = offeredChoices(q, choices, proposed);
  const initial = offered.findIndex(({ value }) => sameAnswer(value, proposed));
  const index = answered(await prompter.choose({ message, choices: offered, initial: Math.max(initial, 0) }));
  const chosen = offered[index]?.value;
  return chosen === undefined ? type(q, message, undefined, judge, prompter) : chosen;
}

type Offered = { readonly value: AnswerValue | undefined; readonly label: string; readonly hint?: string };

/** Returns the choices with today's value among them, and with typing another where the kind has more values. */
function offeredChoices(
  { name }: Question,
  choices: readonly Choice<AnswerValue>[],
  proposed: AnswerValue | undefined,
): Offered[] {
  const { kind }: AnswerSpec = ANSWERS[name];
  const there = proposed === undefined || choices.some(({ value }) => sameAnswer(value, proposed));
  return [
    ...(there ? [] : [{ value: proposed, label: showAnswer(name, proposed), hint: 'as it is' }]),
    ...choices,
    ...(typeof kind === 'string' ? [{ value: undefined, label: 'Something else' }] : []),
  ];
}

async function type(
  q: Question,
  message: string,
  proposed: AnswerValue | undefined,
  judge: AnswerRule,
  prompter: Prompter,
): Promise<AnswerValue> {
  const secret = ANSWERS[q.name].kind === 'secret';
  const shown = proposed === undefined ? '' : secret ? String(proposed) : showAnswer(q.name, proposed);
  const read = (typed: string): { value: AnswerValue } | { allowed: string } => {
    // The answer is used as selected: parsing it again would split a name with a comma.
    if (proposed !== undefined && typed.trim() === shown) return { value: proposed };
    if (typed === '' && !q.optional) return proposed === undefined ? NOTHING : { value: proposed };
    // At a terminal the person types the secret itself, without echo.
    const parsed = secret ? { value: typed.trim() } : parseText(q.name, typed);
    return 'allowed' in parsed || !q.normalise ? parsed : { value: q.normalise(parsed.value) };
  };
  const prompt = {
    message,
    ...(shown !== '' && !secret && (q.optional ? { initial: shown } : { fallback: shown })),
    ...(q.example !== undefined && { example: q.example }),
    ...(q.optional && { optional: true }),
    validate: (typed: string): string | undefined => {
      const found = read(typed);
      const allowed = 'allowed' in found ? found.allowed : judge(found.value);
      return allowed === undefined ? undefined : `Allowed: ${allowed}`;
    },
  };
  const found = read(answered(await (secret ? prompter.secret(prompt) : prompter.text(prompt))));
  return 'value' in found ? found.value : '';
}

const NOTHING = { allowed: 'an answer, since there is no default' };

/** @throws CcwbError ERR_INTERRUPTED */
export function answered<T>(answer: T | typeof STOPPED): T {
  if (answer === STOPPED) throw interruption();
  return answer;
}

/** Returns the error of an interruption; `run.ts` adds that answers are kept, where they are. */
export function interruption(): CcwbError {
  return new CcwbError(
    'ERR_INTERRUPTED',
    'interrupted before the first answer; nothing was saved',
    'run ccwb init again',
  );
}
