/** A profile with the answers. */
import type { AdminProfile } from '../profiles/admin-profile.ts';
import type { AnswerName, Answers } from './names.ts';
import type { Context } from './question.ts';
import { providerTypeOf } from './steps/provider-answers.ts';
import { QUESTIONS } from './steps/steps.ts';
import { sameAnswer } from './values.ts';

/**
 * Writes answers into a profile. One that says what the profile says already changes nothing, so that neither a
 * default becomes a field nor another spelling another file.
 */
export function withAnswers(
  base: AdminProfile,
  answers: Answers,
  context: Pick<Context, 'before' | 'findings' | 'env'>,
): AdminProfile {
  let profile = base;
  for (const q of QUESTIONS) {
    const answer = answers[q.name];
    if (answer === undefined) continue;
    if (context.before !== undefined && sameAnswer(q.today(profile), answer)) continue;
    profile = q.write(profile, answer, { ...context, answers, profile });
  }
  return withProviderKeys(profile, context);
}

/** Keys that AWS has to be told of a provider it does not know: discovery names them, so nobody is asked. */
function withProviderKeys(profile: AdminProfile, { findings }: Pick<Context, 'findings'>): AdminProfile {
  const { discovery } = findings;
  const { monitoring, jwksUri } = profile.infra;
  const wanted = monitoring?.domain !== undefined && providerTypeOf(profile) === 'generic';
  if (!wanted || jwksUri !== undefined || !discovery) return profile;
  return { ...profile, infra: { ...profile.infra, jwksUri: discovery.jwksUri } };
}

/** Answers without some of them. */
export function withoutAnswers(answers: Answers, names: readonly AnswerName[]): Answers {
  return Object.fromEntries(Object.entries(answers).filter(([name]) => !names.includes(name as AnswerName)));
}
