/** Step: the allowed models, and the regions in which they run. */

import { partitionOf } from '../../../infra/profile/partition.ts';
import { bedrockRegionsOf, globalInferenceOf, regionOf } from '../../profiles/profile-values.ts';
import { withBedrock, withClaude } from '../edit.ts';
import { type Choice, type Context, type HasProfile, question, type WizardStep } from '../question.ts';

import { expandGeographies, GEOGRAPHIES, geographiesFor, geographyOf } from './geographies.ts';

/** Ids of Anthropic's models, the only ones that Claude Code uses. */
const CLAUDE_MODELS = ['anthropic.claude-*'];
const GEOGRAPHY = /^(us|us-gov|eu|apac|jp|au|ca|global)\./;

/** Returns the reason why no user could use a model under the answers before it. */
export function modelProblem(id: string, { profile }: HasProfile): string | undefined {
  if (id === '') return undefined;
  if (!/^\S+$/.test(id)) return 'the id of a model or of an inference profile, without spaces';
  // These ids do not contain the model.
  if (id.startsWith('arn:')) return undefined;
  const geography = GEOGRAPHY.exec(id)?.[1];
  if (geography === 'global' && !globalInferenceOf(profile))
    return 'a model that is not global: global inference is off';
  const regions = GEOGRAPHIES.find((each) => each.id === geography)?.regions;
  const chosen = bedrockRegionsOf(profile);
  if (regions && !regions.some((region) => chosen.includes(region)))
    return `a model of the regions chosen: ${geography}. runs in ${regions.join(', ')}`;
  const models = profile.infra.bedrock?.models;
  if (models && !models.some((pattern) => matches(pattern, id.replace(GEOGRAPHY, ''))))
    return `a model that may be used: ${models.join(', ')}`;
  return undefined;
}

function matches(pattern: string, id: string): boolean {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${escaped}$`).test(id);
}

function regionChoices({ profile }: Context): readonly Choice<readonly string[]>[] {
  const region = regionOf(profile);
  const geographies = geographiesFor(region).map(({ id, label, regions }) => ({
    value: regions,
    label: `${label} (${id}.)`,
    hint: regions.length > 3 ? `${regions.length} regions` : regions.join(', '),
  }));
  return [...geographies, { value: [region], label: `${region} alone`, hint: 'few models are offered so' }];
}

export const bedrockStep: WizardStep = {
  title: 'Bedrock',
  says: () =>
    'Where models may run, and which. A geography is what inference profiles such as us.anthropic… route within.',
  questions: [
    question<'bedrock-regions'>({
      name: 'bedrock-regions',
      message: () => 'Where may models run?',
      today: bedrockRegionsOf,
      proposal: ({ profile }) => {
        const [own] = geographiesFor(regionOf(profile));
        return own?.regions.includes(regionOf(profile)) ? own.regions : [regionOf(profile)];
      },
      choices: regionChoices,
      normalise: expandGeographies,
      check: (regions, { profile }) =>
        regions.every((region) => partitionOf(region) === partitionOf(regionOf(profile)))
          ? undefined
          : `regions in the partition of ${regionOf(profile)}, or of ${geographiesFor(regionOf(profile))
              .map(({ id }) => id)
              .join(', ')}`,
      write: (profile, regions) => withBedrock(profile, { regions }),
      fields: ['bedrock.regions'],
      example: 'us-east-1, us-west-2',
    }),
    question<'global-inference'>({
      name: 'global-inference',
      message: () => 'Also global inference profiles? They run in any commercial region',
      arises: ({ profile }) => partitionOf(regionOf(profile)) === 'aws',
      today: globalInferenceOf,
      // Enter must not decide in which regions data may be processed.
      proposal: () => false,
      write: (profile, globalInference) => withBedrock(profile, { globalInference }),
    }),
    question<'models'>({
      name: 'models',
      message: () => 'Which models may be used?',
      today: ({ infra }) => infra.bedrock?.models ?? [],
      proposal: () => CLAUDE_MODELS,
      choices: () => [
        { value: CLAUDE_MODELS, label: 'Claude', hint: CLAUDE_MODELS.join(', ') },
        { value: [], label: 'All models of Bedrock' },
      ],
      write: (profile, models) => withBedrock(profile, { models: models.length > 0 ? models : undefined }),
      fields: ['bedrock.models'],
      example: 'anthropic.claude-sonnet-*, anthropic.claude-haiku-*',
    }),
    question<'model'>({
      name: 'model',
      message: (c) => `Model for Claude Code, such as ${exampleModel(c)} (empty: its own choice)`,
      today: ({ claude }) => claude.model ?? '',
      check: modelProblem,
      write: (profile, model) => withClaude(profile, { model: model || undefined }),
      optional: true,
    }),
    question<'haiku-model'>({
      name: 'haiku-model',
      today: ({ claude }) => claude.haikuModel ?? '',
      check: modelProblem,
      write: (profile, haikuModel) => withClaude(profile, { haikuModel: haikuModel || undefined }),
      optional: true,
    }),
  ],
};

function exampleModel({ profile }: Context): string {
  const geography = geographyOf(bedrockRegionsOf(profile))?.id;
  return `${geography === undefined ? '' : `${geography}.`}anthropic.claude-sonnet-4-6`;
}
