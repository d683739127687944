import type { ProfileConfig } from '../../protocol/config.ts';
import { type CredentialCache, createCredentialCache } from '../aws/credential-cache.ts';
import { createFederation } from '../aws/federation.ts';
import type { DaemonEdges } from '../edges.ts';
import type { Session } from '../session/session.ts';
import type { SignIns } from '../sign-in/sign-ins.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';

/** A profile in use. Profiles with the same credential share `session` and `signIns`. */
export type Profile = {
  config: ProfileConfig;
  session: Session;
  signIns: SignIns;
  credentials: CredentialCache;
  telemetry: Telemetry;
};

/** The profiles in use now, as the parts below {@link createProfiles} see them. */
export type ProfilesInUse = {
  /** Returns undefined for a profile that is not configured, or not usable. */
  find(name: string): Profile | undefined;
  /** Returns the profiles that share the session. */
  ofSession(session: Session): Profile[];
};

export function createProfile(
  config: ProfileConfig,
  { session, signIns }: Pick<Profile, 'session' | 'signIns'>,
  edges: DaemonEdges,
): Profile {
  return {
    config,
    session,
    signIns,
    credentials: createCredentialCache(config.name, session, createFederation(config, edges), edges),
    telemetry: createTelemetry(config, session, edges.clock),
  };
}
