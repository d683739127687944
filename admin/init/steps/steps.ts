/** The steps of the wizard in their order. The saved profile depends on the answers alone. */
import type { Question, WizardStep } from '../question.ts';
import { question } from '../question.ts';
import { accessStep, auditStep, storageStep } from './access.ts';
import { awsStep, federationStep } from './aws.ts';
import { bedrockStep } from './bedrock.ts';
import { monitoringStep } from './monitoring.ts';
import { providerStep } from './provider.ts';

/** A first guess, which the estimate shows. */
const USERS = 100;

const costStep: WizardStep = {
  title: 'Cost',
  questions: [
    question<'users'>({
      name: 'users',
      message: () => 'How many people will use it? (for the estimate of cost)',
      today: ({ users }) => users ?? USERS,
      check: (users) =>
        Number.isSafeInteger(users) && users >= 1 ? undefined : 'a whole number of people, 1 or more',
      write: (profile, users) => ({ ...profile, users }),
    }),
  ],
};

export const STEPS: readonly WizardStep[] = [
  providerStep,
  federationStep,
  awsStep,
  bedrockStep,
  storageStep,
  accessStep,
  auditStep,
  monitoringStep,
  costStep,
];

export const QUESTIONS: readonly Question[] = STEPS.flatMap(({ questions }) => questions);
