/** Goes through the steps: what is given is taken, what is missing is asked or defaulted, and live checks are made. */

import { CcwbError } from '../../protocol/errors.ts';
import { formatValue } from '../../protocol/profile-reader.ts';
import type { AdminEdges } from '../edges.ts';
import { type AdminProfile, emptyProfile } from '../profiles/admin-profile.ts';
import { findAnswerProblem, withAnswers } from './answered-profile.ts';

import { type Given, type GivenAnswers, hasNoUse, notAllowed } from './given.ts';
import { runCheck } from './live-check.ts';
import {
  ANSWERS,
  type AnswerName,
  type AnswerSpec,
  type Answers,
  type AnswerValue,
  type StepTitle,
} from './names.ts';
import { ask, interruption } from './prompts/ask.ts';
import type { Prompter, Voice } from './prompts/prompter.ts';
import type { Context, Findings, LiveCheck, Question, WizardStep } from './question.ts';
import { STEPS } from './steps/steps.ts';
import { sameAnswer, showAnswer } from './values.ts';

export type InterviewOptions = {
  readonly name: string;
  /** The profile as it is; undefined for a new one. */
  readonly before: AdminProfile | undefined;
  readonly given: GivenAnswers;
  readonly voice: Voice;
  /** Undefined: nobody is asked. */
  readonly prompter: Prompter | undefined;
  /** Whether what is not answered takes its default. */
  readonly takesDefaults: boolean;
  readonly leftOut: ReadonlySet<LiveCheck['flag']>;
  readonly edges: AdminEdges;
  /** Called after each answer of a person. */
  keep(answers: Answers): void;
};

export class Interview {
  readonly #options: InterviewOptions;
  #answers: Answers = {};
  #findings: Findings = {};
  /** Questions that somebody has to answer. */
  readonly missing: AnswerName[] = [];
  /** Those that have a default, where nobody said that it may be taken. */
  readonly undecided: AnswerName[] = [];
  /** What each live check was made for, or that it was not. */
  readonly #checked = new Map<StepTitle, string>();
  readonly #unchecked = new Map<StepTitle, string>();

  constructor(options: InterviewOptions) {
    this.#options = options;
  }

  get answers(): Answers {
    return this.#answers;
  }

  get findings(): Findings {
    return this.#findings;
  }

  /** What is not known for want of a check, in words. */
  get unchecked(): string[] {
    return [...this.#unchecked.values()];
  }

  /** Anybody's profile with the answers: the one before, or as it stands on disk by now. */
  profile(base = this.#base): AdminProfile {
    return withAnswers(base, this.#answers, this.#view);
  }

  /**
   * Goes through all steps; those whose questions have their answers pass in silence.
   *
   * @param again a step whose questions are asked anew.
   * @throws CcwbError for what was given and cannot be, for a check that failed with nobody to decide about it,
   *   and ERR_INTERRUPTED.
   */
  async run(again?: WizardStep): Promise<void> {
    for (const step of STEPS) await this.#goThrough(step, step === again);
  }

  get #lacksAnswers(): boolean {
    return this.missing.length + this.undecided.length > 0;
  }

  get #base(): AdminProfile {
    return this.#options.before ?? emptyProfile(this.#options.name);
  }

  get #view(): Pick<Context, 'before' | 'findings' | 'env'> {
    return { before: this.#options.before, findings: this.#findings, env: this.#options.edges.env };
  }

  get #context(): Context {
    return { ...this.#view, profile: this.profile(), answers: this.#answers };
  }

  async #goThrough(step: WizardStep, asksAgain: boolean): Promise<void> {
    const { voice, edges, leftOut, prompter } = this.#options;
    let told = false;
    const heading = (): void => {
      // The profile's name was the first of them.
      const place = `${STEPS.indexOf(step) + 2} of ${STEPS.length + 1}`;
      if (!told) voice.heading(step.title, place, step.says?.(this.#context));
      told = true;
    };
    for (let again = asksAgain; ; again = true) {
      for (const q of step.questions) await this.#answer(q, again, heading);
      this.#refuseUseless(step);
      const { check } = step;
      const asks = check?.asks(this.#context);
      if (!check || asks === undefined || this.#lacksAnswers || this.#checked.get(step.title) === asks)
        return;
      heading();
      const outcome = await runCheck(check, this.#context, {
        voice,
        edges,
        prompter,
        isLeftOut: leftOut.has(check.flag),
      });
      if (outcome === 'correct') continue;
      this.#checked.set(step.title, asks);
      this.#unchecked.delete(step.title);
      if (outcome === 'unchecked') this.#unchecked.set(step.title, check.unchecked);
      else this.#findings = { ...this.#findings, ...outcome };
      return;
    }
  }

  async #answer(q: Question, again: boolean, heading: () => void): Promise<void> {
    const { prompter, takesDefaults, voice, keep, name } = this.#options;
    const c = this.#context;
    const there = this.#answers[q.name];
    if (q.arises && !q.arises(c)) {
      if (there !== undefined) this.#set(q, undefined);
      return;
    }
    if (!again) {
      if (there !== undefined && this.#problem(q, there) === undefined) return;
      const given = there === undefined ? this.#given(q) : undefined;
      if (given !== undefined) {
        this.#set(q, given);
        // What was kept was seen when it was given; the summary has it, too.
        if (this.#options.given.get(q.name)?.kept) return;
        heading();
        voice.answered(q.message?.(c) ?? ANSWERS[q.name].help, labelOf(q, c, given));
        return;
      }
    }
    if (!q.message) return;
    if (q.isAsked?.(c) === false) {
      // It went with an answer that is another one by now.
      if (again && !isNewAnswer(this.#options.given.get(q.name))) this.#set(q, undefined);
      return;
    }
    const proposed = there ?? this.#default(q, c);
    if (prompter) {
      heading();
      this.#set(q, await ask(q, c, proposed, (answer) => this.#problem(q, answer), prompter));
      if (this.#options.edges.interrupted.aborted) throw interruption();
      keep(this.#answers);
    } else if (proposed === undefined) this.missing.push(q.name);
    else {
      const allowed = this.#problem(q, proposed);
      if (allowed !== undefined) {
        const was = formatValue(ANSWERS[q.name].kind === 'secret' ? '…' : proposed);
        const message = `profile ${name}: ${q.name} would be ${was}; allowed: ${allowed}`;
        throw new CcwbError('ERR_USAGE', message, `give --${q.name}`);
      }
      this.#set(q, proposed);
      if (!takesDefaults) this.undecided.push(q.name);
    }
  }

  #set(q: Question, answer: AnswerValue | undefined): void {
    const { [q.name]: _, ...others } = this.#answers;
    this.#answers = answer === undefined ? others : { ...others, [q.name]: answer };
  }

  #default(q: Question, c: Context): AnswerValue | undefined {
    const today = q.today(c.profile);
    const proposal = q.proposal?.(c);
    return this.#options.before ? (today ?? proposal) : (proposal ?? today);
  }

  /** The answer of a flag or a file, or what such answers leave no doubt about. @throws CcwbError when it cannot be. */
  #given(q: Question): AnswerValue | undefined {
    const { given } = this.#options;
    const own = given.get(q.name);
    if (own) {
      const answer = q.normalise?.(own.value) ?? own.value;
      const allowed = this.#problem(q, answer);
      if (allowed === undefined) return answer;
      if (own.kept) return undefined;
      throw notAllowed(q.name, own, allowed);
    }
    return q.implied?.by.some((name) => isNewAnswer(given.get(name))) ? q.implied.answer : undefined;
  }

  /** What would be allowed instead of an answer: by the question's own rule, and by those of the stacks. */
  #problem(q: Question, answer: AnswerValue): string | undefined {
    const { before, name } = this.#options;
    const answers: Answers = { ...this.#answers, [q.name]: answer };
    if (isEmpty(q, answer)) return 'an answer, since there is no default';
    // What holds today passes: it was weighed with its neighbours when it was given.
    if (before === undefined || !sameAnswer(q.today(before), answer)) {
      const profile = withAnswers(this.#base, answers, this.#view);
      const allowed = q.check?.(answer, { ...this.#view, profile, answers });
      if (allowed !== undefined) return allowed;
    }
    const alone = withAnswers(emptyProfile(name), answers, { ...this.#view, before: undefined });
    const problem = findAnswerProblem(alone);
    return problem && q.fields?.includes(problem.field) ? problem.allowed : undefined;
  }

  /** An answer that was given and not taken was a mistake, and its author should not find out in a year. */
  #refuseUseless({ questions }: WizardStep): void {
    for (const { name } of questions) {
      const given = this.#options.given.get(name);
      if (given && !given.kept && this.#answers[name] === undefined && !this.#lacksAnswers)
        throw hasNoUse(name, given);
    }
  }
}

/** An answer as a person would have chosen it. */
function labelOf(q: Question, c: Context, answer: AnswerValue): string {
  const choice = q.choices?.(c).find(({ value }) => sameAnswer(value, answer));
  return choice?.label ?? showAnswer(q.name, answer);
}

function isNewAnswer(given: Given | undefined): boolean {
  return given !== undefined && !given.kept;
}

function isEmpty(q: Question, answer: AnswerValue): boolean {
  const { kind }: AnswerSpec = ANSWERS[q.name];
  if (q.optional || q.name === 'models') return false;
  return answer === '' || (kind === 'list' && Array.isArray(answer) && answer.length === 0);
}
