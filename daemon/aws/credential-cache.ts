import { asCcwbError, CcwbError, loginRequired } from '../../protocol/errors.ts';
import type { Clock } from '../platform/clock.ts';
import { causeOf, type Log } from '../platform/log.ts';
import type { Session } from '../session/session.ts';
import { createSharedCall } from '../shared-call.ts';
import { answerLifeMs, backOffMs, refreshAheadMs, TIMING } from '../timing.ts';
import { resultWithin } from '../waiting.ts';
import { type AwsCredentials, type Federation, StaleIdToken } from './aws-calls.ts';

export type CredentialCacheView = {
  expiresAt: number | null;
  /** When the scheduler refreshes next, back-off included; null when nothing is due. */
  nextRefreshAt: number | null;
  problem: { error: CcwbError; at: number } | undefined;
};

/** One profile's AWS credentials, in memory only. */
export type CredentialCache = {
  /**
   * The best there is: fresh from memory; else refreshed; else, while the refresh fails, whatever is still
   * valid. An error only when nothing valid is left.
   */
  get(): Promise<AwsCredentials>;
  /** Refreshes now, shared with whoever else is refreshing. @throws CcwbError */
  refresh(): Promise<AwsCredentials>;
  /** Refreshes when that is due, counting failures; never throws. For the scheduler. */
  refreshIfDue(): Promise<void>;
  /** The computer woke up, or its clock was changed: what failed before says nothing of now. */
  onWakeUp(): void;
  /** What is in memory and still usable, without any call. */
  peek(): AwsCredentials | undefined;
  view(): CredentialCacheView;
  /** Somebody signed in: no failure of before counts any more, nor do another user's credentials. */
  onSignIn(sub: string): void;
  /** Drops the credentials in memory; the next answer brings new ones. False when there were none. */
  clear(): boolean;
  /** Nobody is signed in any more. */
  onSignOut(): void;
};

/** Credentials, and the `sub` of the user they were given to. */
type Exchanged = { credentials: AwsCredentials; sub: string };

export function createCredentialCache(
  profile: string,
  session: Session,
  federation: Federation,
  edges: { clock: Clock; log: Log; random(): number },
): CredentialCache {
  const { clock, log } = edges;
  const jitter = edges.random() * 2 - 1;
  let current: AwsCredentials | undefined;
  /** `sub` of the user whom `current` belongs to. */
  let owner: string | undefined;
  let problem: { error: CcwbError; at: number } | undefined;
  let failures = 0;
  /** When the first of these was. */
  let failingSince = 0;
  let notBefore = 0;

  const lifeLeft = (): number => (current ? current.expiresAt - clock.now() : 0);
  const usable = (): AwsCredentials | undefined => (lifeLeft() > TIMING.usableLifeMs ? current : undefined);
  const refreshDueAt = (): number | null => {
    if (!current) return null;
    // More life left than they ever had: the clock was set back, and nothing it says of them is true.
    if (lifeLeft() > current.lifetimeMs + TIMING.clockJumpMs) return clock.now();
    const due = current.expiresAt - refreshAheadMs(current.lifetimeMs, jitter);
    return lastExchangeAt(current, due) ?? due;
  };
  /** When to use the ID token once more before its end, if the refresh token would be spent after it. */
  const lastExchangeAt = ({ expiresAt, lifetimeMs }: AwsCredentials, due: number): number | undefined => {
    const usableUntil = session.idTokenUsableUntil();
    if (usableUntil === null || clock.now() >= usableUntil || due <= usableUntil) return undefined;
    const at = usableUntil - TIMING.lastExchangeMs;
    return at - (expiresAt - lifetimeMs) >= TIMING.lastExchangeGainMs ? at : undefined;
  };
  /** While a back-off lasts. One that would last longer than any does comes from a clock set back. */
  const backingOff = (): boolean => {
    const left = notBefore - clock.now();
    return left > 0 && left <= TIMING.backOffLastMs;
  };

  const exchange = async (): Promise<Exchanged> => {
    const idToken = await session.idToken();
    try {
      return { credentials: await federation.credentials(idToken), sub: idToken.claims.sub };
    } catch (error) {
      if (!(error instanceof StaleIdToken)) throw error;
    }
    const renewed = await session.idToken(idToken);
    try {
      return { credentials: await federation.credentials(renewed), sub: renewed.claims.sub };
    } catch (error) {
      if (!(error instanceof StaleIdToken)) throw error;
      throw new CcwbError(
        'ERR_AWS_DENIED',
        'AWS calls a new ID token expired',
        'check the clock of this computer, then run bedrock-auth login',
        { cause: error },
      );
    }
  };

  /** Refreshes until somebody signs out; what an older one brings back then belongs to nobody. */
  const refresher = (): (() => Promise<AwsCredentials>) => {
    const own = createSharedCall(async (): Promise<AwsCredentials> => {
      const startedAt = clock.now();
      try {
        let { credentials: fresh, sub } = await exchange();
        // Somebody else signed in meanwhile: theirs are asked for.
        if (session.lastIdToken()?.claims.sub !== sub) ({ credentials: fresh, sub } = await exchange());
        if (refresh !== own) throw loginRequired();
        current = fresh;
        owner = sub;
        succeeded();
        log('info', 'credentials refreshed', {
          profile,
          keyId: fresh.accessKeyId.slice(-4),
          lifeMs: fresh.lifetimeMs,
          durationMs: clock.now() - startedAt,
        });
        return fresh;
      } catch (thrown) {
        if (refresh === own) failed(thrown);
        throw asCcwbError(thrown);
      }
    });
    return own;
  };
  let refresh = refresher();

  const succeeded = (): void => {
    problem = undefined;
    failures = 0;
    notBefore = 0;
  };

  const failed = (thrown: unknown): void => {
    const error = asCcwbError(thrown);
    // Waiting for a person is no fault, and no reason to be slow once that person has signed in.
    if (error.code === 'ERR_LOGIN_REQUIRED') return;
    if (failures === 0) failingSince = clock.now();
    failures += 1;
    // What does not pass by itself is not worth asking for so often, nor what has not passed for long.
    const patient = usable() || Math.abs(clock.now() - failingSince) < TIMING.backOffPatienceMs;
    const lastMs = error.retryable && patient ? TIMING.backOffSoonMs : TIMING.backOffLastMs;
    const retryMs = Math.round(backOffMs(failures, edges.random(), lastMs));
    notBefore = clock.now() + retryMs;
    problem = { error, at: clock.now() };
    log('warn', 'credentials not refreshed', { profile, code: error.code, cause: causeOf(thrown), retryMs });
  };

  /** Starts a refresh nobody waits for, unless one failed a moment ago. */
  const refreshInBackground = (): void => {
    if (!backingOff()) refresh().catch(() => {});
  };

  return {
    get: async () => {
      const now = usable();
      if (!now) {
        if (problem && backingOff() && clock.now() - problem.at < TIMING.retryOnDemandMs) throw problem.error;
        return (await resultWithin(TIMING.answerWaitMs, refresh())) ?? notYet();
      }
      const life = lifeLeft();
      if (life <= answerLifeMs(now.lifetimeMs) && !backingOff()) {
        // Worth a short wait for better ones; what is there stays good if they do not come.
        const better = await resultWithin(
          TIMING.staleWaitMs,
          refresh().catch(() => undefined),
        );
        return better ?? usable() ?? (await resultWithin(TIMING.answerWaitMs, refresh())) ?? notYet();
      }
      if (clock.now() >= (refreshDueAt() ?? 0)) refreshInBackground();
      return now;
    },
    refresh: () => refresh(),
    refreshIfDue: async () => {
      await session.restore();
      const dueAt = refreshDueAt();
      const due = dueAt === null ? session.view().signedIn : clock.now() >= dueAt;
      if (due && !backingOff()) await refresh().catch(() => {});
    },
    onWakeUp: () => {
      failures = 0;
      notBefore = 0;
    },
    peek: usable,
    view: () => {
      const dueAt = refreshDueAt() ?? (session.view().signedIn ? clock.now() : null);
      return {
        expiresAt: current && lifeLeft() > 0 ? current.expiresAt : null,
        nextRefreshAt: dueAt === null ? null : Math.max(dueAt, backingOff() ? notBefore : 0),
        problem,
      };
    },
    clear: () => {
      const cleared = usable() !== undefined;
      current = undefined;
      return cleared;
    },
    onSignIn: (sub) => {
      if (owner !== sub) current = undefined;
      succeeded();
    },
    onSignOut: () => {
      refresh = refresher();
      current = undefined;
      succeeded();
    },
  };
}

/** The caller gives up soon; it is to hear what it waited for. */
function notYet(): never {
  throw new CcwbError(
    'ERR_REFRESH_PENDING',
    'the identity provider or AWS takes long; credentials are still being fetched',
    'try again in a few seconds; if it stays so, check the network, VPN and proxy',
  );
}
