/**
 * The least number of refresh grants with which a week could have been lived through, worked out without any
 * of the daemon's code.
 *
 * Advantages of the oracle: it knows the whole week in advance, acts at any moment rather than on
 * a tick, and no call takes it any time. None of that is possible; each makes the bound lower, and so the
 * comparison stricter. What binds it binds the daemon too:
 * - An ID token of an hour is exchanged only while it has more than 5 minutes left.
 * - Credentials last an hour from their exchange. They have to have more than `renewWithMs` left at every
 *   moment of `needed`.
 * - The provider can be asked only at moments of `providerReachable`, AWS only at those of `awsReachable`.
 * - A daemon that starts has neither ID token nor credentials: both live in memory only.
 */
import { contains, type Interval } from './intervals.ts';
import { HOUR, MINUTE } from './plan.ts';

const ID_TOKEN_USABLE_MS = HOUR - 5 * MINUTE;
const CREDENTIALS_MS = HOUR;

export type Obligation = {
  /** One daemon's life. */
  life: Interval;
  /** Intervals that need valid credentials. Every moment lies in `providerReachable` and in `awsReachable`. */
  needed: readonly Interval[];
  awsReachable: readonly Interval[];
  renewWithMs: number;
};

/**
 * Greedy: at the first needed moment that nothing covers, one grant is made right then. A grant at `g` covers
 * the time up to `coveredUntil(g)`, which never falls as `g` grows. So of all grants that could cover that
 * moment the latest possible one, made at the moment itself, covers the longest; any other schedule can have
 * its grant moved there without losing anything needed. Hence no schedule has fewer.
 */
export function leastGrants(obligations: readonly Obligation[]): number {
  return obligations.reduce((sum, obligation) => sum + leastInOneLife(obligation), 0);
}

function leastInOneLife({ life, needed, awsReachable, renewWithMs }: Obligation): number {
  let grants = 0;
  let covered = life.from;
  for (const { from, to } of [...needed].sort((a, b) => a.from - b.from)) {
    const end = Math.min(to, life.to);
    for (let at = Math.max(from, covered, life.from); at < end; at = covered) {
      grants += 1;
      covered = coveredUntil(at, awsReachable) - renewWithMs;
    }
  }
  return grants;
}

/** Until when the credentials last that a grant at this moment can bring: of its ID token's last exchange. */
function coveredUntil(grant: number, awsReachable: readonly Interval[]): number {
  const unusable = grant + ID_TOKEN_USABLE_MS;
  let lastExchange = grant;
  for (const interval of awsReachable) {
    if (contains(interval, unusable)) lastExchange = unusable;
    else if (interval.from <= unusable)
      lastExchange = Math.max(lastExchange, Math.min(interval.to, unusable));
  }
  return lastExchange + CREDENTIALS_MS;
}
