/** Writes answers into a profile, and checks it against the rules of AWS. */
import { findCandidateProblem } from '../../infra/profile/check-profile.ts';
import type { InfraCandidate, ProfileProblem, RegisteredProvider } from '../../infra/profile/profile.ts';
import type { AdminProfile } from '../profiles/admin-profile.ts';
import { federationProfile, withSettings } from '../profiles/infra-profile.ts';
import {
  bedrockRegionsOf,
  federationOf,
  geographiesOf,
  globalInferenceOf,
  providerOf,
  providerTypeOf,
  regionOf,
  sessionSecondsOf,
  textField,
} from '../profiles/profile-values.ts';
import { isLoopback } from './discovery.ts';
import type { Answers } from './names.ts';
import type { Context } from './question.ts';
import { QUESTIONS } from './steps/steps.ts';
import { sameAnswer } from './values.ts';

/**
 * Writes answers into a profile. An answer equal to today's value changes nothing: a default does not become a
 * field, and another spelling does not change the file.
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

/** Adds the address of a generic provider's keys, which AWS has to be told, from its discovery document. */
function withProviderKeys(profile: AdminProfile, { findings }: Pick<Context, 'findings'>): AdminProfile {
  const { discovery } = findings;
  const { monitoring, jwksUri } = profile.infra;
  const wanted = monitoring?.domain !== undefined && providerTypeOf(profile) === 'generic';
  if (!wanted || jwksUri !== undefined || !discovery) return profile;
  return { ...profile, infra: { ...profile.infra, jwksUri: discovery.jwksUri } };
}

/** Returns the first value of a profile that AWS would reject; unanswered questions are no problem. */
export function findAnswerProblem(profile: AdminProfile): ProfileProblem | undefined {
  return findCandidateProblem(candidateOf(profile));
}

function candidateOf(profile: AdminProfile): InfraCandidate {
  const { jwksUri, ...others } = profile.infra;
  const isLocal = isLoopback(providerOf(profile)?.issuer ?? '');
  return withSettings(
    {
      name: profile.name,
      identityProvider: candidateProvider(profile),
      region: regionOf(profile),
      bedrock: {
        regions: bedrockRegionsOf(profile),
        geographies: geographiesOf(profile),
        globalInference: globalInferenceOf(profile),
      },
      federation: federationProfile(federationOf(profile), sessionSecondsOf(profile)),
    },
    isLocal ? others : profile.infra,
  );
}

function candidateProvider(profile: AdminProfile): Partial<RegisteredProvider> {
  const provider = providerOf(profile);
  const type = providerTypeOf(profile);
  const clientId = textField(profile, 'client_id');
  const known = clientId === undefined ? {} : { clientId };
  // A provider on this machine is for trying the wizard and the daemon; deploying refuses it.
  if (provider && !isLoopback(provider.issuer)) {
    return { type: provider.providerType, issuer: provider.issuer, loginKey: provider.loginKey, ...known };
  }
  // The rules for user pools need the pool's issuer.
  return type === undefined || type === 'cognito' ? known : { type, ...known };
}
