import type { CcwbError } from '../../protocol/errors.ts';

/** Something that is not as it should be yet: how it is called in the plan, and what brings it about. */
export type Change = {
  text: string;
  /** What the others stand on: when it fails nothing further is done. */
  essential?: true;
  /** @returns what has to be told of it. */
  make(): Promise<readonly string[]> | readonly string[] | undefined;
};

/** What is left to do for a person, and how. */
export type ByHand = { text: string; fix: string };

export type Plan = { changes: readonly Change[]; byHand: readonly ByHand[] };

export const NOTHING: Plan = { changes: [], byHand: [] };

/** A part of the plan that only tells a person what to do. */
export function byHand(text: string, fix: string): Plan {
  return { changes: [], byHand: [{ text, fix }] };
}

export function asByHand(what: string, { message, fix }: CcwbError): ByHand {
  return { text: `${what}: ${message}`, fix };
}
