/**
 * The timing policy: when to refresh, how long to wait, how often to try. Every constant with its reason;
 * a test pins them.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

export const TIMING = {
  /**
   * Time left at which a refresh of 1 h credentials starts. Ten minutes of retries fit before the first SDK
   * asks again (botocore and .NET, at 15 min).
   */
  refreshAtMs: 25 * MINUTE,
  /** Spread of the refresh per daemon, so that a company does not refresh in the same second. */
  refreshJitterMs: 3 * MINUTE,
  /** An answer with less time left waits for a refresh first. Below 15 min the AWS CLI starts the shim for every call. */
  answerLifeMs: 20 * MINUTE,
  /** The same for sessions of two hours and more: an hour of work and a minute to spare. */
  longAnswerLifeMs: 61 * MINUTE,
  /** Wait of a caller for a refresh when no credentials are valid: shorter than the shim waits for the daemon. */
  answerWaitMs: 4_500,
  /** Wait of a caller for better credentials while valid ones have little time left. */
  staleWaitMs: 2 * SECOND,
  /** Credentials with less time left are not returned: they would expire on their way. */
  usableLifeMs: 5 * SECOND,
  /** An ID token is used while it has more time left: the refresh token is spent as seldom as possible. */
  idTokenLifeMs: 5 * MINUTE,
  /**
   * Least time left of an ID token in telemetry headers. Claude Code requests the headers every 29 minutes
   * and uses them until then.
   */
  headerLifeMs: 29 * MINUTE,
  /** Wait of telemetry for an ID token: with its start the helper stays under 300 ms. */
  telemetryWaitMs: 200,
  /** ID tokens are kept fresh for telemetry requested within this time: two intervals of Claude Code. */
  telemetryInterestMs: 60 * MINUTE,
  /** Lead of such a renewal, and the least time between two of them: several ticks. */
  telemetryRetryMs: 1 * MINUTE,
  /** Wall-clock tick: timers on the monotonic clock do not fire after a sleep. */
  tickMs: 15 * SECOND,
  /**
   * Lead of a last exchange of an ID token before it may no longer be used: two ticks, so that one may be
   * late. It delays the next use of the refresh token by up to half an hour.
   */
  lastExchangeMs: 30 * SECOND,
  /** Least time that the credentials must gain by that exchange. */
  lastExchangeGainMs: 10 * MINUTE,
  /** Credentials that seem to have gained more time than this show that the clock was set back. */
  clockJumpMs: 1 * MINUTE,
  /** First and last ceiling of the back-off after a fault, with full jitter. */
  backOffFirstMs: 1 * SECOND,
  backOffLastMs: 5 * MINUTE,
  /**
   * Last ceiling for a passing fault while valid credentials wait to be renewed, and always in the first hour
   * of an outage: its end must be noticed within a minute.
   */
  backOffSoonMs: 30 * SECOND,
  /** Length of that hour. After it no credentials are valid any more, and a caller's request causes a retry. */
  backOffPatienceMs: 60 * MINUTE,
  /** Limit of the request to the authorization endpoint before a browser opens it; not worth a long wait. */
  preflightMs: 3 * SECOND,
  /** Limit of one call to the provider or to AWS, connection included. */
  callMs: 15 * SECOND,
  connectMs: 5 * SECOND,
  /** Life of an idle connection: shorter than a sleep or a change of networks, which it would not survive. */
  keepAliveMs: 4 * SECOND,
  /** Most times that a refresh token is sent when replies are lost, the first included. */
  lostReplyTries: 3,
  /** Pause before the last of these. The second follows at once, inside every provider's grace period. */
  lostReplyRetryMs: 1 * SECOND,
  /** Refusals without a reason count as the provider's own once they lasted this long: a firewall's fault is shorter. */
  refusalProofMs: 1 * MINUTE,
  /** After that proof a sign-in is required, and the token is not used for this long. */
  refusalMemoryMs: 5 * MINUTE,
  /** Wait for a credential's lock that another process holds: one call and the writes around it. */
  lockMs: 20 * SECOND,
  /** The same for a sign-in or sign-out that a person has requested. */
  lockBrieflyMs: 3 * SECOND,
  /** Interval of the attempts to take a lock. */
  lockPollMs: 100,
  /** A wall clock that loses more than this against the monotonic one was set back. */
  clockSetMs: 2 * SECOND,
  /** Two replies agree about the time up to this difference: `Date` has whole seconds, and replies are slow. */
  skewAgreementMs: 5 * SECOND,
  /** A clock that is wrong by less is not corrected. */
  skewMinMs: 15 * SECOND,
  /** Least time between two refreshes that callers without valid credentials cause. */
  retryOnDemandMs: 1 * SECOND,
  /** Life of a sign-in in the browser. */
  signInLifeMs: 5 * MINUTE,
  /**
   * Longest life of a sign-in by code; it ends with its code. While the provider accepts the code its page
   * reports success, so the daemon must poll until then.
   */
  deviceLifeMs: 15 * MINUTE,
  /** Interval of the polls for such a sign-in if the provider names none (RFC 8628 3.2). */
  deviceIntervalMs: 5 * SECOND,
  /** Increase of that interval at each `slow_down` (RFC 8628 3.5). */
  deviceSlowDownMs: 5 * SECOND,
  /** Longest interval of the polls after passing faults: the person may be waiting for the result. */
  deviceBackOffMs: 30 * SECOND,
  /** Time that the redirect port stays open after its page: a browser that prefetches requests it twice. */
  callbackLingerMs: 5 * SECOND,
  /** Time that the end of a sign-in is remembered, for callers whose long poll arrives late. */
  signInMemoryMs: 1 * MINUTE,
  /** After this many unanswered pages or codes in a row only a person may start another: a tool may request them all night. */
  unansweredPages: 3,
  /** Limit of one keyring operation; an unanswered prompt must not block the daemon. */
  keyringMs: 10 * SECOND,
  /** Least time before a store that failed (a locked keyring) is used again. */
  storeRetryMs: 30 * SECOND,
  /** Wait of a daemon that stops for requests in progress. */
  drainMs: 5 * SECOND,
  /** Interval at which a draining daemon checks for the end of a sign-in in progress. */
  drainPollMs: 250,
} as const;

/**
 * Returns the time left at which credentials are refreshed ahead, in milliseconds.
 *
 * @param jitter in [-1, 1], constant for a daemon.
 */
export function refreshAheadMs(lifetimeMs: number, jitter: number): number {
  if (lifetimeMs < 2 * TIMING.refreshAtMs) return lifetimeMs / 2;
  const base = isLong(lifetimeMs) ? TIMING.longAnswerLifeMs + 2 * TIMING.refreshJitterMs : TIMING.refreshAtMs;
  return base + jitter * TIMING.refreshJitterMs;
}

/** Returns the time left below which an answer waits for a refresh, in milliseconds. */
export function answerLifeMs(lifetimeMs: number): number {
  if (lifetimeMs < 2 * TIMING.refreshAtMs) return lifetimeMs / 3;
  return isLong(lifetimeMs) ? TIMING.longAnswerLifeMs : TIMING.answerLifeMs;
}

/** Returns the time left at which an ID token is no longer used, in milliseconds. */
export function idTokenLifeMs(lifetimeMs: number): number {
  return Math.min(TIMING.idTokenLifeMs, lifetimeMs / 4);
}

/**
 * Returns the time left at which an ID token for telemetry headers is renewed, in milliseconds. Tokens that
 * never live that long are renewed at half their life.
 */
export function headerLifeMs(lifetimeMs: number = Number.POSITIVE_INFINITY): number {
  const worthwhile = lifetimeMs > TIMING.headerLifeMs + 2 * TIMING.telemetryRetryMs;
  return worthwhile ? TIMING.headerLifeMs : lifetimeMs / 2;
}

/**
 * Returns a back-off with full jitter, in milliseconds: at most a ceiling that doubles with each failure.
 *
 * @param failures from 1.
 * @param random in [0, 1).
 */
export function backOffMs(failures: number, random: number, lastMs: number = TIMING.backOffLastMs): number {
  const ceiling = Math.min(lastMs, TIMING.backOffFirstMs * 2 ** (failures - 1));
  return random * ceiling;
}

/** True for long sessions of direct federation, up to 12 h; those of an identity pool last 1 h. */
function isLong(lifetimeMs: number): boolean {
  return lifetimeMs >= 2 * TIMING.longAnswerLifeMs;
}
