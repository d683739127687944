import type { StatusReply } from '../../protocol/api.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { askRunningDaemon } from '../daemon/ask-daemon.ts';
import type { ShimEdges } from '../program/edges.ts';

/** The reply that `--json` prints when no daemon runs. */
export type NoStatus = { daemon: null; config: string; configProblem: null; profiles: [] };

/**
 * Asks the daemon for the status of all profiles, or of one.
 *
 * @throws CcwbError ERR_DAEMON_UNREACHABLE when none runs, ERR_PROFILE_UNKNOWN
 */
export async function readStatus(edges: ShimEdges, profile: string | undefined): Promise<StatusReply> {
  return onlyProfile(await askRunningDaemon<StatusReply>(edges, { route: 'status' }), profile);
}

export function noStatus({ paths }: ShimEdges): NoStatus {
  return { daemon: null, config: paths.config, configProblem: null, profiles: [] };
}

export function notRunning({ paths }: ShimEdges): CcwbError {
  return new CcwbError(
    'ERR_DAEMON_UNREACHABLE',
    `daemon not running: nothing answers on ${paths.socket}`,
    'run bedrock-auth login; any program that needs credentials starts it too',
  );
}

function onlyProfile(reply: StatusReply, name: string | undefined): StatusReply {
  if (name === undefined) return reply;
  const profiles = reply.profiles.filter(({ profile }) => profile === name);
  if (profiles.length > 0) return { ...reply, profiles };
  const names = reply.profiles.map(({ profile }) => profile).join(', ');
  throw new CcwbError(
    'ERR_PROFILE_UNKNOWN',
    `the daemon has no profile ${JSON.stringify(name)}; it has ${names}`,
    'use one of these with --profile',
  );
}
