import { TIMING } from '../timing.ts';
import type { Log } from './log.ts';

/** The wall clock, in milliseconds since the epoch. */
export type Clock = { now(): number };

/** The wall clock of this machine, corrected by the times in the replies of the provider and of AWS. */
export type CorrectedClock = Clock & {
  /** Returns the correction of this machine's clock, in milliseconds; 0 while it is too small to matter. */
  skewMs(): number;
  /** True when the last reply had a different skew; the next reply confirms it or not. */
  inDoubt(): boolean;
  /** Converts a time to this machine's clock, for programs that compare it with that clock. */
  local(epochMs: number): number;
  /**
   * Learns the skew from a reply's `Date` header (RFC 9110 6.6.1), which has whole seconds.
   *
   * @param replyMs the header's value plus the reply's `Age`; NaN is ignored.
   */
  observe(replyMs: number): void;
};

/**
 * Creates a clock that learns its skew. Two replies in a row must agree: a single one may come from a cache
 * or from a server with a wrong clock.
 *
 * @param monotonic milliseconds that never jump; they do not advance while the computer sleeps.
 */
export function createCorrectedClock(wall: () => number, monotonic: () => number, log: Log): CorrectedClock {
  let skewMs = 0;
  let candidateMs: number | undefined;
  let lastWall = wall();
  let lastMonotonic = monotonic();

  /**
   * Reads the wall clock. If it went backwards it was set, and the skew grows by as much. If it leapt ahead
   * the computer may have slept; the next replies show whether it was set.
   */
  const read = (): number => {
    const now = wall();
    const elapsed = monotonic() - lastMonotonic;
    const setBackMs = elapsed - (now - lastWall);
    if (setBackMs > TIMING.clockSetMs) {
      skewMs += setBackMs;
      candidateMs = undefined;
      log('info', 'clock set back', { durationMs: Math.round(setBackMs), skewMs: Math.round(skewMs) });
    }
    lastWall = now;
    lastMonotonic += elapsed;
    return now;
  };

  /** True if a skew is the current one, apart from the rounding of `Date` to seconds. */
  const isKnown = (seenMs: number): boolean => Math.abs(mattering(seenMs) - skewMs) <= TIMING.skewAgreementMs;

  return {
    now: () => read() + skewMs,
    skewMs: () => skewMs,
    inDoubt: () => candidateMs !== undefined && !isKnown(candidateMs),
    local: (epochMs) => epochMs - skewMs,
    observe: (replyMs) => {
      if (!Number.isFinite(replyMs)) return;
      const now = read();
      const seenMs = replyMs - now;
      const agrees = candidateMs !== undefined && Math.abs(seenMs - candidateMs) <= TIMING.skewAgreementMs;
      candidateMs = seenMs;
      if (!agrees) return;
      const learnedMs = mattering(seenMs);
      if (learnedMs === skewMs || (learnedMs !== 0 && isKnown(seenMs))) return;
      skewMs = learnedMs;
      log('info', 'clock skew learned', { skewMs: Math.round(skewMs) });
    },
  };
}

function mattering(skewMs: number): number {
  return Math.abs(skewMs) < TIMING.skewMinMs ? 0 : skewMs;
}
