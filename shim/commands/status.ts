import { isDaemonUnreachable } from '../daemon/ask-daemon.ts';
import type { ShimEdges } from '../program/edges.ts';
import { formatJson } from '../terminal/format.ts';
import { noStatus, notRunning, readStatus } from './read-status.ts';
import { viewOf } from './status-view.ts';

export type StatusOptions = { profile?: string; json?: boolean; watch?: boolean };

/**
 * Runs `bedrock-auth status`, which shows what the daemon does. Starts nothing; returns 1 if no daemon runs.
 */
export async function status(edges: ShimEdges, options: StatusOptions): Promise<number> {
  if (options.watch) return (await import('./watch-status.ts')).watch(edges, options);
  try {
    const reply = await readStatus(edges, options.profile);
    await edges.writeOut(options.json ? formatJson(reply) : viewOf(edges, reply));
    return 0;
  } catch (error) {
    if (isDaemonUnreachable(error) && options.json) await edges.writeOut(formatJson(noStatus(edges)));
    throw isDaemonUnreachable(error) ? notRunning(edges) : error;
  }
}
