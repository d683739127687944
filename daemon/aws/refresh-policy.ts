import { answerLifeMs, refreshAheadMs, TIMING } from '../timing.ts';
import type { AwsCredentials } from './aws-calls.ts';

/**
 * The decisions about a profile's AWS credentials: when a refresh is due, what a caller gets, and how long
 * to wait after a failure. Times are in milliseconds since the epoch.
 */

/** Returns the time left, in milliseconds; 0 without credentials. */
export function lifeLeftMs(credentials: AwsCredentials | undefined, now: number): number {
  return credentials ? credentials.expiresAt - now : 0;
}

/** Returns true when the credentials outlast their way to the caller. */
export function isUsable(
  credentials: AwsCredentials | undefined,
  now: number,
): credentials is AwsCredentials {
  return lifeLeftMs(credentials, now) > TIMING.usableLifeMs;
}

/**
 * Returns when the credentials are refreshed ahead.
 *
 * @param state.jitter in [-1, 1], constant for a daemon.
 */
export function refreshDueAt(
  credentials: AwsCredentials,
  state: { jitter: number; idTokenUsableUntil: number | null; now: number },
): number {
  const { jitter, idTokenUsableUntil, now } = state;
  // More time left than they ever had: the clock was set back, and their times say nothing.
  if (lifeLeftMs(credentials, now) > credentials.lifetimeMs + TIMING.clockJumpMs) return now;
  const due = credentials.expiresAt - refreshAheadMs(credentials.lifetimeMs, jitter);
  return lastExchangeAt(credentials, due, idTokenUsableUntil, now) ?? due;
}

/**
 * Returns when to use the ID token once more before its end; undefined when the refresh that is due comes
 * before that end anyway, or when the exchange would gain too little.
 */
export function lastExchangeAt(
  { expiresAt, lifetimeMs }: AwsCredentials,
  due: number,
  idTokenUsableUntil: number | null,
  now: number,
): number | undefined {
  if (idTokenUsableUntil === null || now >= idTokenUsableUntil || due <= idTokenUsableUntil) return undefined;
  const at = idTokenUsableUntil - TIMING.lastExchangeMs;
  const issuedAt = expiresAt - lifetimeMs;
  return at - issuedAt >= TIMING.lastExchangeGainMs ? at : undefined;
}

/** Returns true during a back-off. One longer than any that is ever set comes from a clock set back. */
export function isBackingOff(notBefore: number, now: number): boolean {
  const leftMs = notBefore - now;
  return leftMs > 0 && leftMs <= TIMING.backOffLastMs;
}

/**
 * Returns the last ceiling of the back-off after a failure, in milliseconds. A fault that does not pass by
 * itself, or has not passed for long, is retried less often.
 */
export function backOffCeilingMs(failure: {
  retryable: boolean;
  hasUsableCredentials: boolean;
  failingForMs: number;
}): number {
  const { retryable, hasUsableCredentials, failingForMs } = failure;
  const isRecent = Math.abs(failingForMs) < TIMING.backOffPatienceMs;
  return retryable && (hasUsableCredentials || isRecent) ? TIMING.backOffSoonMs : TIMING.backOffLastMs;
}

/**
 * The answer to a caller: the credentials in memory, at once (`memory`), while a refresh runs behind them
 * (`memory-and-refresh`) or after a short wait for better ones (`refresh-briefly`); a refresh (`refresh`); or
 * the error of a moment ago (`error`).
 */
export type Answer = 'memory' | 'memory-and-refresh' | 'refresh-briefly' | 'refresh' | 'error';

/**
 * Chooses the answer to a caller. Valid credentials are never withheld because of a failure.
 *
 * @param state.refreshDueAt null without credentials.
 * @param state.failedAt the last failure; undefined when none counts.
 */
export function chooseAnswer(
  credentials: AwsCredentials | undefined,
  state: { refreshDueAt: number | null; backingOff: boolean; failedAt: number | undefined; now: number },
): Answer {
  const { backingOff, failedAt, now } = state;
  if (!isUsable(credentials, now)) {
    const justFailed = failedAt !== undefined && now - failedAt < TIMING.retryOnDemandMs;
    return justFailed && backingOff ? 'error' : 'refresh';
  }
  if (backingOff) return 'memory';
  if (lifeLeftMs(credentials, now) <= answerLifeMs(credentials.lifetimeMs)) return 'refresh-briefly';
  return now >= (state.refreshDueAt ?? 0) ? 'memory-and-refresh' : 'memory';
}
