/** The types of a question and of a step of the wizard. `steps/` has the questions themselves. */
import type { ProfileField } from '../../infra/profile/profile.ts';
import type { CallerIdentity } from '../aws/aws-identity.ts';
import type { AdminEdges } from '../edges.ts';
import type { AdminProfile } from '../profiles/admin-profile.ts';
import type { ProviderMetadata } from './discovery.ts';
import type { AnswerName, AnswerOf, Answers, StepTitle } from './names.ts';
import type { Voice } from './prompts/prompter.ts';

/** Results of the live checks that were made. */
export type LiveCheckResults = {
  readonly discovery?: ProviderMetadata;
  readonly identity?: CallerIdentity;
};

/** The state of the wizard that the rules of questions depend on. */
export type Context = {
  /** The profile as it was; undefined for a new one. */
  readonly before: AdminProfile | undefined;
  /** The profile with the answers so far. */
  readonly profile: AdminProfile;
  readonly answers: Answers;
  readonly findings: LiveCheckResults;
  readonly env: AdminEdges['env'];
};

/** The part of the context that most rules of questions use. */
export type HasProfile = Pick<Context, 'profile'>;

export type Choice<Value> = { readonly value: Value; readonly label: string; readonly hint?: string };

/** Methods rather than properties, so that questions of every kind fit into one list. */
export type Question<N extends AnswerName = AnswerName> = {
  readonly name: N;
  /** The text of the prompt. Without it nobody is asked: only a flag or a file answers. */
  message?(c: Context): string;
  /** False when the question does not apply, and an answer to it is refused. Absent: it always applies. */
  arises?(c: Context): boolean;
  /** False when nobody is asked although there is no answer. Absent: it is asked. */
  isAsked?(c: Context): boolean;
  /** Returns today's value, the meaning of an absent field included; undefined when there is none. */
  today(profile: AdminProfile): AnswerOf<N> | undefined;
  /** Returns the default for a new profile, or for a field without a value. */
  proposal?(c: Context): AnswerOf<N> | undefined;
  /** True when `--yes` does not take the default, because only a person can decide. Absent: it takes it. */
  needsPerson?(c: Context): boolean;
  /** Returns the profile with the answer. */
  write(profile: AdminProfile, answer: AnswerOf<N>, c: Context): AdminProfile;
  /** Returns the answer in its one canonical form. */
  normalise?(answer: AnswerOf<N>): AnswerOf<N>;
  /** Returns what is allowed when the answer is not; else undefined. */
  check?(answer: AnswerOf<N>, c: Context): string | undefined;
  /** Fields of the typed profile whose problems are this answer's. */
  readonly fields?: readonly ProfileField[];
  /** Choices of a menu. For a text, a number or a list the last one is to type another value. */
  choices?(c: Context): readonly Choice<AnswerOf<N>>[];
  /** The answer that flags of other questions imply. */
  readonly implied?: { readonly by: readonly AnswerName[]; readonly answer: AnswerOf<N> };
  /** An example of an answer, shown in an empty prompt. */
  readonly example?: string;
  /** True when the answer may be empty. */
  readonly optional?: boolean;
};

/** Checks a question against the kind of its own answer; a list of questions holds those of every kind. */
export function question<N extends AnswerName>(q: Question<N>): Question<N> {
  return q;
}

/** The edges that a live check uses. */
export type CheckEdges = Pick<AdminEdges, 'fetch' | 'aws' | 'env' | 'interrupted'>;

export type LiveCheck = {
  /** Name of the flag that leaves the check out; `unchecked` says what is not known then. */
  readonly flag: 'no-check-provider' | 'no-check-aws';
  readonly unchecked: string;
  /** Returns the party that is asked, e.g. `company.okta.com`. */
  asks(c: Context): string;
  /** @throws CcwbError with the problem, for a person to decide about. */
  run(c: Context, edges: CheckEdges): Promise<LiveCheckResults>;
  /** Tells what was found. */
  tell(findings: LiveCheckResults, voice: Voice, c: Context): void;
};

export type WizardStep = {
  readonly title: StepTitle;
  /** A sentence or two before its questions. */
  says?(c: Context): string;
  readonly questions: readonly Question[];
  readonly check?: LiveCheck;
  /** Returns the flags that add later what was left out; undefined when nothing was. */
  later?(profile: AdminProfile): string | undefined;
};
