import type { ServerResponse } from 'node:http';
import { deviceGrantType, type ProviderEndpoint } from './endpoints.ts';

/** Counts of requests, those with a fault included, and of replies of the token endpoint. */
export interface ProviderCountValues {
  authorizationRequests: number;
  codeExchanges: number;
  refreshGrants: number;
  deviceAuthorizations: number;
  devicePolls: number;
  revocations: number;
  discovery: number;
  jwks: number;
  userinfo: number;
  /** Replies with `invalid_grant`. */
  refusedGrants: number;
  /** Refresh tokens issued. */
  refreshTokensIssued: number;
  /** Maximum number of concurrent requests with the same refresh token. More than 1 is a race. */
  concurrentUses: number;
  /** Requests with a refresh token that was already rotated, within its grace period or not. */
  reuses: number;
}

export interface ProviderCounts {
  readonly values: ProviderCountValues;
  arrived(endpoint: ProviderEndpoint, form: URLSearchParams, response: ServerResponse): void;
  answered(form: URLSearchParams, answer: Readonly<Record<string, unknown>>): void;
  reset(): void;
}

const zero: Readonly<ProviderCountValues> = {
  authorizationRequests: 0,
  codeExchanges: 0,
  refreshGrants: 0,
  deviceAuthorizations: 0,
  devicePolls: 0,
  revocations: 0,
  discovery: 0,
  jwks: 0,
  userinfo: 0,
  refusedGrants: 0,
  refreshTokensIssued: 0,
  concurrentUses: 0,
  reuses: 0,
};

const byEndpoint = {
  authorization: 'authorizationRequests',
  revocation: 'revocations',
  discovery: 'discovery',
  jwks: 'jwks',
  userinfo: 'userinfo',
  deviceAuthorization: 'deviceAuthorizations',
} as const;

const byGrant: Readonly<Record<string, keyof ProviderCountValues>> = {
  authorization_code: 'codeExchanges',
  refresh_token: 'refreshGrants',
  [deviceGrantType]: 'devicePolls',
};

export function createProviderCounts(): ProviderCounts {
  const values = { ...zero };
  /** Number of open requests by refresh token. */
  const open = new Map<string, number>();
  const exchanged = new Set<string>();

  function refreshTokenArrived(token: string, response: ServerResponse): void {
    if (exchanged.has(token)) values.reuses += 1;
    const uses = (open.get(token) ?? 0) + 1;
    open.set(token, uses);
    values.concurrentUses = Math.max(values.concurrentUses, uses);
    // Emitted once, after the reply or when the connection is lost.
    response.once('close', () => open.set(token, (open.get(token) ?? 1) - 1));
  }

  return {
    values,
    arrived(endpoint, form, response) {
      const name = endpoint === 'token' ? byGrant[form.get('grant_type') ?? ''] : byEndpoint[endpoint];
      if (name !== undefined) values[name] += 1;
      if (name === 'refreshGrants') refreshTokenArrived(form.get('refresh_token') ?? '', response);
    },
    answered(form, answer) {
      if (answer.error === 'invalid_grant') values.refusedGrants += 1;
      if (typeof answer.refresh_token !== 'string') return;
      values.refreshTokensIssued += 1;
      const spent = form.get('refresh_token');
      if (spent !== null && spent !== answer.refresh_token) exchanged.add(spent);
    },
    reset: () => {
      Object.assign(values, zero);
    },
  };
}
