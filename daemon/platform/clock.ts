import { TIMING } from '../timing.ts';
import type { Log } from './log.ts';

/** Wall clock, milliseconds since the epoch. */
export type Clock = { now(): number };

/** The wall clock as the provider and AWS have it: this machine's, corrected by what their replies tell. */
export type CorrectedClock = Clock & {
  /** What has to be added to this machine's clock, in milliseconds; 0 while the difference is too small to matter. */
  skewMs(): number;
  /** Whether the last reply told another skew than the one gone by: the next reply confirms it or not. */
  inDoubt(): boolean;
  /** A moment as this machine's clock will show it: for programs that compare it with that clock. */
  local(epochMs: number): number;
  /**
   * Learns from a reply's `Date` header (RFC 9110 6.6.1), which tells whole seconds.
   *
   * @param replyMs the header's value, its `Age` added; NaN teaches nothing.
   */
  observe(replyMs: number): void;
};

/**
 * A clock that learns its skew. Two replies in a row have to agree before it is believed: one may come from
 * a cache or from a server whose own clock is wrong.
 *
 * @param monotonic milliseconds that never jump; they stand still while the computer sleeps.
 */
export function createCorrectedClock(wall: () => number, monotonic: () => number, log: Log): CorrectedClock {
  let skewMs = 0;
  let candidateMs: number | undefined;
  let lastWall = wall();
  let lastMonotonic = monotonic();

  /**
   * Time does not run backwards: a wall clock that does was set, and what was learned of it before is off
   * by as much. One that leaps ahead may just have slept, and the next replies will tell.
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

  /** A second more or less is the header's own coarseness. */
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
