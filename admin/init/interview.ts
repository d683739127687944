/** Goes through the steps of the wizard: each question gets its answer, and each step its live check. */
import type { AdminProfile } from '../profiles/admin-profile.ts';
import {
  answerQuestion,
  contextOf,
  type InterviewOptions,
  type InterviewState,
  profileOf,
} from './answer-question.ts';
import { hasNoUse } from './given.ts';
import { runCheck } from './live-check.ts';
import type { AnswerName, StepTitle } from './names.ts';
import type { LiveCheckResults, WizardStep } from './question.ts';
import { STEPS } from './steps/steps.ts';

export type Interview = {
  /** Results of the live checks that were made. */
  readonly findings: LiveCheckResults;
  /** Sentences about what is not known because a live check was left out. */
  readonly unchecked: readonly string[];
  /** Unanswered questions without a default, when nobody can be asked. */
  readonly missing: readonly AnswerName[];
  /** Questions with a default that nobody confirmed. */
  readonly undecided: readonly AnswerName[];
  /** Returns a profile with the answers written into it; by default the one that the interview is about. */
  profile(base?: AdminProfile): AdminProfile;
  /**
   * Goes through all steps; questions that have a valid answer are not asked.
   *
   * @param again a step whose questions are asked once more.
   * @throws CcwbError for an answer that is not allowed, for a check that failed with nobody to decide about it,
   *   and ERR_INTERRUPTED.
   */
  run(again?: WizardStep): Promise<void>;
};

export function createInterview(options: InterviewOptions): Interview {
  const state: InterviewState = { options, answers: {}, findings: {}, missing: [], undecided: [] };
  /** The party that each live check asked last; a change of it repeats the check. */
  const checked = new Map<StepTitle, string>();
  const unchecked = new Map<StepTitle, string>();
  const lacksAnswers = (): boolean => state.missing.length + state.undecided.length > 0;

  async function goThrough(step: WizardStep, asksAgain: boolean): Promise<void> {
    const heading = headingOnce(step);
    let again = asksAgain;
    do {
      for (const q of step.questions) await answerQuestion(q, state, again, heading);
      if (!lacksAnswers()) refuseUseless(step, state);
      again = true;
    } while ((await checkStep(step, heading)) === 'correct');
  }

  function headingOnce(step: WizardStep): () => void {
    let isShown = false;
    return () => {
      // The profile's name was the first question.
      const place = `${STEPS.indexOf(step) + 2} of ${STEPS.length + 1}`;
      if (!isShown) options.voice.heading(step.title, place, step.says?.(contextOf(state)));
      isShown = true;
    };
  }

  async function checkStep(step: WizardStep, heading: () => void): Promise<'done' | 'correct'> {
    const { check, title } = step;
    const asks = check?.asks(contextOf(state));
    if (!check || asks === undefined || lacksAnswers() || checked.get(title) === asks) return 'done';
    heading();
    const { voice, edges, prompter, leftOut } = options;
    const isLeftOut = leftOut.has(check.flag);
    const outcome = await runCheck(check, contextOf(state), { voice, edges, prompter, isLeftOut });
    if (outcome === 'correct') return 'correct';
    checked.set(title, asks);
    unchecked.delete(title);
    if (outcome === 'unchecked') unchecked.set(title, check.unchecked);
    else state.findings = { ...state.findings, ...outcome };
    return 'done';
  }

  return {
    get findings() {
      return state.findings;
    },
    get unchecked() {
      return [...unchecked.values()];
    },
    missing: state.missing,
    undecided: state.undecided,
    profile: (base) => profileOf(state, base),
    run: async (again) => {
      for (const step of STEPS) await goThrough(step, step === again);
    },
  };
}

/** Refuses an answer that was given and not used: it would otherwise be lost silently. */
function refuseUseless({ questions }: WizardStep, { options, answers }: InterviewState): void {
  for (const { name } of questions) {
    const given = options.given.get(name);
    if (given && !given.kept && answers[name] === undefined) throw hasNoUse(name, given);
  }
}
