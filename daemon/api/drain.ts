import { setTimeout as sleep } from 'node:timers/promises';
import type { DrainReply } from '../../protocol/api.ts';
import type { Log } from '../platform/log.ts';
import type { Profiles } from '../profiles/profiles.ts';
import { TIMING } from '../timing.ts';

/** How a daemon makes room for another build of itself without anybody noticing. */
export type Drain = {
  /** Begins, or says how far it is. */
  begin(): DrainReply;
  /** Resolves when the daemon has stopped because of it. */
  done: Promise<void>;
};

/**
 * Serves on until the daemon is at rest, then stops it. A sign-in under way is waited for: its page, code
 * verifier and redirect port belong to this process, and somebody is typing a password there. That costs an
 * upgrade five minutes at most. A refresh is waited for, so that no rotation is cut.
 */
export function createDrain(
  profiles: Pick<Profiles, 'all' | 'settled'>,
  { log }: { log: Log },
  stop: () => Promise<void>,
): Drain {
  let begun = false;
  let resolve: (stopped: Promise<void>) => void;
  const done = new Promise<void>((given) => {
    resolve = given;
  });
  const signingIn = (): boolean => profiles.all().some(({ signIns }) => signIns.underWay());

  const run = async (): Promise<void> => {
    const latest = performance.now() + TIMING.signInLifeMs;
    while (signingIn() && performance.now() < latest) await sleep(TIMING.drainPollMs);
    await profiles.settled();
    await stop();
  };

  return {
    begin: () => {
      if (!begun) {
        begun = true;
        log('info', 'making room for another daemon');
        resolve(run());
      }
      return { state: signingIn() ? 'signing-in' : 'ending' };
    },
    done,
  };
}
