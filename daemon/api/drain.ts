import { setTimeout as sleep } from 'node:timers/promises';
import type { DrainReply } from '../../protocol/api.ts';
import type { Log } from '../platform/log.ts';
import type { Profiles } from '../profiles/profiles.ts';
import { TIMING } from '../timing.ts';
import { createDeferred } from '../waiting.ts';

/** Ends a daemon without interrupting its callers, so that another build can start. */
export type Drain = {
  /** Requests the end of the daemon, or returns its progress. */
  begin(): DrainReply;
  /**
   * Waits for the request and for the end of all sign-ins and refreshes, then stops the daemon.
   *
   * @returns resolves when `stop` has; rejects when it fails.
   */
  stopWhenIdle(stop: () => Promise<void>): Promise<void>;
};

/**
 * Creates the drain of a daemon, which serves until it is idle. It waits for a sign-in: page, code verifier
 * and redirect port belong to this process. That delays an upgrade by at most five minutes. It waits for a
 * refresh, so that no rotated token is lost.
 */
export function createDrain(profiles: Pick<Profiles, 'all' | 'settled'>, { log }: { log: Log }): Drain {
  let begun = false;
  const requested = createDeferred();
  const signingIn = (): boolean => profiles.all().some(({ signIns }) => signIns.isPending());

  return {
    begin: () => {
      if (!begun) {
        begun = true;
        log('info', 'making room for another daemon');
        requested.resolve();
      }
      return { state: signingIn() ? 'signing-in' : 'ending' };
    },
    stopWhenIdle: async (stop) => {
      await requested.promise;
      const latest = performance.now() + TIMING.signInLifeMs;
      while (signingIn() && performance.now() < latest) await sleep(TIMING.drainPollMs);
      await profiles.settled();
      await stop();
    },
  };
}
