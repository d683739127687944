import { geographiesServing } from '../../infra/profile/geographies.ts';
import {
  type AwsAccount,
  AwsError,
  type AwsReply,
  type AwsService,
  authenticate,
  jsonRefusal,
  jsonSignatureErrors,
  regionOf,
  type ServiceRequest,
} from './aws-service.ts';

const contentType = 'application/json';

/** Foundation models that the account can use. */
export const sandboxModels: readonly string[] = [
  'anthropic.claude-sonnet-4-20250514-v1:0',
  'anthropic.claude-3-5-haiku-20241022-v1:0',
];

const modelPath = /^\/model\/([^/]+)\/(invoke|converse)$/;

/**
 * Amazon Bedrock: `InvokeModel` and `Converse` with one canned answer that names the caller, and the lists of
 * foundation models and inference profiles.
 */
export function bedrock(account: AwsAccount): AwsService {
  return {
    operation(request) {
      const call = modelPath.exec(request.path);
      if (call !== null) return call[2] === 'invoke' ? 'InvokeModel' : 'Converse';
      return lists[request.path];
    },
    async answer(operation, request) {
      const { arn, accessKeyId } = authenticate(request, account, 'bedrock', jsonSignatureErrors);
      const reply = (body: unknown): AwsReply => ({
        status: 200,
        contentType,
        body: JSON.stringify(body),
        accessKeyId,
      });
      const region = regionOf(request, account);
      if (operation === 'ListFoundationModels') {
        return reply({ modelSummaries: sandboxModels.map((id) => summary(id, region)) });
      }
      if (operation === 'ListInferenceProfiles') {
        return reply({ inferenceProfileSummaries: profilesIn(region).map((id) => profile(id, region)) });
      }
      const modelId = decodeURIComponent(modelPath.exec(request.path)?.[1] ?? '');
      if (account.regionsWithoutModels.has(region)) {
        const text = `User: ${arn} is not authorized to perform: bedrock:InvokeModel on resource: ${modelId}`;
        throw new AwsError('AccessDeniedException', text, 403);
      }
      if (!isKnown(modelId, region)) throw validation('The provided model identifier is invalid.');
      const text = `Hello from the sandbox. You are ${arn}.`;
      if (operation === 'InvokeModel') return reply(message(modelId, text, parseInput(request)));
      return reply(converseOutput(text, parseInput(request)));
    },
    refuse: (error) => jsonRefusal(error, contentType),
  };
}

const lists: Readonly<Record<string, string>> = {
  '/foundation-models': 'ListFoundationModels',
  '/inference-profiles': 'ListInferenceProfiles',
};

/** Finds the model, by its own id or an inference profile of the region. */
function isKnown(modelId: string, region: string): boolean {
  return [...sandboxModels, ...profilesIn(region)].includes(modelId);
}

function profilesIn(region: string): string[] {
  const serving = geographiesServing([region]).map(({ id }) => id);
  return [...serving, 'global'].flatMap((geography) => sandboxModels.map((model) => `${geography}.${model}`));
}

function profile(inferenceProfileId: string, region: string): unknown {
  return {
    inferenceProfileId,
    inferenceProfileArn: `arn:aws:bedrock:${region}:123456789012:inference-profile/${inferenceProfileId}`,
    inferenceProfileName: inferenceProfileId,
    status: 'ACTIVE',
    type: 'SYSTEM_DEFINED',
    models: [],
  };
}

function parseInput(request: ServiceRequest): Record<string, unknown> {
  try {
    const input: unknown = JSON.parse(Buffer.from(request.body).toString());
    if (typeof input === 'object' && input !== null) return input as Record<string, unknown>;
  } catch {
    // Reported below, like valid JSON that is no object.
  }
  throw validation('Malformed input request, please reformat your input and try again.');
}

/** Anthropic Messages, as Bedrock returns it from InvokeModel. */
function message(model: string, text: string, input: Record<string, unknown>): unknown {
  if (input.anthropic_version !== 'bedrock-2023-05-31') throw validation('anthropic_version: Field required');
  if (!Number.isInteger(input.max_tokens)) throw validation('max_tokens: Field required');
  if (!Array.isArray(input.messages)) throw validation('messages: Field required');
  return {
    id: `msg_bdrk_${crypto.randomUUID().replaceAll('-', '').slice(0, 24)}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 12 },
  };
}

function converseOutput(text: string, input: Record<string, unknown>): unknown {
  if (!Array.isArray(input.messages)) throw validation('messages: Field required');
  return {
    output: { message: { role: 'assistant', content: [{ text }] } },
    stopReason: 'end_turn',
    usage: { inputTokens: 10, outputTokens: 12, totalTokens: 22 },
    metrics: { latencyMs: 1 },
  };
}

function summary(modelId: string, region: string): unknown {
  return {
    modelArn: `arn:aws:bedrock:${region}::foundation-model/${modelId}`,
    modelId,
    modelName: modelId,
    providerName: 'Anthropic',
    inputModalities: ['TEXT', 'IMAGE'],
    outputModalities: ['TEXT'],
    responseStreamingSupported: true,
    customizationsSupported: [],
    inferenceTypesSupported: ['ON_DEMAND'],
    modelLifecycle: { status: 'ACTIVE' },
  };
}

function validation(text: string): AwsError {
  return new AwsError('ValidationException', text);
}
