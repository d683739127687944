import type { CcwbError } from '../../protocol/errors.ts';

/** A change that the installation needs: its line in the plan, and the action. */
export type InstallChange = {
  text: string;
  /** The changes after it depend on it: if it fails, the installation stops. */
  essential?: true;
  /** @returns notes for the user. */
  apply(): Promise<readonly string[]> | readonly string[] | undefined;
};

/** Something that the user has to do, and how. */
export type ManualStep = { text: string; fix: string };

export type InstallPlan = { changes: readonly InstallChange[]; manualSteps: readonly ManualStep[] };

export const NO_CHANGES: InstallPlan = { changes: [], manualSteps: [] };

/** Returns a plan without changes, with one manual step. */
export function manualStep(text: string, fix: string): InstallPlan {
  return { changes: [], manualSteps: [{ text, fix }] };
}

/** Returns the manual step for a change that failed. */
export function manualStepAfter(what: string, { message, fix }: CcwbError): ManualStep {
  return { text: `${what}: ${message}`, fix };
}
