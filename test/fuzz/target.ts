import type { Measure } from './measure.ts';
import type { Random } from './random.ts';

/** One kind of input from outside, and what must hold whatever it is. */
export type Target = {
  name: string;
  /** Iterations of a whole run. */
  count: number;
  /** Iterations between two looks at the process: is it well, does it answer, has it grown. */
  every: number;
  /** Iterations under way at once. */
  atOnce: number;
  open(): Promise<OpenTarget>;
};

export type OpenTarget = {
  /** @throws Failure when an invariant does not hold */
  run(random: Random): Promise<void> | void;
  /** While nothing is under way. @throws Failure */
  check(): Promise<Measure>;
  close(): Promise<void>;
};
