/** Something to remove: how it is called in the plan, and its removal. */
export type UninstallStep = {
  text: string;
  /** @returns what had to be left, and why; nothing when all of it is gone. */
  remove(): Promise<readonly string[]>;
};

/** What there is to remove, and what is left from the start. */
export type UninstallPlan = { steps: readonly UninstallStep[]; kept: readonly string[] };
