import { type Finding, skipped } from '../../common/findings.ts';
import type { StatusReply } from '../../protocol/api.ts';
import type { Config, ProfileConfig } from '../../protocol/config.ts';
import type { CcwbError } from '../../protocol/errors.ts';
import type { Probe } from '../../protocol/probe.ts';
import type { ShimEdges } from '../program/edges.ts';

/** What checks look at; whatever takes time is begun by the first that asks, and shared. */
export type DoctorContext = {
  edges: ShimEdges;
  /** Undefined when config.json cannot be used. */
  config: Config | undefined;
  configProblem: CcwbError | undefined;
  /** Those that are meant and can be used. */
  profiles: readonly ProfileConfig[];
  /** What a daemon that runs says, or why there is no answer. Starts none. */
  status(): Promise<StatusReply | CcwbError>;
  /** Fetches an address as the daemon would. */
  probe(url: string): Promise<Probe>;
  discovery(profile: ProfileConfig): Promise<DiscoveryResult>;
  /** The settings of Claude Code; undefined when there are none, or none that can be read. */
  claudeSettings(): UserClaudeSettings | undefined;
};

/** The provider's discovery document, or what is wrong with it. */
export type DiscoveryResult =
  | { jwksUri: string | undefined; hasDeviceGrant: boolean; probe: Probe }
  | { problem: Pick<Finding, 'text' | 'fix'>; probe: Probe };

export type UserClaudeSettings = { path: string; env: Readonly<Record<string, string>>; root: object };

export type ShimCheck = (context: DoctorContext) => Promise<Finding[]> | Finding[];

/** One finding for each profile, or why there is none. */
export async function forEachProfile(
  { profiles }: DoctorContext,
  look: (profile: ProfileConfig) => Promise<Finding | Finding[]> | Finding | Finding[],
): Promise<Finding[]> {
  if (profiles.length === 0) return [skipped('no profile can be used')];
  const found = await Promise.all(profiles.map(look));
  return found.flat();
}
