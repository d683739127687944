import { Failure } from './failure.ts';
import { assertNotGrown, type Measure } from './measure.ts';
import { type Random, randomAt } from './random.ts';
import type { OpenTarget, Target } from './target.ts';

export type Range = { seed: number; from: number; count: number };

export type Progress = { done: number; seconds: number; measure: Measure };

/** A failure with the iterations that may have caused it: one, or a round in which nothing failed by itself. */
export class FoundFailure extends Error {
  override readonly name = 'FoundFailure';
  readonly failure: Failure;
  readonly from: number;
  readonly count: number;

  constructor(failure: Failure, from: number, count: number) {
    super(failure.message, { cause: failure });
    this.failure = failure;
    this.from = from;
    this.count = count;
  }
}

export type RunOptions = {
  /** Every so often within a round, for a person who watches. */
  onIteration?: (done: number) => void;
  /** After every look at the process. */
  onRound?: (progress: Progress) => void;
  /** Ends the run after the round under way. */
  stopping?: () => boolean;
};

/** Looks at the process at least so many times in a run, however short it is. */
const LEAST_ROUNDS = 3;

/** Runs the iterations of a range. @returns how many were run @throws FoundFailure */
export async function fuzz(target: Target, range: Range, options: RunOptions = {}): Promise<number> {
  const opened = await target.open();
  try {
    return await rounds(target, opened, range, options);
  } finally {
    await opened.close();
  }
}

async function rounds(
  target: Target,
  opened: OpenTarget,
  { seed, from, count }: Range,
  { onIteration, onRound, stopping }: RunOptions,
): Promise<number> {
  const startedAt = performance.now();
  let first: Measure | undefined;
  let done = 0;
  const every = Math.min(target.every, Math.ceil(count / LEAST_ROUNDS));
  while (done < count && !stopping?.()) {
    const size = Math.min(every, count - done);
    const start = from + done;
    await round(target, opened, { seed, from: start, count: size }, (n) => onIteration?.(done + n));
    const measure = await opened.check().catch((error: unknown) => {
      throw new FoundFailure(asFailure(error), start, size);
    });
    done += size;
    // The first round has compiled the code and filled the caches.
    first ??= measure;
    try {
      assertNotGrown(first, measure, target.name);
    } catch (error) {
      throw new FoundFailure(asFailure(error), from, done);
    }
    onRound?.({ done, seconds: (performance.now() - startedAt) / 1_000, measure });
  }
  return done;
}

/** One round: as many at once as the target takes, until one fails or all are done. */
async function round(
  target: Target,
  opened: OpenTarget,
  { seed, from, count }: Range,
  onIteration: (done: number) => void,
): Promise<void> {
  let next = 0;
  let found: FoundFailure | undefined;
  const worker = async (): Promise<void> => {
    while (next < count && !found) {
      const iteration = from + next;
      next += 1;
      try {
        const random: Random = randomAt(seed, target.name, iteration);
        const running = opened.run(random);
        if (running) await running;
      } catch (error) {
        found ??= new FoundFailure(asFailure(error), iteration, 1);
      }
      if (next % 1_000 === 0) {
        onIteration(next);
        // In-process targets would otherwise keep timers and signals waiting.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  };
  await Promise.all(Array.from({ length: target.atOnce }, worker));
  if (found) throw found;
}

function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure(error instanceof Error ? `${error.stack}` : String(error));
}
