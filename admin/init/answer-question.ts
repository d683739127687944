/** Finds the answer to one question: that of a flag or a file, of a person, or the default. */
import { CcwbError } from '../../protocol/errors.ts';
import { formatValue } from '../../protocol/profile-reader.ts';
import type { AdminEdges } from '../edges.ts';
import { type AdminProfile, emptyProfile } from '../profiles/admin-profile.ts';
import { findAnswerProblem, withAnswers } from './answered-profile.ts';
import { type GivenAnswer, type GivenAnswers, notAllowed } from './given.ts';
import { ANSWERS, type AnswerName, type AnswerSpec, type Answers, type AnswerValue } from './names.ts';
import { ask, interruption } from './prompts/ask.ts';
import type { Prompter, Voice } from './prompts/prompter.ts';
import type { Context, LiveCheck, LiveCheckResults, Question } from './question.ts';
import { EMPTY_LISTS, sameAnswer, showAnswer } from './values.ts';

export type InterviewOptions = {
  readonly name: string;
  /** The profile as it is; undefined for a new one. */
  readonly before: AdminProfile | undefined;
  readonly given: GivenAnswers;
  readonly voice: Voice;
  /** Undefined: nobody is asked. */
  readonly prompter: Prompter | undefined;
  /** True with `--yes`: questions without an answer take their default. */
  readonly takesDefaults: boolean;
  /** Live checks that are left out, by their flags. */
  readonly leftOut: ReadonlySet<LiveCheck['flag']>;
  readonly edges: AdminEdges;
  /** Called after each answer of a person. */
  keep(answers: Answers): void;
};

export type InterviewState = {
  readonly options: InterviewOptions;
  answers: Answers;
  findings: LiveCheckResults;
  readonly missing: AnswerName[];
  readonly undecided: AnswerName[];
};

/** Returns a profile with the answers so far; by default the one that the interview is about. */
export function profileOf(state: InterviewState, base = baseOf(state)): AdminProfile {
  return withAnswers(base, state.answers, viewOf(state));
}

export function contextOf(state: InterviewState): Context {
  return { ...viewOf(state), profile: profileOf(state), answers: state.answers };
}

function baseOf({ options }: InterviewState): AdminProfile {
  return options.before ?? emptyProfile(options.name);
}

function viewOf({ options, findings }: InterviewState): Pick<Context, 'before' | 'findings' | 'env'> {
  return { before: options.before, findings, env: options.edges.env };
}

/**
 * Sets the answer to a question in the state, or notes that it is missing.
 *
 * @param asksAgain whether a person is asked although there is an answer.
 * @param heading shows the heading of the step; called before anything else is shown.
 * @throws CcwbError for an answer that is not allowed; ERR_INTERRUPTED.
 */
export async function answerQuestion(
  q: Question,
  state: InterviewState,
  asksAgain: boolean,
  heading: () => void,
): Promise<void> {
  const { given, prompter } = state.options;
  const c = contextOf(state);
  const existing = state.answers[q.name];
  if (q.arises && !q.arises(c)) {
    setAnswer(q, undefined, state);
    return;
  }
  if (!asksAgain) {
    if (existing !== undefined && allowedInstead(q, existing, state) === undefined) return;
    if (existing === undefined && takeGiven(q, c, state, heading)) return;
  }
  if (!q.message) return;
  if (q.isAsked?.(c) === false) {
    // The answer belonged to the earlier answer of another question, which has changed.
    if (asksAgain && !isNewAnswer(given.get(q.name))) setAnswer(q, undefined, state);
    return;
  }
  const proposed = existing ?? defaultOf(q, c, state);
  if (!prompter) {
    const isNew = existing === undefined && state.options.before === undefined;
    takeDefault(q, isNew && q.needsPerson?.(c) ? undefined : proposed, state);
    return;
  }
  heading();
  setAnswer(q, await ask(q, c, proposed, (answer) => allowedInstead(q, answer, state), prompter), state);
  if (state.options.edges.interrupted.aborted) throw interruption();
  state.options.keep(state.answers);
}

function setAnswer(q: Question, answer: AnswerValue | undefined, state: InterviewState): void {
  const { [q.name]: _, ...others } = state.answers;
  state.answers = answer === undefined ? others : { ...others, [q.name]: answer };
}

/** Takes the answer of a flag or a file, if there is one. @returns whether there was. */
function takeGiven(q: Question, c: Context, state: InterviewState, heading: () => void): boolean {
  const { given, voice } = state.options;
  const answer = givenAnswer(q, state);
  if (answer === undefined) return false;
  setAnswer(q, answer, state);
  // An answer kept from an earlier start was shown then; the summary shows it too.
  if (given.get(q.name)?.kept) return true;
  heading();
  voice.answered(q.message?.(c) ?? ANSWERS[q.name].help, labelOf(q, c, answer));
  return true;
}

/** Returns the answer of a flag or a file, or the one that other such answers imply. @throws CcwbError if not allowed. */
function givenAnswer(q: Question, state: InterviewState): AnswerValue | undefined {
  const { given } = state.options;
  const own = given.get(q.name);
  if (own) {
    const answer = q.normalise?.(own.value) ?? own.value;
    const allowed = allowedInstead(q, answer, state);
    if (allowed === undefined) return answer;
    if (own.kept) return undefined;
    throw notAllowed(q.name, own, allowed);
  }
  return q.implied?.by.some((name) => isNewAnswer(given.get(name))) ? q.implied.answer : undefined;
}

function defaultOf(q: Question, c: Context, { options }: InterviewState): AnswerValue | undefined {
  const today = q.today(c.profile);
  const proposal = q.proposal?.(c);
  return options.before ? (today ?? proposal) : (proposal ?? today);
}

/** Takes the default where there is nobody to ask, or notes what is missing. @throws CcwbError ERR_USAGE if not allowed. */
function takeDefault(q: Question, proposed: AnswerValue | undefined, state: InterviewState): void {
  const { name, takesDefaults } = state.options;
  if (proposed === undefined) {
    state.missing.push(q.name);
    return;
  }
  const allowed = allowedInstead(q, proposed, state);
  if (allowed !== undefined) {
    const value = formatValue(ANSWERS[q.name].kind === 'secret' ? '…' : proposed);
    const message = `profile ${name}: ${q.name} would be ${value}; allowed: ${allowed}`;
    throw new CcwbError('ERR_USAGE', message, `give --${q.name}`);
  }
  setAnswer(q, proposed, state);
  if (!takesDefaults) state.undecided.push(q.name);
}

/**
 * Returns what would be allowed instead of an answer, by the question's own rule and by those of the stacks;
 * undefined when the answer is allowed.
 */
function allowedInstead(q: Question, answer: AnswerValue, state: InterviewState): string | undefined {
  const { before, name } = state.options;
  const answers: Answers = { ...state.answers, [q.name]: answer };
  const view = viewOf(state);
  if (isEmpty(q, answer)) return 'an answer, since there is no default';
  // Today's value passes: it was checked with its neighbours when it was given.
  if (before === undefined || !sameAnswer(q.today(before), answer)) {
    const profile = withAnswers(baseOf(state), answers, view);
    const allowed = q.check?.(answer, { ...view, profile, answers });
    if (allowed !== undefined) return allowed;
  }
  const alone = withAnswers(emptyProfile(name), answers, { ...view, before: undefined });
  const problem = findAnswerProblem(alone);
  return problem && q.fields?.includes(problem.field) ? problem.allowed : undefined;
}

/** Returns an answer in the words of the choice it is, where there are choices. */
function labelOf(q: Question, c: Context, answer: AnswerValue): string {
  const choice = q.choices?.(c).find(({ value }) => sameAnswer(value, answer));
  return choice?.label ?? showAnswer(q.name, answer);
}

function isNewAnswer(given: GivenAnswer | undefined): boolean {
  return given !== undefined && !given.kept;
}

function isEmpty(q: Question, answer: AnswerValue): boolean {
  const { kind }: AnswerSpec = ANSWERS[q.name];
  if (q.optional || EMPTY_LISTS[q.name] !== undefined) return false;
  return answer === '' || (kind === 'list' && Array.isArray(answer) && answer.length === 0);
}
