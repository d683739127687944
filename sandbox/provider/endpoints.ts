/** RFC 8628 §3.4. */
export const deviceGrantType = 'urn:ietf:params:oauth:grant-type:device_code';

/** The paths of the provider's endpoints, by the names of oidc-provider. */
export const routes = {
  authorization: '/authorize',
  token: '/token',
  revocation: '/revoke',
  jwks: '/jwks',
  userinfo: '/userinfo',
  device_authorization: '/device_authorization',
  code_verification: '/device',
} as const;

/** The endpoints that are counted and that faults can hit. */
export type ProviderEndpoint =
  | 'authorization'
  | 'token'
  | 'revocation'
  | 'discovery'
  | 'jwks'
  | 'userinfo'
  | 'deviceAuthorization';

const endpoints = new Map<string, ProviderEndpoint>([
  [routes.authorization, 'authorization'],
  [routes.token, 'token'],
  [routes.revocation, 'revocation'],
  [routes.jwks, 'jwks'],
  [routes.userinfo, 'userinfo'],
  [routes.device_authorization, 'deviceAuthorization'],
  ['/.well-known/openid-configuration', 'discovery'],
  ['/.well-known/oauth-authorization-server', 'discovery'],
]);

/** Returns the endpoint of a path, undefined for a page. */
export function endpointOf(path: string): ProviderEndpoint | undefined {
  return endpoints.get(path);
}
