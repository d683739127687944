/** Steps: the exchange of tokens for credentials, and the account and region. */
import { AUTH_OUTPUTS } from '../../../infra/outputs.ts';
import { identifyCaller, refuseOwnProgram, refuseOwnRole } from '../../aws/aws-identity.ts';
import { deployedAccount } from '../../profiles/admin-profile.ts';
import {
  DEFAULT_REGION,
  federationOf,
  LONGEST_SESSION_SECONDS,
  regionOf,
  sessionSecondsOf,
  textField,
} from '../../profiles/profile-values.ts';
import { withConfig, withInfra } from '../edit.ts';
import { type LiveCheck, question, type WizardStep } from '../question.ts';

const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;

/** Bounds of `max_session_duration` in config.json, in seconds. */
const SESSION = { least: 900, most: LONGEST_SESSION_SECONDS };
const HOURS = [1, 4, 8, 12];

export const federationStep: WizardStep = {
  title: 'Federation',
  says: () => 'How a sign-in becomes AWS credentials.',
  questions: [
    question<'federation'>({
      name: 'federation',
      message: () => 'Through which service?',
      today: federationOf,
      proposal: () => 'cognito',
      choices: () => [
        {
          value: 'cognito',
          label: 'Cognito identity pool',
          hint: 'an hour at a time; groups by any claim',
        },
        {
          value: 'direct',
          label: 'IAM alone, through STS',
          hint: 'up to 12 hours; groups as session tags',
        },
      ],
      write: (profile, type) => withConfig(profile, { federation_type: type }),
      implied: { by: ['max-session-duration'], answer: 'direct' },
    }),
    question<'max-session-duration'>({
      name: 'max-session-duration',
      message: () => 'How long do credentials last?',
      arises: ({ profile }) => federationOf(profile) === 'direct',
      today: sessionSecondsOf,
      proposal: () => SESSION.most,
      choices: () =>
        HOURS.map((hours) => ({ value: hours * 3_600, label: hours === 1 ? '1 hour' : `${hours} hours` })),
      check: (seconds) =>
        Number.isInteger(seconds) && seconds >= SESSION.least && seconds <= SESSION.most
          ? undefined
          : `a whole number of seconds from ${SESSION.least} to ${SESSION.most}`,
      write: (profile, seconds) => withConfig(profile, { max_session_duration: seconds }),
      example: '43200',
    }),
  ],
};

const check: LiveCheck = {
  flag: 'no-check-aws',
  unchecked: 'in which AWS account this will be, and whether its credentials work',
  asks: ({ profile }) => `AWS in ${regionOf(profile)}`,
  run: async ({ profile }, { aws, env, fetch, interrupted }) => {
    if (aws.credentials === undefined) await refuseOwnProgram(env);
    const { identity } = await identifyCaller(regionOf(profile), { aws, fetch }, interrupted);
    const roles = [textField(profile, 'federated_role_arn'), profile.outputs.auth?.[AUTH_OUTPUTS.roleArn]];
    refuseOwnRole(
      identity,
      roles.filter((role) => role !== undefined),
    );
    return { identity };
  },
  tell: ({ identity }, voice, { profile }) => {
    if (!identity) return;
    voice.say([`AWS account ${identity.account}`, `as ${identity.arn}`]);
    const deployed = deployedAccount(profile);
    if (deployed !== undefined && deployed !== identity.account) {
      voice.warn(
        `${profile.name} is deployed in account ${deployed}; this one would get another of that name.`,
      );
    }
  },
};

export const awsStep: WizardStep = {
  title: 'AWS account and region',
  says: () =>
    'Where everything is deployed: the account of the AWS credentials at hand (AWS_PROFILE, aws sso login), in this region.',
  questions: [
    question<'aws-region'>({
      name: 'aws-region',
      message: () => 'Region',
      today: regionOf,
      proposal: ({ env }) =>
        [env.AWS_REGION, env.AWS_DEFAULT_REGION].find((region) => region && REGION.test(region)) ??
        DEFAULT_REGION,
      write: (profile, region) => withConfig(profile, { aws_region: region }),
      fields: ['region'],
      example: 'eu-central-1',
    }),
    question<'provider-registered'>({
      name: 'provider-registered',
      today: ({ infra }) => infra.providerRegistered ?? false,
      write: (profile, is) => withInfra(profile, { providerRegistered: is || undefined }),
    }),
  ],
  check,
};
