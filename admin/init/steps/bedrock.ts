/** Step: the allowed models, and where they run. */

import { unservedGeographies } from '../../../infra/profile/bedrock-checks.ts';
import {
  type Geography,
  type GeographyId,
  geographiesServing,
  ownGeographies,
  PROFILE_PREFIX,
} from '../../../infra/profile/geographies.ts';
import { partitionOf } from '../../../infra/profile/partition.ts';
import type { AdminProfile } from '../../profiles/admin-profile.ts';
import {
  bedrockRegionsOf,
  geographiesOf,
  globalInferenceOf,
  regionOf,
} from '../../profiles/profile-values.ts';
import { withBedrock, withClaude } from '../edit.ts';
import { type Choice, type Context, type HasProfile, question, type WizardStep } from '../question.ts';

/** Ids of Anthropic's models, the only ones that Claude Code uses. */
const CLAUDE_MODELS = ['anthropic.claude-*'];

/** Returns the reason why no user could use a model under the answers before it. */
export function modelProblem(id: string, { profile }: HasProfile): string | undefined {
  if (id === '') return undefined;
  if (!/^\S+$/.test(id)) return 'the id of a model or of an inference profile, without spaces';
  // These ids do not contain the model.
  if (id.startsWith('arn:')) return undefined;
  const prefix = PROFILE_PREFIX.exec(id)?.[1];
  if (prefix === 'global' && !globalInferenceOf(profile))
    return 'a model that is not global: global inference is off';
  const geographies: readonly string[] = geographiesOf(profile);
  if (prefix !== undefined && prefix !== 'global' && !geographies.includes(prefix))
    return `a model of the geographies chosen: ${geographies.join(', ') || 'none'}`;
  const models = profile.infra.bedrock?.models;
  if (models && !models.some((pattern) => matches(pattern, id.replace(PROFILE_PREFIX, ''))))
    return `a model that may be used: ${models.join(', ')}`;
  return undefined;
}

function matches(pattern: string, id: string): boolean {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${escaped}$`).test(id);
}

function geographyChoices({ profile }: Context): readonly Choice<readonly string[]>[] {
  const regions = bedrockRegionsOf(profile);
  const geographies = geographiesServing(regions).map((geography) => ({
    value: [geography.id],
    label: `${geography.label} (${geography.id}.)`,
    ...(!holdsAll(geography, regions) && { hint: `data leaves ${regions.join(', ')} for there` }),
  }));
  const alone = regions.length === 1 ? `${regions[0]} alone` : 'Only in the region of the call';
  return [...geographies, { value: [], label: alone, hint: 'few models are offered so' }];
}

function holdsAll({ holds }: Geography, regions: readonly string[]): boolean {
  return regions.every((region) => holds.test(region));
}

/** Returns today's geographies; undefined when none of them serves the region, which has changed then. */
function stillServing(profile: AdminProfile): readonly GeographyId[] | undefined {
  const serving = geographiesServing(bedrockRegionsOf(profile)).map(({ id }) => id);
  const today = geographiesOf(profile);
  const still = today.filter((id) => serving.includes(id));
  return today.length > 0 && still.length === 0 ? undefined : still;
}

/** Returns the geographies of the regions; where they lie in none, those that serve them nevertheless. */
function proposedGeographies({ profile }: Context): readonly GeographyId[] {
  const regions = bedrockRegionsOf(profile);
  const own = ownGeographies(regions);
  return own.length > 0 ? own : geographiesServing(regions).map(({ id }) => id);
}

export const bedrockStep: WizardStep = {
  title: 'Bedrock',
  says: () =>
    'Where models may run, and which. A geography is what inference profiles such as us.anthropic… route within.',
  questions: [
    question<'bedrock-regions'>({
      name: 'bedrock-regions',
      today: bedrockRegionsOf,
      check: (regions, { profile }) =>
        regions.every((region) => partitionOf(region) === partitionOf(regionOf(profile)))
          ? undefined
          : `regions in the partition of ${regionOf(profile)}; --geographies takes us, eu and the like`,
      write: (profile, regions) => withBedrock(profile, { regions }),
      fields: ['bedrock.regions'],
    }),
    question<'geographies'>({
      name: 'geographies',
      message: () => 'Where may models run?',
      isAsked: ({ profile }) => geographiesServing(bedrockRegionsOf(profile)).length > 0,
      today: stillServing,
      proposal: proposedGeographies,
      // A default must not decide that data leaves the country.
      needsPerson: ({ profile }) => ownGeographies(bedrockRegionsOf(profile)).length === 0,
      choices: geographyChoices,
      check: (geographies, { profile }) => unservedGeographies(geographies, bedrockRegionsOf(profile)),
      write: (profile, geographies) =>
        withBedrock(profile, { geographies: geographies as readonly GeographyId[] }),
      example: 'jp, apac',
    }),
    question<'global-inference'>({
      name: 'global-inference',
      message: (c) =>
        `${nothingElse(c) ? 'No geography serves this region: use' : 'Also'} global inference profiles? They run in any commercial region`,
      arises: ({ profile }) => partitionOf(regionOf(profile)) === 'aws',
      today: globalInferenceOf,
      // Enter must not decide in which regions data may be processed, unless no model could be called otherwise.
      proposal: nothingElse,
      needsPerson: nothingElse,
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
    question<'guardrail'>({
      name: 'guardrail',
      today: ({ infra }) => infra.bedrock?.guardrail?.id ?? '',
      write: (profile, id) => {
        const version = profile.infra.bedrock?.guardrail?.version ?? 'DRAFT';
        return withBedrock(profile, { guardrail: id === '' ? undefined : { id, version } });
      },
      fields: ['bedrock.guardrail'],
      optional: true,
    }),
    question<'guardrail-version'>({
      name: 'guardrail-version',
      arises: ({ profile }) => profile.infra.bedrock?.guardrail !== undefined,
      today: ({ infra }) => infra.bedrock?.guardrail?.version,
      write: (profile, version) => {
        const id = profile.infra.bedrock?.guardrail?.id;
        return id === undefined ? profile : withBedrock(profile, { guardrail: { id, version } });
      },
      fields: ['bedrock.guardrail'],
    }),
    question<'mantle'>({
      name: 'mantle',
      today: ({ infra }) => infra.bedrock?.mantle ?? false,
      write: (profile, mantle) => withBedrock(profile, { mantle: mantle || undefined }),
    }),
  ],
};

/** Tells whether no model could be called except through a global inference profile. */
function nothingElse({ profile }: Context): boolean {
  return geographiesServing(bedrockRegionsOf(profile)).length === 0;
}

function exampleModel({ profile }: Context): string {
  const [geography = 'global'] = geographiesOf(profile);
  return `${geography}.anthropic.claude-sonnet-4-6`;
}
