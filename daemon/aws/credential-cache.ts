import { CcwbError } from '../../protocol/errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Session } from '../session/session.ts';
import { TIMING } from '../timing.ts';
import { resultWithin } from '../waiting.ts';
import type { AwsCredentials, Federation } from './aws-calls.ts';
import { createCredentialRefresh } from './credential-refresh.ts';
import type { RefreshProblem } from './refresh-failures.ts';
import { chooseAnswer, lifeLeftMs, refreshDueAt } from './refresh-policy.ts';

/** The state of the cache as `status` shows it; times in milliseconds since the epoch. */
export type CredentialCacheView = {
  expiresAt: number | null;
  /** The time of the scheduler's next refresh, back-off included; null when none is due. */
  nextRefreshAt: number | null;
  problem: RefreshProblem | undefined;
};

/** One profile's AWS credentials, in memory only. */
export type CredentialCache = {
  /**
   * Returns fresh credentials from memory, else refreshed ones. While the refresh fails it returns any that
   * have not expired, and throws only without these.
   *
   * @throws CcwbError
   */
  get(): Promise<AwsCredentials>;
  /**
   * Returns credentials of the sign-in that has just finished. A caller that was faster has refreshed them
   * already: then there is no second exchange, and all callers get the same.
   *
   * @throws CcwbError
   */
  getAfterSignIn(): Promise<AwsCredentials>;
  /** Refreshes now, shared with all concurrent callers. @throws CcwbError */
  refresh(): Promise<AwsCredentials>;
  /** Refreshes when that is due, and counts failures; never throws. For the scheduler. */
  refreshIfDue(): Promise<void>;
  /** Ends the back-off: after a wake-up or a change of the clock, earlier failures say nothing. */
  onWakeUp(): void;
  /** Returns the credentials in memory if they are usable, without any call. */
  peek(): AwsCredentials | undefined;
  view(): CredentialCacheView;
  /** Forgets earlier failures, and the credentials of another user. */
  onSignIn(sub: string): void;
  /** Removes the credentials from memory. Returns false when there were none. */
  clear(): boolean;
  /** Removes the credentials, and ignores the result of a refresh in progress. */
  onSignOut(): void;
};

export function createCredentialCache(
  profile: string,
  session: Session,
  federation: Federation,
  edges: { clock: Clock; log: Log; random(): number },
): CredentialCache {
  const { clock } = edges;
  const jitter = edges.random() * 2 - 1;
  const refresh = createCredentialRefresh(profile, session, federation, edges);
  const { usable, failures } = refresh;

  const dueAt = (): number | null => {
    const current = refresh.current();
    if (!current) return null;
    const idTokenUsableUntil = session.idTokenUsableUntil();
    return refreshDueAt(current, { jitter, idTokenUsableUntil, now: clock.now() });
  };
  const refreshed = async (): Promise<AwsCredentials> =>
    (await resultWithin(TIMING.answerWaitMs, refresh.run())) ?? throwPending();

  return {
    get: async () => {
      const held = usable();
      const problem = failures.problem();
      const answer = chooseAnswer(held, {
        refreshDueAt: dueAt(),
        backingOff: failures.isBackingOff(),
        failedAt: problem?.at,
        now: clock.now(),
      });
      if (answer === 'error' && problem) throw problem.error;
      if (!held) return refreshed();
      if (answer === 'refresh-briefly') {
        // The credentials in memory stay good if no better ones arrive in time.
        const better = refresh.run().catch(() => undefined);
        return (await resultWithin(TIMING.staleWaitMs, better)) ?? usable() ?? (await refreshed());
      }
      if (answer === 'memory-and-refresh') refresh.run().catch(() => {});
      return held;
    },
    getAfterSignIn: refresh.ofLastIdToken,
    refresh: refresh.run,
    refreshIfDue: async () => {
      await session.restore();
      const at = dueAt();
      const due = at === null ? session.view().signedIn : clock.now() >= at;
      if (due && !failures.isBackingOff()) await refresh.run().catch(() => {});
    },
    onWakeUp: failures.endBackOff,
    peek: usable,
    view: () => {
      const current = refresh.current();
      const at = dueAt() ?? (session.view().signedIn ? clock.now() : null);
      return {
        expiresAt: current && lifeLeftMs(current, clock.now()) > 0 ? current.expiresAt : null,
        nextRefreshAt: at === null ? null : Math.max(at, failures.isBackingOff() ? failures.notBefore() : 0),
        problem: failures.problem(),
      };
    },
    clear: () => {
      const cleared = usable() !== undefined;
      refresh.clear();
      return cleared;
    },
    onSignIn: refresh.onSignIn,
    onSignOut: refresh.onSignOut,
  };
}

/** Tells a caller that is about to give up what it waited for. */
function throwPending(): never {
  throw new CcwbError(
    'ERR_REFRESH_PENDING',
    'the identity provider or AWS takes long; credentials are still being fetched',
    'try again in a few seconds; if it stays so, check the network, VPN and proxy',
  );
}
