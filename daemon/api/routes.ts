import {
  type Credentials,
  type DrainReply,
  type DrainRequest,
  type ExpirationReply,
  type IdTokenReply,
  type NetworkStatus,
  type RouteName,
  rfc3339,
  type SignInReply,
  type SignInRequest,
  type SignOutReply,
  type StatusReply,
  type VersionReply,
} from '../../protocol/api.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { BUILD_VERSION, PROTOCOL_VERSION } from '../../protocol/version.ts';
import type { AwsCredentials } from '../aws/aws-calls.ts';
import type { ContainerEndpoint } from '../container/container-endpoint.ts';
import type { CorrectedClock } from '../platform/clock.ts';
import type { PeerCredentials } from '../platform/native.ts';
import type { Profiles } from '../profiles/profiles.ts';
import type { AuditLog } from './audit-log.ts';
import { createDisclose } from './disclosure.ts';
import { describe, profileStatuses } from './status.ts';

/** A request that has passed its schema; `signal` aborts when the caller disconnects. */
export type ApiRequest = {
  params: { profile: string; signIn: string };
  query: { wait: number; canOpenPage: boolean };
  body: unknown;
  /** Undefined where the system does not name the peer. */
  peer: PeerCredentials | undefined;
  signal: AbortSignal;
};

export type RouteHandler = (request: ApiRequest) => Promise<unknown>;

export type RouteDependencies = {
  profiles: Profiles;
  clock: CorrectedClock;
  network(): NetworkStatus;
  drain(request: DrainRequest): DrainReply;
  audit: AuditLog;
  container: Pick<ContainerEndpoint, 'problemOf'>;
  startedAt: number;
  configPath: string;
};

/** Returns the handler of each route: it checks, calls and replies. */
export function createRouteHandlers({
  profiles,
  clock,
  network,
  drain,
  audit,
  container,
  startedAt,
  configPath,
}: RouteDependencies): Record<RouteName, RouteHandler> {
  const disclose = createDisclose(audit);
  /** Formats a time by this machine's uncorrected clock, because callers compare it with that clock. */
  const time = (epochMs: number): string => rfc3339(clock.local(epochMs));
  const version = (): VersionReply => ({
    protocol: PROTOCOL_VERSION,
    build: BUILD_VERSION,
    pid: process.pid,
    startedAt: time(startedAt),
  });

  return {
    version: async () => version(),

    status: async (): Promise<StatusReply> => {
      profiles.reloadIfChanged();
      const { file } = profiles.invalid();
      if (file && profiles.all().length === 0) throw file;
      return {
        daemon: version(),
        clockSkewSeconds: Math.round(clock.skewMs() / 1000),
        network: network(),
        config: configPath,
        configProblem: file ? describe(file, time(clock.now())) : null,
        profiles: profileStatuses(profiles, clock, container.problemOf),
      };
    },

    drain: async ({ body }) => drain(body as DrainRequest),

    credentials: async ({ params, peer, signal }): Promise<Credentials> => {
      const { credentials, config } = profiles.get(params.profile);
      const request = { profile: config, what: 'credentials', peer, signal } as const;
      const given = await disclose(
        request,
        () => credentials.get(),
        ({ accessKeyId }) => accessKeyId,
      );
      return credentialProcessReply(given, time);
    },

    forgetCredentials: async ({ params }) => ({
      forgotten: profiles.get(params.profile).credentials.clear(),
    }),

    expiration: async ({ params }): Promise<ExpirationReply> => {
      const current = profiles.get(params.profile).credentials.peek();
      return { valid: current !== undefined, expiration: current ? time(current.expiresAt) : null };
    },

    idToken: async ({ params, peer, signal }): Promise<IdTokenReply> => {
      const { session, config } = profiles.get(params.profile);
      const request = { profile: config, what: 'id-token', peer, signal } as const;
      const { jwt, expiresAt } = await disclose(request, () => session.idToken());
      return { idToken: jwt, expiration: time(expiresAt) };
    },

    otelHeaders: async ({ params, peer, signal }): Promise<Record<string, string>> => {
      const { telemetry, config } = profiles.get(params.profile);
      if (!config.telemetry.sendsIdToken) return telemetry.headers();
      return disclose({ profile: config, what: 'id-token', peer, signal }, () => telemetry.headers());
    },

    ...createSignInHandlers(profiles),
  };
}

type SignInRoute = 'signIn' | 'awaitSignIn' | 'pageOpened' | 'signOut';

function createSignInHandlers(profiles: Profiles): Record<SignInRoute, RouteHandler> {
  return {
    signIn: async ({ params, body }): Promise<SignInReply> => {
      const request = body as SignInRequest;
      return profiles.get(params.profile).signIns.start(params.profile, request);
    },

    awaitSignIn: async ({ params, query, signal }): Promise<SignInReply> => {
      const options = { waitMs: query.wait, canOpenPage: query.canOpenPage, signal };
      for (const { signIns } of profiles.all()) {
        const reply = await signIns.wait(params.signIn, options);
        if (reply) return reply;
      }
      throw unknownSignIn(params.signIn);
    },

    pageOpened: async ({ params, body }) => {
      const { opened } = body as { opened: boolean };
      return { noted: profiles.all().some(({ signIns }) => signIns.pageOpened(params.signIn, opened)) };
    },

    signOut: async ({ params }): Promise<SignOutReply> => profiles.signOut(profiles.get(params.profile)),
  };
}

function credentialProcessReply(credentials: AwsCredentials, time: (epochMs: number) => string): Credentials {
  return {
    Version: 1,
    AccessKeyId: credentials.accessKeyId,
    SecretAccessKey: credentials.secretAccessKey,
    SessionToken: credentials.sessionToken,
    Expiration: time(credentials.expiresAt),
  };
}

function unknownSignIn(id: string): CcwbError {
  return new CcwbError(
    'ERR_NOT_FOUND',
    `there is no sign-in ${id}; it may have ended with a restart`,
    'run bedrock-auth login',
  );
}
