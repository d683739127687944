import type { InfraCandidate, ProfileProblem } from './profile.ts';

// Cognito's limit of rules for one provider.
const GROUPS_MOST = 25;

/** Retention periods that CloudWatch Logs accepts for a log group, in days. */
export const LOG_RETENTION_DAYS: readonly number[] = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/**
 * The claim that STS turns into the session tag of that name: the only part of a token that a trust policy
 * can ask for beyond its audience and subject (IAM user guide, "Passing session tags in AWS STS").
 */
const TAG_CLAIM = /^https:\/\/aws\.amazon\.com\/tags\/principal_tags\/([\w.:+=@-]{1,128})$/;

/** Name of the session tag a claim becomes, or undefined for a claim that IAM cannot see. */
export function sessionTagOf(claim: string): string | undefined {
  const tag = TAG_CLAIM.exec(claim)?.[1];
  return tag?.startsWith('aws:') ? undefined : tag;
}

export function checkAccessGroups(profile: InfraCandidate): ProfileProblem | undefined {
  const { accessGroups, federation, identityProvider } = profile;
  if (!accessGroups) return undefined;
  const { claim, groups } = accessGroups;
  if (federation.type === 'direct' && identityProvider.type === 'google') {
    // Google puts no claim of the customer's into its tokens.
    const allowed = 'none for direct federation with Google; federate through Cognito and use hd, say';
    return { field: 'accessGroups.claim', value: claim, allowed };
  }
  if (federation.type === 'direct' && sessionTagOf(claim) === undefined) {
    const allowed =
      'for direct federation only https://aws.amazon.com/tags/principal_tags/NAME: IAM sees no other claim ' +
      'of a token that could name a group; have the provider add it, or federate through Cognito';
    return { field: 'accessGroups.claim', value: claim, allowed };
  }
  if (!/^[\p{L}\p{M}\p{S}\p{N}\p{P}]{1,64}$/u.test(claim)) {
    return { field: 'accessGroups.claim', value: claim, allowed: '1 to 64 characters without spaces' };
  }
  // An asterisk or a question mark would be a wildcard to a reader, and is none to AWS.
  const wellFormed = groups.every((group) => /^[^\s*?](?:[^*?\p{C}]{0,126}[^\s*?])?$/u.test(group));
  if (groups.length > 0 && groups.length <= GROUPS_MOST && wellFormed) return undefined;
  const allowed = `1 to ${GROUPS_MOST} groups of 1 to 128 characters without * and ?`;
  return { field: 'accessGroups.groups', value: groups, allowed };
}

export function checkAudit({ audit }: InfraCandidate): ProfileProblem | undefined {
  if (!audit || LOG_RETENTION_DAYS.includes(audit.retentionDays)) return undefined;
  return { field: 'audit.retentionDays', value: audit.retentionDays, allowed: RETENTION_ALLOWED };
}

export const RETENTION_ALLOWED = `a number of days that CloudWatch Logs knows: ${LOG_RETENTION_DAYS.join(', ')}`;
