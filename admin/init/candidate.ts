/** Whether AWS could take a profile: the rules of the stacks, also while answers are still missing. */
import { findProfileProblem } from '../../infra/profile/check-profile.ts';
import type { InfraProfile, ProfileProblem } from '../../infra/profile/profile.ts';
import { type AdminProfile, PROFILE_SCHEMA } from '../profiles/admin-profile.ts';
import { withSettings } from '../profiles/infra-file.ts';
import { isLoopback } from './discovery.ts';
import { federationOf, regionOf } from './steps/aws.ts';
import { bedrockRegionsOf, globalInferenceOf } from './steps/bedrock.ts';
import { providerOf, providerTypeOf } from './steps/provider-answers.ts';

/** A profile that says nothing yet. */
export function emptyProfile(name: string): AdminProfile {
  return { schema: PROFILE_SCHEMA, name, config: {}, infra: {}, claude: {}, outputs: {} };
}

/** Stand for what is not answered yet: nothing is wrong with them, and nobody gets to see them. */
const UNANSWERED = {
  issuer: 'https://sso.company.example',
  clientId: 'client',
  jwksUri: 'https://sso.company.example/keys',
};
// IAM does not let a role's longest session be shorter; users may ask for less.
const LEAST_ROLE_SESSION_SECONDS = 3_600;

/** The first thing that AWS would not take, in what is answered. */
export function findCandidateProblem(profile: AdminProfile): ProfileProblem | undefined {
  return findProfileProblem(typedProfile(profile));
}

function typedProfile(profile: AdminProfile): InfraProfile {
  const typed = withSettings(
    {
      name: profile.name,
      identityProvider: typedProvider(profile),
      region: regionOf(profile),
      bedrock: { regions: bedrockRegionsOf(profile), globalInference: globalInferenceOf(profile) },
      federation:
        federationOf(profile) === 'cognito'
          ? { type: 'cognito' }
          : { type: 'direct', maxSessionSeconds: sessionSeconds(profile) },
    },
    profile.infra,
  );
  // Whether it is known is seen at the end: it is asked after what it is for.
  const isHere = isLoopback(providerOf(profile)?.issuer ?? '');
  const jwksUri = (isHere ? undefined : typed.identityProvider.jwksUri) ?? UNANSWERED.jwksUri;
  return { ...typed, identityProvider: { ...typed.identityProvider, jwksUri } };
}

function typedProvider(profile: AdminProfile): InfraProfile['identityProvider'] {
  const provider = providerOf(profile);
  const clientId = String(profile.config.client_id ?? UNANSWERED.clientId);
  // A provider on this machine is for trying the wizard and the daemon; deploying refuses it.
  if (!provider || isLoopback(provider.issuer)) {
    const type = providerTypeOf(profile) === 'cognito' ? 'generic' : (providerTypeOf(profile) ?? 'generic');
    const { issuer } = UNANSWERED;
    return { type, issuer, loginKey: issuer.replace('https://', ''), clientId };
  }
  return { type: provider.providerType, issuer: provider.issuer, loginKey: provider.loginKey, clientId };
}

function sessionSeconds({ config }: AdminProfile): number {
  return Math.max(Number(config.max_session_duration ?? 43_200), LEAST_ROLE_SESSION_SECONDS);
}
