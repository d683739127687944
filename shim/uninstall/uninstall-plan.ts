/** One removal: its line in the plan, and the action. */
export type UninstallStep = {
  text: string;
  /** @returns what was kept, and why; empty if everything was removed. */
  remove(): Promise<readonly string[]>;
};

/** Removals, and descriptions of what an uninstallation keeps. */
export type UninstallPlan = { steps: readonly UninstallStep[]; kept: readonly string[] };
