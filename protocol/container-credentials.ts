/**
 * The container credentials endpoint: HTTP on loopback, for tools that cannot run a process. SDKs find it by
 * `AWS_CONTAINER_CREDENTIALS_FULL_URI`, and what to send as `authorization` in the file that
 * `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` names, read anew for each request.
 */

/** The one address it listens on: SDKs send their token over http to loopback addresses only. */
export const CONTAINER_HOST = '127.0.0.1';

/** Reply of the endpoint, as SDKs expect it. */
export type ContainerCredentials = {
  AccessKeyId: string;
  SecretAccessKey: string;
  Token: string;
  /** RFC 3339, seconds, `Z`. */
  Expiration: string;
};

/** Error reply of the endpoint, as SDKs expect it. */
export type ContainerError = { code: string; message: string };

/** Returns the value of `AWS_CONTAINER_CREDENTIALS_FULL_URI` for a profile. */
export function containerCredentialsUrl(port: number, profile: string): string {
  return `http://${CONTAINER_HOST}:${port}/v1/profiles/${profile}/container-credentials`;
}

/** Returns the profile in the path of a request; undefined for any other path, and for a path with a query. */
export function profileInPath(path: string): string | undefined {
  return /^\/v1\/profiles\/([\w.-]{1,64})\/container-credentials$/.exec(path)?.[1];
}
