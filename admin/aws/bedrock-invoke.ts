/** One small call of a model: the one file that knows the client of Bedrock's runtime. */
import type { ClientSettings } from './aws-identity.ts';

/** A dozen tokens: only the success of the call matters, not the text. */
const PROMPT = 'Reply with the word OK.';
const MAX_TOKENS = 16;

/** Invokes a model once. @returns the number of billed tokens. Throws as the SDK does. */
export async function invokeModel(
  settings: ClientSettings,
  region: string,
  modelId: string,
  signal: AbortSignal,
): Promise<number> {
  const { BedrockRuntimeClient, ConverseCommand } = await import('@aws-sdk/client-bedrock-runtime');
  const client = new BedrockRuntimeClient({ ...settings, region });
  const { usage } = await client.send(
    new ConverseCommand({
      modelId,
      messages: [{ role: 'user', content: [{ text: PROMPT }] }],
      inferenceConfig: { maxTokens: MAX_TOKENS },
    }),
    { abortSignal: signal },
  );
  return usage?.totalTokens ?? 0;
}
