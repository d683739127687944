import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import { paragraph } from '../terminal/text.ts';

/** Time that AWS may be unreachable before `ccwb` stops waiting, in milliseconds. The operation goes on in AWS. */
export const OUTAGE_LIMIT_MS = 600_000;

const WAIT_MS = 5_000;

/**
 * Retries an action while AWS cannot be reached, up to the time limit above. An error saying that AWS may have
 * started the operation ends the retries, so that nothing is started twice.
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
        // A CcwbError as the cause means that AWS may have accepted the request.
        !(thrown.cause instanceof CcwbError);
      if (!away || edges.now() - since > OUTAGE_LIMIT_MS) throw thrown;
      if (tries === 0) edges.writeError(paragraph(`${thrown.message}; trying again`, edges.columns));
      await edges.sleep(WAIT_MS * (0.5 + edges.random() / 2));
      if (edges.interrupted.aborted) throw thrown;
    }
  }
}
