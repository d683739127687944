import { loadConfig, type ProfileConfig, profileNamed } from '../../protocol/config.ts';
import type { ShimEdges } from './edges.ts';

/**
 * Returns the resolved configuration of a profile in the field names of config.json, without its client secret.
 *
 * @throws CcwbError ERR_CONFIG_MISSING, ERR_CONFIG_INVALID or ERR_PROFILE_UNKNOWN.
 */
export function explainProfile(paths: ShimEdges['paths'], profile: string): Record<string, unknown> {
  const config = loadConfig(paths.config);
  const prefix = `profiles.${profile}.`;
  return {
    ...resolvedFields(profileNamed(config, profile)),
    config: config.path,
    socket: paths.socket,
    unknown_fields: config.unknownFields
      .filter((field) => field.startsWith(prefix))
      .map((field) => field.slice(prefix.length)),
  };
}

/** Returns the fields of a profile. A client secret is shown as `(set)`. */
function resolvedFields(profile: ProfileConfig): Record<string, unknown> {
  const { identityProvider: provider, federation } = profile;
  return {
    profile: profile.name,
    provider_type: provider.providerType,
    issuer: provider.issuer,
    login_key: provider.loginKey,
    client_id: profile.clientId,
    client_secret: profile.clientSecret === undefined ? null : '(set)',
    scopes: profile.scopes,
    aws_region: profile.awsRegion,
    federation_type: federation.type,
    ...(federation.type === 'cognito'
      ? { identity_pool_id: federation.identityPoolId }
      : { federated_role_arn: federation.roleArn, max_session_duration: federation.durationSeconds }),
    credential_storage: profile.credentialStorage,
    redirect_port: profile.redirectPort,
    allowed_programs: profile.allowedPrograms ?? null,
    container_credentials_port: profile.containerCredentialsPort ?? 0,
    otel_sends_id_token: profile.telemetry.sendsIdToken,
    otel_claims: profile.telemetry.claims,
  };
}
