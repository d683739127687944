import type { Fetch } from '../../network/transport.ts';
import type { ProfileConfig } from '../../protocol/config.ts';
import type { Clock } from '../platform/clock.ts';
import type { Federation } from './aws-calls.ts';
import { createIdentityPoolFederation } from './identity-pool.ts';
import { createRoleFederation } from './role-federation.ts';

/** Creates the federation of a profile: an identity pool, or a role that trusts the identity provider. */
export function createFederation(profile: ProfileConfig, edges: { clock: Clock; fetch: Fetch }): Federation {
  const { federation } = profile;
  return federation.type === 'cognito'
    ? createIdentityPoolFederation(
        { ...federation, region: profile.awsRegion, loginKey: profile.identityProvider.loginKey },
        edges,
      )
    : createRoleFederation({ ...federation, region: profile.awsRegion }, edges);
}
