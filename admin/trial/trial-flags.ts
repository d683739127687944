import type { ProfileFlags } from '../profiles/chosen-profile.ts';

export type TrialFlags = ProfileFlags & {
  readonly package?: string;
  /** The folder in which packages are looked for. */
  readonly output: string;
  readonly runtimeDir?: string;
  readonly api?: true;
  readonly model?: string;
  readonly device?: true;
  /** False with --no-browser. */
  readonly browser: boolean;
  /** Seconds. */
  readonly timeout: string;
  readonly json?: true;
};
