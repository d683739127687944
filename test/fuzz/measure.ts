import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Failure } from './failure.ts';

/** What a process holds: `descriptors` is 0 where there is no /proc. Sizes in bytes, the heap after a collection. */
export type Measure = { heap: number; resident: number; descriptors: number };

/** Of this process, after all garbage is collected. */
export function measured(): Measure {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // Twice: what has a finalizer goes in the second.
  collect();
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, resident: rss, descriptors: descriptors() };
}

function descriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

/**
 * Most that a process may grow after its first measure. Not by rate: whatever is kept for each of hundreds
 * of thousands of requests, be it ten bytes, passes a constant. Eight MiB is several times what compiled code,
 * its feedback and the few things kept for a minute were seen to take; sixteen descriptors are more than
 * the connections kept alive to the provider and to AWS.
 */
export const MOST_GROWTH = { heap: 8 * 2 ** 20, descriptors: 16 } as const;

/** @throws Failure when it has grown by more than {@link MOST_GROWTH} */
export function assertNotGrown(first: Measure, now: Measure, whose: string): void {
  for (const what of ['heap', 'descriptors'] as const) {
    const growth = now[what] - first[what];
    if (growth > MOST_GROWTH[what])
      throw new Failure(`${what} of ${whose} grew by ${growth}, from ${first[what]} to ${now[what]}`);
  }
}
