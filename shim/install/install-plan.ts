import type { CcwbError } from '../../protocol/errors.ts';

/** Something that is not as it should be yet: how it is called in the plan, and what brings it about. */
export type InstallChange = {
  text: string;
  /** What the others stand on: when it fails nothing further is done. */
  essential?: true;
  /** @returns what has to be told of it. */
  apply(): Promise<readonly string[]> | readonly string[] | undefined;
};

/** What is left to do for a person, and how. */
export type ManualStep = { text: string; fix: string };

export type InstallPlan = { changes: readonly InstallChange[]; manualSteps: readonly ManualStep[] };

export const NO_CHANGES: InstallPlan = { changes: [], manualSteps: [] };

/** A part of the plan that only tells a person what to do. */
export function manualStep(text: string, fix: string): InstallPlan {
  return { changes: [], manualSteps: [{ text, fix }] };
}

export function manualStepAfter(what: string, { message, fix }: CcwbError): ManualStep {
  return { text: `${what}: ${message}`, fix };
}
