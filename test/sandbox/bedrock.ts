import {
  type AwsAccount,
  AwsError,
  type AwsReply,
  type AwsRequest,
  type AwsService,
  authenticate,
  jsonRefusal,
  jsonSignatureErrors,
} from './aws-service.ts';

const contentType = 'application/json';

/** Foundation models that the account can use. */
export const sandboxModels = [
  'anthropic.claude-sonnet-4-20250514-v1:0',
  'anthropic.claude-3-5-haiku-20241022-v1:0',
] as const;

const modelPath = /^\/model\/([^/]+)\/(invoke|converse)$/;

/** Amazon Bedrock: `InvokeModel`, `Converse` and `ListFoundationModels` with one canned answer that names the caller. */
export function bedrock(account: AwsAccount): AwsService {
  return {
    operation(request) {
      const call = modelPath.exec(request.path);
      if (call !== null) return call[2] === 'invoke' ? 'InvokeModel' : 'Converse';
      return request.path === '/foundation-models' ? 'ListFoundationModels' : undefined;
    },
    async answer(operation, request) {
      const { arn, accessKeyId } = authenticate(request, account, 'bedrock', jsonSignatureErrors);
      const reply = (body: unknown): AwsReply => ({
        status: 200,
        contentType,
        body: JSON.stringify(body),
        accessKeyId,
      });
      if (operation === 'ListFoundationModels') return reply({ modelSummaries: sandboxModels.map(summary) });
      const modelId = decodeURIComponent(modelPath.exec(request.path)?.[1] ?? '');
      if (!isKnown(modelId)) throw validation('The provided model identifier is invalid.');
      const text = `Hello from the sandbox. You are ${arn}.`;
      if (operation === 'InvokeModel') return reply(message(modelId, text, parseInput(request)));
      return reply(converseOutput(text, parseInput(request)));
    },
    refuse: (error) => jsonRefusal(error, contentType),
  };
}

/** The model itself or an inference profile of it (`us.`, `eu.`, `global.` …). */
function isKnown(modelId: string): boolean {
  const model = modelId.replace(/^[a-z-]+\.(?=anthropic\.)/, '');
  return sandboxModels.some((known) => known === model);
}

function parseInput(request: AwsRequest): Record<string, unknown> {
  try {
    const input: unknown = JSON.parse(Buffer.from(request.body).toString());
    if (typeof input === 'object' && input !== null) return input as Record<string, unknown>;
  } catch {
    // Said below.
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

function summary(modelId: string): unknown {
  return {
    modelArn: `arn:aws:bedrock:us-east-1::foundation-model/${modelId}`,
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
