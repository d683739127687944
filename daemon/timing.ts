/**
 * The timing policy: when to refresh, how long to wait, how often to try. Every constant with its reason;
 * a test pins them.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

export const TIMING = {
  /**
   * Start refreshing 1 h credentials with this much life left: ten minutes of retries fit before the
   * first SDK asks again (botocore and .NET, at 15 min).
   */
  refreshAtMs: 25 * MINUTE,
  /** Spread per daemon, so that a company does not refresh in the same second after lunch. */
  refreshJitterMs: 3 * MINUTE,
  /** An answer with less life than this waits for a refresh first: under 15 min the AWS CLI starts the shim for every call. */
  answerLifeMs: 20 * MINUTE,
  /** Sessions longer than an hour keep at least this much: an hour of work and a minute to spare. */
  longAnswerLifeMs: 61 * MINUTE,
  /** How long a caller with nothing to fall back on waits for a refresh: less than it waits for us. */
  answerWaitMs: 4_500,
  /** How long a caller with still valid but short-lived credentials waits for better ones. */
  staleWaitMs: 2 * SECOND,
  /** Credentials with less life than this are not handed out: they would expire on the way. */
  usableLifeMs: 5 * SECOND,
  /** A cached ID token is used while it has more life than this; the refresh token is spent as seldom as possible. */
  idTokenLifeMs: 5 * MINUTE,
  /**
   * An ID token that goes along with telemetry has at least this much life: Claude Code asks for its headers
   * every 29 minutes and sends what it got until then.
   */
  headerLifeMs: 29 * MINUTE,
  /** How long telemetry waits for a token that serves: with its start the helper stays under 300 ms. */
  telemetryWaitMs: 200,
  /** Tokens are kept fresh for telemetry that was asked for within this time: two of Claude Code's pauses. */
  telemetryInterestMs: 60 * MINUTE,
  /** How long before it is needed, and how often, such a token is renewed: several ticks. */
  telemetryRetryMs: 1 * MINUTE,
  /** Wall-clock tick: timers on the monotonic clock do not fire after sleep. */
  tickMs: 15 * SECOND,
  /**
   * One more exchange of the ID token this long before it may no longer be used: two ticks, so that one may
   * be late. It puts off the next use of the refresh token by up to half an hour.
   */
  lastExchangeMs: 30 * SECOND,
  /** That exchange is worth making when the credentials gain at least this much life by it. */
  lastExchangeGainMs: 10 * MINUTE,
  /** Credentials that gained more life than this have not: the clock was set back. */
  clockJumpMs: 1 * MINUTE,
  /** Back-off after a passing fault, with full jitter: first ceiling and last. */
  backOffFirstMs: 1 * SECOND,
  backOffLastMs: 5 * MINUTE,
  /**
   * The last ceiling of a passing fault while valid credentials wait to be renewed, and for the first hour of
   * an outage in any case: its end is to be noticed within a minute.
   */
  backOffSoonMs: 30 * SECOND,
  /** After an outage of this length, with nothing left to lose, callers make us try soon enough. */
  backOffPatienceMs: 60 * MINUTE,
  /** The look at the authorization endpoint before a person is sent there; worth no long wait. */
  preflightMs: 3 * SECOND,
  /** One call to the provider or to AWS, connection included. */
  callMs: 15 * SECOND,
  connectMs: 5 * SECOND,
  /** A connection nobody uses: shorter than a sleep or a change of networks, which it would not survive. */
  keepAliveMs: 4 * SECOND,
  /** How often a refresh token is sent whose use had no clear end, the first time included. */
  lostReplyTries: 3,
  /** Pause before the last of these; the one before follows at once, inside every provider's grace. */
  lostReplyRetryMs: 1 * SECOND,
  /** Refusals without a reason are believed once they have gone on for this long: a firewall's hiccup has not. */
  refusalProofMs: 1 * MINUTE,
  /** Then a sign-in is asked for, and the token left alone for this long. */
  refusalMemoryMs: 5 * MINUTE,
  /** How long another process may hold the credential: one call out and the writes around it. */
  lockMs: 20 * SECOND,
  /** The same for what a person has asked for: a sign-in, a sign-out. */
  lockBrieflyMs: 3 * SECOND,
  /** How often a lock that is taken is looked at. */
  lockPollMs: 100,
  /** A wall clock that lost more than this against the monotonic one was set back. */
  clockSetMs: 2 * SECOND,
  /** Two replies agree about the time when they differ by no more than this: whole seconds, and slow replies. */
  skewAgreementMs: 5 * SECOND,
  /** Less than this is not worth correcting. */
  skewMatteringMs: 15 * SECOND,
  /** A caller with nothing to fall back on makes us try again, but no oftener than this. */
  retryOnDemandMs: 1 * SECOND,
  /** A sign-in lives this long in the browser. */
  signInLifeMs: 5 * MINUTE,
  /**
   * A sign-in by code lives as long as its code, to this bound: while the provider takes a code, its page
   * says that it worked, and would be wrong if we no longer asked.
   */
  deviceLifeMs: 15 * MINUTE,
  /** Between two polls for such a sign-in where the provider names no interval (RFC 8628 3.2). */
  deviceIntervalMs: 5 * SECOND,
  /** What `slow_down` adds to the interval (RFC 8628 3.5). */
  deviceSlowDownMs: 5 * SECOND,
  /** The longest pause between polls after passing faults: the person may be done and wait for us. */
  deviceBackOffMs: 30 * SECOND,
  /** The redirect port stays open this long after its page: a browser that prefetches asks twice. */
  callbackLingerMs: 5 * SECOND,
  /** The end of a sign-in is remembered for callers whose long poll was on its way. */
  signInMemoryMs: 1 * MINUTE,
  /** After this many unanswered pages or codes in a row only a person may start another: a tool may ask all night. */
  unansweredPages: 3,
  /** One operation of the keyring; a prompt nobody answers must not hold the daemon. */
  keyringMs: 10 * SECOND,
  /** A store that could not be read (a locked keyring) is asked again no sooner than this. */
  storeRetryMs: 30 * SECOND,
  /** How long stopping waits for requests in flight. */
  drainMs: 5 * SECOND,
  /** A daemon that is to make room looks this often whether the sign-in under way has ended. */
  drainLookMs: 250,
} as const;

/**
 * With how much life left credentials of a given whole life are refreshed ahead, in milliseconds.
 *
 * @param jitter in [-1, 1], constant for a daemon.
 */
export function refreshAheadMs(lifetimeMs: number, jitter: number): number {
  if (lifetimeMs < 2 * TIMING.refreshAtMs) return lifetimeMs / 2;
  const base = isLong(lifetimeMs) ? TIMING.longAnswerLifeMs + 2 * TIMING.refreshJitterMs : TIMING.refreshAtMs;
  return base + jitter * TIMING.refreshJitterMs;
}

/** With how much life left an answer waits for a refresh, in milliseconds. */
export function answerLifeMs(lifetimeMs: number): number {
  if (lifetimeMs < 2 * TIMING.refreshAtMs) return lifetimeMs / 3;
  return isLong(lifetimeMs) ? TIMING.longAnswerLifeMs : TIMING.answerLifeMs;
}

/** With how much life left an ID token is no longer used, in milliseconds. */
export function idTokenLifeMs(lifetimeMs: number): number {
  return Math.min(TIMING.idTokenLifeMs, lifetimeMs / 4);
}

/**
 * With how much life left an ID token is renewed before it goes along with telemetry, in milliseconds. A
 * provider whose tokens never live that long is asked when half of their life is over.
 */
export function headerLifeMs(lifetimeMs: number = Number.POSITIVE_INFINITY): number {
  const worthwhile = lifetimeMs > TIMING.headerLifeMs + 2 * TIMING.telemetryRetryMs;
  return worthwhile ? TIMING.headerLifeMs : lifetimeMs / 2;
}

/** Full jitter: anything up to a ceiling that doubles with each failure, `failures` from 1, to the last one. */
export function backOffMs(failures: number, random: number, lastMs: number = TIMING.backOffLastMs): number {
  const ceiling = Math.min(lastMs, TIMING.backOffFirstMs * 2 ** (failures - 1));
  return random * ceiling;
}

/** Sessions of direct federation may last up to 12 h; those of an identity pool always 1 h. */
function isLong(lifetimeMs: number): boolean {
  return lifetimeMs >= 2 * TIMING.longAnswerLifeMs;
}
