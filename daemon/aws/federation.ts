import type { Fetch } from '../../network/transport.ts';
import type { ProfileConfig } from '../../protocol/config.ts';
import type { Clock } from '../platform/clock.ts';
import type { Federation } from './aws-calls.ts';
import { createIdentityPoolFederation } from './identity-pool.ts';
import { createRoleFederation } from './role-federation.ts';

/** The profile's way from an ID token to AWS credentials. */
export function createFederation(profile: ProfileConfig, edges: { clock: Clock; fetch: Fetch }): Federation {
  const { federation } = profile;
  return federation.type === 'cognito'
    ? createIdentityPoolFederation(
        { ...federation, region: profile.awsRegion, loginKey: profile.identityProvider.loginKey },
        edges,
      )
    : createRoleFederation({ ...federation, region: profile.awsRegion }, edges);
}
