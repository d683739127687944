import type { CcwbError } from '../../protocol/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { backOffMs } from '../timing.ts';
import { backOffCeilingMs, isBackingOff } from './refresh-policy.ts';

/** A failed refresh and its time, in milliseconds since the epoch. */
export type RefreshProblem = { error: CcwbError; at: number };

/** The failures of one profile's refreshes since the last success, and the back-off that follows from them. */
export type RefreshFailures = {
  /** The last failure; undefined after a success. */
  problem(): RefreshProblem | undefined;
  isBackingOff(): boolean;
  /** The time before which the scheduler does not retry, in milliseconds since the epoch. */
  notBefore(): number;
  /** Counts a failure. Returns the back-off it starts, in milliseconds. */
  add(error: CcwbError, hasUsableCredentials: boolean): number;
  /** Ends the back-off, but keeps the problem: what failed before a wake-up may succeed now. */
  endBackOff(): void;
  /** Forgets all failures. */
  clear(): void;
};

export function createRefreshFailures(edges: { clock: Clock; random(): number }): RefreshFailures {
  const { clock } = edges;
  let problem: RefreshProblem | undefined;
  let failures = 0;
  /** The time of the first of these failures. */
  let failingSince = 0;
  let notBefore = 0;
  const endBackOff = (): void => {
    failures = 0;
    notBefore = 0;
  };
  return {
    problem: () => problem,
    isBackingOff: () => isBackingOff(notBefore, clock.now()),
    notBefore: () => notBefore,
    add: (error, hasUsableCredentials) => {
      if (failures === 0) failingSince = clock.now();
      failures += 1;
      const failingForMs = clock.now() - failingSince;
      const ceilingMs = backOffCeilingMs({ retryable: error.retryable, hasUsableCredentials, failingForMs });
      const retryMs = Math.round(backOffMs(failures, edges.random(), ceilingMs));
      notBefore = clock.now() + retryMs;
      problem = { error, at: clock.now() };
      return retryMs;
    },
    endBackOff,
    clear: () => {
      problem = undefined;
      endBackOff();
    },
  };
}
