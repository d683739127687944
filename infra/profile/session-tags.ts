/** The session tags of people behind an identity pool, and the claims that they come from. */
import type { InfraCandidate, ProfileProblem, RegisteredProvider, SessionTag } from './profile.ts';

/** Values that STS takes for a session tag; it refuses the whole session for any other. At most 256 characters. */
export const SESSION_TAG_VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u;

const SESSION_TAGS: readonly SessionTag[] = ['UserEmail', 'UserId', 'UserName'];

/**
 * Providers whose `sub` consists of letters, digits, `-` and `_`. Auth0's has a `|`, and a generic provider's may
 * be anything (OpenID Connect Core, section 2).
 */
const PLAIN_SUBJECTS: readonly RegisteredProvider['type'][] = ['okta', 'azure', 'cognito', 'google'];

/** Returns the tags of a provider's users by default: those whose value AWS never refuses. */
function safeSessionTags(type: RegisteredProvider['type']): readonly SessionTag[] {
  return PLAIN_SUBJECTS.includes(type) ? ['UserId'] : [];
}

/** Returns the claim of each tag, in the order of `SESSION_TAGS`. */
export function claimsOf(
  type: RegisteredProvider['type'],
  tags: readonly SessionTag[] = safeSessionTags(type),
): Readonly<Record<string, string>> {
  const claims: Readonly<Record<SessionTag, string>> = {
    UserEmail: 'email',
    UserId: 'sub',
    UserName: type === 'cognito' ? 'preferred_username' : 'name',
  };
  return Object.fromEntries(
    SESSION_TAGS.filter((tag) => tags.includes(tag)).map((tag) => [tag, claims[tag]]),
  );
}

export function checkSessionTags({
  sessionTags,
  identityProvider,
}: InfraCandidate): ProfileProblem | undefined {
  const known: readonly string[] = SESSION_TAGS;
  if (sessionTags && !sessionTags.every((tag) => known.includes(tag)))
    return { field: 'sessionTags', value: sessionTags, allowed: SESSION_TAGS.join(', ') };
  const { clientId, requiresClientId } = identityProvider;
  if (!requiresClientId || clientId === undefined || SESSION_TAG_VALUE.test(clientId)) return undefined;
  const allowed = 'letters, digits, spaces and _ . : / = + - @, since it becomes a session tag';
  return { field: 'clientId', value: clientId, allowed };
}
