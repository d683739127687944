/** Lists the models of a region: the one file that knows the client of Bedrock's control plane. */
import type { ClientSettings } from './aws-identity.ts';

/** Ids by which models can be invoked. */
export type Models = {
  /** `us.anthropic.claude-…`, `global.…`: what AWS offers in the region. */
  readonly inferenceProfiles: readonly string[];
  /** `anthropic.claude-…`. */
  readonly foundationModels: readonly string[];
};

const PROVIDER = 'anthropic';

/** Throws as the SDK does. */
export async function listModels(
  settings: ClientSettings,
  region: string,
  signal: AbortSignal,
): Promise<Models> {
  const { BedrockClient, ListFoundationModelsCommand, paginateListInferenceProfiles } = await import(
    '@aws-sdk/client-bedrock'
  );
  const client = new BedrockClient({ ...settings, region });
  const { modelSummaries = [] } = await client.send(
    new ListFoundationModelsCommand({ byProvider: PROVIDER }),
    { abortSignal: signal },
  );
  const inferenceProfiles: string[] = [];
  for await (const page of paginateListInferenceProfiles({ client }, { typeEquals: 'SYSTEM_DEFINED' })) {
    signal.throwIfAborted();
    const active = (page.inferenceProfileSummaries ?? []).filter(({ status }) => status === 'ACTIVE');
    inferenceProfiles.push(
      ...active.flatMap(({ inferenceProfileId: id }) => (id?.includes(PROVIDER) ? [id] : [])),
    );
  }
  return {
    inferenceProfiles,
    foundationModels: modelSummaries.flatMap(({ modelId }) => (modelId === undefined ? [] : [modelId])),
  };
}
