import type { ProviderPlace } from './provider-front.ts';

/** RFC 8628 §3.4. */
export const deviceGrantType = 'urn:ietf:params:oauth:grant-type:device_code';

/** Requests that arrived, also those that a fault then hit; and what the token endpoint refused. */
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
  /** Answers `invalid_grant`. */
  refusedGrants: number;
  /** Refresh tokens handed out. */
  refreshTokensIssued: number;
}

export interface ProviderCounts {
  readonly values: ProviderCountValues;
  arrived(place: ProviderPlace, form: URLSearchParams): void;
  answered(answer: Readonly<Record<string, unknown>>): void;
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
};

const byPlace = {
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
  return {
    values,
    arrived(place, form) {
      const name = place === 'token' ? byGrant[form.get('grant_type') ?? ''] : byPlace[place];
      if (name !== undefined) values[name] += 1;
    },
    answered(answer) {
      if (answer.error === 'invalid_grant') values.refusedGrants += 1;
      if (typeof answer.refresh_token === 'string') values.refreshTokensIssued += 1;
    },
    reset: () => {
      Object.assign(values, zero);
    },
  };
}
