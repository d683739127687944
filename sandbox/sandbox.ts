import { type AwsEndpoints, type AwsEndpointsOptions, startAwsEndpoints } from './aws/aws-endpoints.ts';
import {
  type SandboxProvider,
  type SandboxProviderOptions,
  startIdentityProvider,
} from './provider/identity-provider.ts';

export interface SandboxOptions {
  readonly provider?: SandboxProviderOptions;
  /** Additional trusted issuers; the sandbox's own provider is always trusted. */
  readonly aws?: Partial<AwsEndpointsOptions>;
}

/** One profile of the daemon's config.json. */
export interface SandboxProfile {
  readonly provider_type: 'generic';
  readonly issuer: string;
  readonly client_id: string;
  readonly aws_region: string;
  readonly federation_type: 'cognito' | 'direct';
  /** With `cognito`. */
  readonly identity_pool_id?: string;
  /** With `direct`. */
  readonly federated_role_arn?: string;
  /** Seconds, with `direct`. */
  readonly max_session_duration?: number;
  readonly credential_storage: 'session' | 'keyring';
  readonly redirect_port: number;
  readonly cognito_identity_endpoint: string;
  readonly sts_endpoint: string;
}

/** An identity provider and an AWS account that trusts it. */
export interface Sandbox {
  readonly provider: SandboxProvider;
  readonly aws: AwsEndpoints;
  /**
   * A profile that uses this sandbox: through its identity pool,
   * or with `{ federation_type: 'direct' }` through `AssumeRoleWithWebIdentity`.
   */
  profile(overrides?: Partial<SandboxProfile>): SandboxProfile;
  close(): Promise<void>;
}

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const provider = await startIdentityProvider(options.provider);
  let aws: AwsEndpoints;
  try {
    aws = await startAwsEndpoints({
      clientId: provider.clientId,
      ...options.aws,
      issuers: [{ issuer: provider.issuer, jwks: provider.jwks }, ...(options.aws?.issuers ?? [])],
    });
  } catch (error) {
    await provider.close();
    throw error;
  }
  const ports = options.provider?.redirectPorts;
  const shared = {
    provider_type: 'generic',
    issuer: provider.issuer,
    client_id: provider.clientId,
    aws_region: aws.region,
    credential_storage: 'session',
    redirect_port: (Array.isArray(ports) ? ports[0] : undefined) ?? 8400,
    cognito_identity_endpoint: aws.url,
    sts_endpoint: aws.url,
  } as const;
  const pool = { federation_type: 'cognito', identity_pool_id: aws.identityPoolId } as const;
  const direct = {
    federation_type: 'direct',
    federated_role_arn: aws.roleArn,
    max_session_duration: 43_200,
  } as const;

  return {
    provider,
    aws,
    profile: (overrides) => ({
      ...shared,
      ...(overrides?.federation_type === 'direct' ? direct : pool),
      ...overrides,
    }),
    async close() {
      await Promise.all([aws.close(), provider.close()]);
    },
  };
}
