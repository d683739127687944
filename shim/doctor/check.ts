import { type Finding, skipped } from '../../common/findings.ts';
import type { StatusReply } from '../../protocol/api.ts';
import type { Config, ProfileConfig } from '../../protocol/config.ts';
import type { CcwbError } from '../../protocol/errors.ts';
import type { Probe } from '../../protocol/probe.ts';
import type { ShimEdges } from '../program/edges.ts';

/** The context of the checks. Slow values are computed for the first check that asks, and shared. */
export type DoctorContext = {
  edges: ShimEdges;
  /** Undefined if config.json cannot be used. */
  config: Config | undefined;
  configProblem: CcwbError | undefined;
  /** The selected profiles that can be used. */
  profiles: readonly ProfileConfig[];
  /** Returns the status from the running daemon, or the reason why there is none. Starts no daemon. */
  status(): Promise<StatusReply | CcwbError>;
  /** Fetches an address as the daemon would. */
  probe(url: string): Promise<Probe>;
  discovery(profile: ProfileConfig): Promise<DiscoveryResult>;
  /** Returns the settings of Claude Code; undefined if they are missing or cannot be read. */
  claudeSettings(): UserClaudeSettings | undefined;
};

/** The provider's discovery document, or what is wrong with it. */
export type DiscoveryResult =
  | { jwksUri: string | undefined; hasDeviceGrant: boolean; probe: Probe }
  | { problem: Pick<Finding, 'text' | 'fix'>; probe: Probe };

export type UserClaudeSettings = { path: string; env: Readonly<Record<string, string>>; root: object };

export type ShimCheck = (context: DoctorContext) => Promise<Finding[]> | Finding[];

/** Returns the findings of each profile, or that no profile can be used. */
export async function forEachProfile(
  { profiles }: DoctorContext,
  look: (profile: ProfileConfig) => Promise<Finding | Finding[]> | Finding | Finding[],
): Promise<Finding[]> {
  if (profiles.length === 0) return [skipped('no profile can be used')];
  const found = await Promise.all(profiles.map(look));
  return found.flat();
}
