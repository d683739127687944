/**
 * The API on the daemon's socket: one table of routes, and the shape of every body as a type and as the
 * JSON schema the daemon checks and serialises with. Times are RFC 3339 in UTC with seconds.
 */

export const ROUTES = {
  version: { method: 'GET', path: '/v1/version' },
  status: { method: 'GET', path: '/v1/status' },
  drain: { method: 'POST', path: '/v1/drain' },
  credentials: { method: 'GET', path: '/v1/profiles/:profile/credentials' },
  forgetCredentials: { method: 'DELETE', path: '/v1/profiles/:profile/credentials' },
  expiration: { method: 'GET', path: '/v1/profiles/:profile/expiration' },
  idToken: { method: 'GET', path: '/v1/profiles/:profile/id-token' },
  otelHeaders: { method: 'GET', path: '/v1/profiles/:profile/otel-headers' },
  signIn: { method: 'POST', path: '/v1/profiles/:profile/sign-in' },
  awaitSignIn: { method: 'GET', path: '/v1/sign-ins/:signIn' },
  pageOpened: { method: 'POST', path: '/v1/sign-ins/:signIn/page-opened' },
  signOut: { method: 'DELETE', path: '/v1/profiles/:profile/session' },
} as const satisfies Record<string, { method: 'GET' | 'POST' | 'DELETE'; path: string }>;

export type RouteName = keyof typeof ROUTES;

/** Output of `credential_process`, in the order of the AWS documentation. */
export type Credentials = {
  Version: 1;
  AccessKeyId: string;
  SecretAccessKey: string;
  SessionToken: string;
  Expiration: string;
};

export type VersionReply = { protocol: number; build: string; pid: number; startedAt: string };

/** `now`: a sign-in under way is cancelled, not waited for. */
export type DrainRequest = { now: boolean };

/**
 * A daemon that was asked to make room for another answers everybody as usual until it is at rest, then
 * ends. `signing-in`: that is when the sign-in under way has ended, its page belongs to this daemon.
 */
export type DrainReply = { state: 'ending' | 'signing-in' };

export type ExpirationReply = { valid: boolean; expiration: string | null };

export type IdTokenReply = { idToken: string; expiration: string };

/**
 * `automatic`: asked for by a tool, not typed by a person; only these are capped. `canOpenPage`: the
 * caller has a screen and is willing to open the page there. `screen: false`: a page on the caller's
 * computer would be seen by nobody, so a code for another device is better, where the provider has that.
 * `device`: a code for another device, or an error.
 */
export type SignInRequest = {
  automatic: boolean;
  canOpenPage: boolean;
  screen?: boolean;
  device?: boolean;
};

/** The code that a person enters on another device (RFC 8628 3.2); nothing that a terminal may not print. */
export type DeviceCode = {
  userCode: string;
  /** The address with the code in it; null where the provider has none. */
  verificationUriComplete: string | null;
};

/**
 * A sign-in that is under way, or its end. `url` is what a person opens: the page of the sign-in, or with
 * `device` the address where the code is entered (verification_uri). A sign-in in the browser and one by
 * code may go on side by side; the first that succeeds ends both. `openPage` is true for at most one
 * living caller at a time, and never with `device`: that caller opens `url` in a browser and then confirms
 * with `pageOpened`; if it does not within {@link PAGE_LEASE_MS}, another caller that waits inherits the task.
 */
export type SignInReply =
  | { state: 'signed-in'; user: string | null }
  | {
      state: 'pending';
      signIn: string;
      url: string;
      device?: DeviceCode;
      openPage: boolean;
      expiresAt: string;
    };

/** Time in which the caller that opens the page must confirm it, in milliseconds. */
export const PAGE_LEASE_MS = 5_000;

export type SignOutReply = { wasSignedIn: boolean; revoked: boolean };

export type ProfileStatus = {
  profile: string;
  issuer: string | null;
  state: 'signed-in' | 'signed-out' | 'signing-in' | 'misconfigured';
  user: string | null;
  storage: string | null;
  federation: string | null;
  credentialsUntil: string | null;
  nextRefresh: string | null;
  idTokenUntil: string | null;
  problem: Problem | null;
};

export type Problem = { code: string; message: string; fix: string; at: string };

/** Network access of the daemon: the proxy without its password, and files of trusted certificates. */
export type NetworkStatus = { proxy: string | null; certificates: readonly string[] };

/** `configProblem`: config.json cannot be used as it is now; the profiles are as they were before. */
export type StatusReply = {
  daemon: VersionReply;
  /** Seconds that this machine's clock is behind the provider's and AWS's; 0 if the difference is too small to matter. */
  clockSkewSeconds: number;
  network: NetworkStatus;
  config: string;
  configProblem: Problem | null;
  profiles: ProfileStatus[];
};

type Schema = Readonly<Record<string, unknown>>;

const string = { type: 'string' } as const;
const nullableString = { type: ['string', 'null'] } as const;
const object = (properties: Record<string, Schema>, optional: readonly string[] = []): Schema => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});

const versionReply = object({
  protocol: { type: 'integer' },
  build: string,
  pid: { type: 'integer' },
  startedAt: string,
});

const errorReply = object({ error: object({ code: string, message: string, fix: string }) });

const nullableProblem: Schema = {
  anyOf: [object({ code: string, message: string, fix: string, at: string }), { type: 'null' }],
};

const signInReply = object(
  {
    state: { enum: ['signed-in', 'pending'] },
    user: nullableString,
    signIn: string,
    url: string,
    device: object({ userCode: string, verificationUriComplete: nullableString }),
    openPage: { type: 'boolean' },
    expiresAt: string,
  },
  ['user', 'signIn', 'url', 'device', 'openPage', 'expiresAt'],
);

/** JSON schemas of what goes in. Profile names are bounded before any look-up. */
export const REQUEST_SCHEMAS = {
  profileParams: object({ profile: { type: 'string', minLength: 1, maxLength: 64 } }),
  signInParams: object({ signIn: { type: 'string', minLength: 1, maxLength: 64 } }),
  signInBody: object(
    {
      automatic: { type: 'boolean' },
      canOpenPage: { type: 'boolean' },
      screen: { type: 'boolean' },
      device: { type: 'boolean' },
    },
    ['screen', 'device'],
  ),
  drainBody: object({ now: { type: 'boolean' } }),
  pageOpenedBody: object({ opened: { type: 'boolean' } }),
  /** `wait`: how long the long poll may take, 0 to 60,000 milliseconds. In a query everything is text. */
  waitQuery: object(
    {
      wait: { type: 'string', pattern: '^([0-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|60000)$' },
      canOpenPage: { enum: ['true', 'false'] },
    },
    ['wait', 'canOpenPage'],
  ),
} as const;

/** JSON schemas of what comes out, for replies with status 200. */
export const REPLY_SCHEMAS: Readonly<Record<RouteName | 'error', Schema>> = {
  error: errorReply,
  version: versionReply,
  drain: object({ state: { enum: ['ending', 'signing-in'] } }),
  credentials: object({
    Version: { type: 'integer' },
    AccessKeyId: string,
    SecretAccessKey: string,
    SessionToken: string,
    Expiration: string,
  }),
  forgetCredentials: object({ forgotten: { type: 'boolean' } }),
  expiration: object({ valid: { type: 'boolean' }, expiration: nullableString }),
  idToken: object({ idToken: string, expiration: string }),
  otelHeaders: { type: 'object', additionalProperties: string },
  signIn: signInReply,
  awaitSignIn: signInReply,
  pageOpened: object({ noted: { type: 'boolean' } }),
  signOut: object({ wasSignedIn: { type: 'boolean' }, revoked: { type: 'boolean' } }),
  status: object({
    daemon: versionReply,
    clockSkewSeconds: { type: 'integer' },
    network: object({ proxy: nullableString, certificates: { type: 'array', items: string } }),
    config: string,
    configProblem: nullableProblem,
    profiles: {
      type: 'array',
      items: object({
        profile: string,
        issuer: nullableString,
        state: { enum: ['signed-in', 'signed-out', 'signing-in', 'misconfigured'] },
        user: nullableString,
        storage: nullableString,
        federation: nullableString,
        credentialsUntil: nullableString,
        nextRefresh: nullableString,
        idTokenUntil: nullableString,
        problem: nullableProblem,
      }),
    },
  }),
};

/** Last time that {@link rfc3339} can format: years have four digits. */
export const LAST_TIME_MS = 253_402_300_799_000;

/** Formats a time by RFC 3339 in UTC with whole seconds, which every SDK can parse. */
export function rfc3339(epochMs: number): string {
  return `${new Date(Math.floor(epochMs / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}
