/** Steps: the storage of the sign-in, the users with access to Bedrock, and the audit trail. */

import { LOG_RETENTION_DAYS } from '../../../infra/profile/access-checks.ts';
import type { AccessGroups } from '../../../infra/profile/profile.ts';
import type { AdminProfile } from '../../profiles/admin-profile.ts';
import { DEFAULT_RETENTION_DAYS } from '../../profiles/infra-profile.ts';
import { federationOf, providerTypeOf } from '../../profiles/profile-values.ts';

import { withConfig, withInfra } from '../edit.ts';
import { type HasProfile, question, type WizardStep } from '../question.ts';

export const storageStep: WizardStep = {
  title: 'Credentials on the computer',
  says: () => 'Where the refresh token is kept, the only secret that outlives an hour.',
  questions: [
    question<'credential-storage'>({
      name: 'credential-storage',
      message: () => 'Where is it kept?',
      today: ({ config }) => (config.credential_storage === 'keyring' ? 'keyring' : 'session'),
      proposal: () => 'keyring',
      choices: () => [
        { value: 'keyring', label: 'Keyring of the system', hint: 'one sign-in for weeks' },
        {
          value: 'session',
          label: 'A file until logout',
          hint: 'where there is no keyring, such as servers',
        },
      ],
      write: (profile, storage) => withConfig(profile, { credential_storage: storage }),
    }),
  ],
};

/** Claims of groups by type of provider, where the type has one of its own. */
const CLAIMS = { cognito: 'cognito:groups', google: 'hd' } as const;
const TAG_CLAIM = 'https://aws.amazon.com/tags/principal_tags/Team';

function usualClaim({ profile }: HasProfile): string {
  if (federationOf(profile) === 'direct') return TAG_CLAIM;
  const type = providerTypeOf(profile);
  return type === 'cognito' || type === 'google' ? CLAIMS[type] : 'groups';
}

const byGroups = ({ profile }: HasProfile): boolean => profile.infra.accessGroups !== undefined;

/** Tells whether access can be limited to groups. IAM itself sees no claim of a Google token for that. */
const canHaveGroups = ({ profile }: HasProfile): boolean =>
  federationOf(profile) === 'cognito' || providerTypeOf(profile) !== 'google';

function withGroups(profile: AdminProfile, fields: Partial<AccessGroups>): AdminProfile {
  const { accessGroups } = profile.infra;
  return accessGroups ? withInfra(profile, { accessGroups: { ...accessGroups, ...fields } }) : profile;
}

export const accessStep: WizardStep = {
  title: 'Who may use it',
  says: (c) =>
    canHaveGroups(c)
      ? 'Most decide this at the provider, by whom they assign the application to. AWS can look a second time, at groups in the token.'
      : 'Whoever can sign in: Google puts no claim into its tokens by which IAM alone could tell groups.',
  questions: [
    question<'access'>({
      name: 'access',
      message: () => 'Who may use it?',
      arises: (c) => canHaveGroups(c) || byGroups(c),
      today: ({ infra }) => (infra.accessGroups ? 'groups' : 'everyone'),
      choices: () => [
        { value: 'everyone', label: 'Everyone who can sign in to the application' },
        { value: 'groups', label: 'Members of groups', hint: 'named by a claim of the ID token' },
      ],
      write: (profile, who) =>
        withInfra(profile, {
          accessGroups: who === 'groups' ? { claim: usualClaim({ profile }), groups: [] } : undefined,
        }),
      implied: { by: ['groups', 'groups-claim', 'groups-match'], answer: 'groups' },
    }),
    question<'groups-claim'>({
      name: 'groups-claim',
      message: () => 'Claim of the ID token that holds the groups',
      arises: byGroups,
      today: ({ infra }) => infra.accessGroups?.claim,
      proposal: usualClaim,
      write: (profile, claim) => withGroups(profile, { claim }),
      fields: ['accessGroups.claim'],
    }),
    question<'groups'>({
      name: 'groups',
      message: () => 'Groups, with commas between',
      arises: byGroups,
      today: ({ infra }) => (infra.accessGroups?.groups.length ? infra.accessGroups.groups : undefined),
      write: (profile, groups) => withGroups(profile, { groups }),
      fields: ['accessGroups.groups'],
      example: 'claude-code-users',
    }),
    question<'groups-match'>({
      name: 'groups-match',
      arises: byGroups,
      today: ({ infra }) => infra.accessGroups?.match ?? 'contains',
      write: (profile, match) => withGroups(profile, { match }),
    }),
  ],
  later: ({ infra }) => (infra.accessGroups ? undefined : '--groups NAME,NAME'),
};

export const auditStep: WizardStep = {
  title: 'Audit trail',
  says: () =>
    'A CloudTrail trail of who called which model when, in a bucket of its own. An organisation that has a trail needs no second one.',
  questions: [
    question<'audit'>({
      name: 'audit',
      message: () => 'Keep an audit trail?',
      today: ({ infra }) => infra.audit !== undefined,
      write: (profile, is) =>
        withInfra(profile, { audit: is ? { retentionDays: DEFAULT_RETENTION_DAYS } : undefined }),
      implied: { by: ['audit-retention-days'], answer: true },
    }),
    question<'audit-retention-days'>({
      name: 'audit-retention-days',
      message: () => 'For how long?',
      arises: ({ profile }) => profile.infra.audit !== undefined,
      today: ({ infra }) => infra.audit?.retentionDays ?? DEFAULT_RETENTION_DAYS,
      choices: () =>
        LOG_RETENTION_DAYS.filter((days) => [30, 90, 365, 731, 2557].includes(days)).map((value) => ({
          value,
          label: `${value} days`,
        })),
      write: (profile, retentionDays) => withInfra(profile, { audit: { retentionDays } }),
      fields: ['audit.retentionDays'],
      example: '90',
    }),
  ],
  later: ({ infra }) => (infra.audit ? undefined : '--audit yes'),
};
