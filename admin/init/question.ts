/** What a question and a step of the wizard are. The questions themselves stand in the files of their steps. */
import type { ProfileField } from '../../infra/profile/profile.ts';
import type { CallerIdentity } from '../aws/aws-identity.ts';
import type { AdminEdges } from '../edges.ts';
import type { AdminProfile } from '../profiles/admin-profile.ts';
import type { ProviderMetadata } from './discovery.ts';
import type { AnswerName, AnswerOf, Answers, StepTitle } from './names.ts';
import type { Voice } from './prompts/prompter.ts';

/** What live checks found, as far as they were made. */
export type Findings = {
  readonly discovery?: ProviderMetadata;
  readonly identity?: CallerIdentity;
};

/** What questions are asked in view of. */
export type Context = {
  /** The profile as it was; undefined for a new one. */
  readonly before: AdminProfile | undefined;
  /** The profile with the answers so far. */
  readonly profile: AdminProfile;
  readonly answers: Answers;
  readonly findings: Findings;
  readonly env: AdminEdges['env'];
};

/** The part of the context that most rules of questions use. */
export type HasProfile = Pick<Context, 'profile'>;

export type Choice<Value> = { readonly value: Value; readonly label: string; readonly hint?: string };

/** Methods rather than properties, so that questions of every kind fit into one list. */
export type Question<N extends AnswerName = AnswerName> = {
  readonly name: N;
  /** As it is asked. Without it nobody is asked: only a flag or a file answers. */
  message?(c: Context): string;
  /** Whether it arises at all; always when absent. An answer to one that does not is refused. */
  arises?(c: Context): boolean;
  /** Whether it is asked when it arises and has no answer; always when absent. */
  isAsked?(c: Context): boolean;
  /** What the profile says today, what an absent field means included; undefined when it says nothing. */
  today(profile: AdminProfile): AnswerOf<N> | undefined;
  /** What is proposed for a new profile, or where the profile says nothing. */
  proposal?(c: Context): AnswerOf<N> | undefined;
  /** The profile with the answer. */
  write(profile: AdminProfile, answer: AnswerOf<N>, c: Context): AdminProfile;
  /** The answer in one form, whatever its author preferred. */
  normalise?(answer: AnswerOf<N>): AnswerOf<N>;
  /** What would be allowed, for an answer that is not. */
  check?(answer: AnswerOf<N>, c: Context): string | undefined;
  /** Fields of the typed profile whose problems are this answer's. */
  readonly fields?: readonly ProfileField[];
  /** To choose from; for a text, a number or a list the last choice is to type another. */
  choices?(c: Context): readonly Choice<AnswerOf<N>>[];
  /** The answer that others, given beforehand, leave no doubt about. */
  readonly implied?: { readonly by: readonly AnswerName[]; readonly answer: AnswerOf<N> };
  /** An answer like it, for whoever has to type one. */
  readonly example?: string;
  /** Whether it may be left empty. */
  readonly optional?: boolean;
};

/** Checks a question against the kind of its own answer; a list of questions holds those of every kind. */
export function question<N extends AnswerName>(q: Question<N>): Question<N> {
  return q;
}

/** What a live check may use. */
export type CheckEdges = Pick<AdminEdges, 'fetch' | 'aws' | 'env' | 'interrupted'>;

export type LiveCheck = {
  /** Name of the flag that leaves it out, and what is then not known. */
  readonly flag: 'no-check-provider' | 'no-check-aws';
  readonly unchecked: string;
  /** What is being asked, e.g. `company.okta.com`. */
  asks(c: Context): string;
  /** @throws CcwbError what is wrong, for a person to decide about. */
  run(c: Context, edges: CheckEdges): Promise<Findings>;
  /** Tells what was found. */
  tell(findings: Findings, voice: Voice, c: Context): void;
};

export type WizardStep = {
  readonly title: StepTitle;
  /** A sentence or two before its questions. */
  says?(c: Context): string;
  readonly questions: readonly Question[];
  readonly check?: LiveCheck;
  /** What to say when it was left out: how to do it later. Undefined when it was not. */
  later?(profile: AdminProfile): string | undefined;
};
