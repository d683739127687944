import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import { paragraph } from '../terminal/text.ts';

/** Time that AWS may be unreachable before `ccwb` stops waiting, in milliseconds. The operation goes on in AWS. */
export const OUTAGE_LIMIT_MS = 600_000;

const WAIT_MS = 5_000;

/**
 * Does something again and again while AWS cannot be reached, for as long as an operation that is followed would
 * be waited for. What is under way in AWS is not begun anew: the error that says so ends it.
 */
export async function retryWhileUnreachable<T>(attempt: () => Promise<T>, edges: AdminEdges): Promise<T> {
  const since = edges.now();
  for (let tries = 0; ; tries += 1) {
    try {
      return await attempt();
    } catch (thrown) {
      const away =
        thrown instanceof CcwbError &&
        thrown.code === 'ERR_AWS_UNREACHABLE' &&
        // Around another error of ours it tells of an order that AWS may have taken.
        !(thrown.cause instanceof CcwbError);
      if (!away || edges.now() - since > OUTAGE_LIMIT_MS) throw thrown;
      if (tries === 0) edges.writeError(paragraph(`${thrown.message}; trying again`, edges.columns));
      await edges.sleep(WAIT_MS * (0.5 + edges.random() / 2));
      if (edges.interrupted.aborted) throw thrown;
    }
  }
}
