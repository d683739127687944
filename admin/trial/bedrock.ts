/** Steps in Bedrock: list the models of each region, and invoke one. */
import { PROFILE_PREFIX } from '../../infra/profile/geographies.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { toAdminError } from '../aws/aws-errors.ts';
import type { ClientSettings } from '../aws/aws-identity.ts';
import { invokeModel } from '../aws/bedrock-invoke.ts';
import { listModels, type Models } from '../aws/bedrock-models.ts';
import type { AdminEdges } from '../edges.ts';
import { oneLine } from '../terminal/text.ts';
import type { Caller } from './credentials.ts';
import type { Expected } from './expected.ts';
import { type StepResult, testFailure } from './steps.ts';

/** Attempts per call: a person waits, so there is only one retry. */
const ATTEMPTS = 2;

/** @throws CcwbError */
export async function findModels(
  { settings }: Caller,
  region: string,
  edges: AdminEdges,
): Promise<StepResult<Models>> {
  const models = await callBedrock(`listing the models of ${region}`, () =>
    listModels(withFewAttempts(settings), region, edges.interrupted),
  );
  const { inferenceProfiles, foundationModels } = models;
  if (inferenceProfiles.length + foundationModels.length === 0) {
    throw testFailure(
      `Bedrock has no models of Anthropic in ${region}`,
      'take another region: ccwb init, ccwb deploy',
    );
  }
  return {
    detail: `${inferenceProfiles.length} inference profiles, ${foundationModels.length} models of Anthropic`,
    value: models,
  };
}

/** @param models the models of the region; undefined when they could not be listed. @throws CcwbError */
export async function callModel(
  { settings }: Caller,
  region: string,
  models: Models | undefined,
  expected: Expected,
  edges: AdminEdges,
): Promise<StepResult<true>> {
  const model = modelFor(expected, models);
  if (model === undefined && models === undefined) {
    return { skipped: 'which models there are is not known; --model names one' };
  }
  if (model === undefined) {
    const fix = 'name one with --model, or set one with ccwb init';
    throw testFailure(`no model of the profile's is to be had in ${region}`, fix);
  }
  const tokens = await callBedrock(`invoking ${model} in ${region}`, () =>
    invokeModel(withFewAttempts(settings), region, model, edges.interrupted),
  );
  return { detail: `${model} answered (${tokens} tokens)`, value: true };
}

/** Decides which models may be called. */
type Choosable = Pick<Expected, 'model' | 'models' | 'geographies' | 'globalInference'>;

/**
 * Returns the chosen model by its id in the region, which may have another geography. Without a choice, returns
 * the smallest allowed model.
 */
export function modelFor(
  { model, models: allowed = ['*'], geographies, globalInference }: Choosable,
  models: Models | undefined,
): string | undefined {
  if (models === undefined) return model;
  const { inferenceProfiles, foundationModels } = models;
  if (model !== undefined) {
    if ([...inferenceProfiles, ...foundationModels].includes(model)) return model;
    return (
      inferenceProfiles.find((id) => baseOf(id) === baseOf(model) && geographies.includes(prefixOf(id))) ??
      model
    );
  }
  const usable = inferenceProfiles
    .filter((id) => geographies.includes(prefixOf(id)) || (globalInference && prefixOf(id) === 'global'))
    .filter((id) => allowed.some((pattern) => matches(baseOf(id), pattern)));
  // The newest of the same family, by the end of its name.
  const newest = [...usable].sort().reverse();
  return newest.find((id) => id.includes('haiku')) ?? newest.find((id) => id.includes('sonnet')) ?? newest[0];
}

/** `us.anthropic.claude-x` has `us`; a model has none. */
function prefixOf(id: string): string {
  return PROFILE_PREFIX.exec(id)?.[1] ?? '';
}

/** `us.anthropic.claude-x` is `anthropic.claude-x`. */
function baseOf(id: string): string {
  return id.replace(/^[a-z-]+\.(?=[a-z\d]+\.)/, '');
}

/** `*` and `?` as in IAM. */
function matches(id: string, pattern: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`).test(id);
}

function withFewAttempts(settings: ClientSettings): ClientSettings {
  return { ...settings, maxAttempts: ATTEMPTS };
}

/** Fixes by the name of Bedrock's error. */
const FIXES: Readonly<Record<string, string>> = {
  AccessDeniedException:
    'see that the region and the geography are among those of the auth stack (ccwb deploy), and that an administrator of the account has called the model once (Bedrock console, model catalog)',
  ResourceNotFoundException:
    'see in the Bedrock console, in that region, whether the model is there and its use case form was sent',
  ValidationException: 'name a model, or an inference profile, that this region has: --model, or ccwb init',
  ThrottlingException: 'run it again later; if it stays so, have the quota raised',
  ServiceQuotaExceededException: 'have the quota raised (Service Quotas console, Amazon Bedrock)',
  ModelNotReadyException: 'run it again in a few minutes',
};

async function callBedrock<T>(doing: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (thrown) {
    const error = toAdminError(thrown, doing);
    if (error.code === 'ERR_AWS_UNREACHABLE' || error.code === 'ERR_INTERRUPTED') throw error;
    const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown));
    const fix = FIXES[name] ?? 'see what Bedrock says; docs/testing.md has more of it';
    const text = `Bedrock refused ${doing} (${name}: ${oneLine(message)})`;
    throw new CcwbError('ERR_TEST_FAILED', text, fix, { cause: thrown });
  }
}
