/**
 * List prices of Claude models on Amazon Bedrock, on demand, in USD for a million tokens. The dashboard
 * and the queries estimate cost with them; discounts and taxes are not known here. Edit the table when
 * prices change, and the date with it.
 *
 * Source: Anthropic's price list (platform.claude.com, "Pricing"), whose prices are those of Bedrock's
 * global inference profiles, and Bedrock's documentation of global cross-Region inference for the
 * surcharge of all others.
 */

/** Day on which the table was last compared with its source. */
export const PRICES_AS_OF = '2026-10-24';

export type ModelPrice = {
  /**
   * Found in the model ids it is for, such as `eu.anthropic.claude-opus-4-5-20251101-v1:0`. Where several
   * match, the longest is meant: `claude-opus-5` is part of `claude-opus-5-5`.
   */
  readonly model: string;
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  /** Written for five minutes, as Claude Code does by default; an hour costs more. */
  readonly cacheCreation: number;
  /** Times this when the model is not called through a global inference profile. */
  readonly regionalFactor: number;
};

function price(
  model: string,
  [input, output, cacheRead, cacheCreation]: readonly [number, number, number, number],
  regionalFactor = 1.1,
): ModelPrice {
  return { model, input, output, cacheRead, cacheCreation, regionalFactor };
}

/** Older models cost the same everywhere. */
const SAME_EVERYWHERE = 1;

export const PRICES: readonly ModelPrice[] = [
  price('claude-fable-5-1', [10, 50, 0.25, 12.5]),
  price('claude-fable-5', [10, 50, 1, 12.5]),
  price('claude-opus-5-5', [4, 20, 0.2, 5]),
  price('claude-opus-5', [5, 25, 0.5, 6.25]),
  price('claude-opus-4-8', [5, 25, 0.5, 6.25]),
  price('claude-opus-4-7', [5, 25, 0.5, 6.25]),
  price('claude-opus-4-6', [5, 25, 0.5, 6.25]),
  price('claude-opus-4-5', [5, 25, 0.5, 6.25]),
  price('claude-opus-4-1', [15, 75, 1.5, 18.75], SAME_EVERYWHERE),
  price('claude-sonnet-5-5', [2, 10, 0.1, 2.5]),
  price('claude-sonnet-5', [2, 10, 0.2, 2.5]),
  price('claude-sonnet-4-6', [3, 15, 0.3, 3.75]),
  price('claude-sonnet-4-5', [3, 15, 0.3, 3.75]),
  // Prompts over 100,000 tokens cost five times this, which sums of tokens do not tell.
  price('claude-haiku-5-5', [0.1, 0.5, 0.01, 0.125]),
  price('claude-haiku-4-5', [1, 5, 0.1, 1.25]),
];

/** Returns the price of a model id; undefined for a model that is not in the table. */
export function priceOf(modelId: string, prices: readonly ModelPrice[] = PRICES): ModelPrice | undefined {
  return prices
    .filter(({ model }) => modelId.includes(model))
    .sort((a, b) => b.model.length - a.model.length)[0];
}

/** Returns the factor for the region of a model: 1 through a global inference profile. */
export function regionFactor(modelId: string, { regionalFactor }: ModelPrice): number {
  return modelId.includes('global.') ? 1 : regionalFactor;
}
