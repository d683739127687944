import { cloudFormation } from '../cloudformation/cloudformation.ts';
import type { Stacks } from '../cloudformation/records.ts';
import { createStacks } from '../cloudformation/stacks.ts';
import { createFaultBoard } from '../http/faults.ts';
import { openLoopbackServer } from '../http/loopback-server.ts';
import type { IssuedSecret } from '../provider/issued-secrets.ts';
import type { AwsFault } from './aws-faults.ts';
import type { AwsAccount } from './aws-service.ts';
import { bedrock } from './bedrock.ts';
import { cognitoIdentity } from './cognito-identity.ts';
import { createCredentialLedger, type IssuedCredentials } from './credential-ledger.ts';
import { type AwsCall, type AwsOperation, createRequestHandler } from './request-handler.ts';
import { sts } from './sts.ts';
import type { TrustedIssuer } from './web-identity.ts';

export type { AwsCall, AwsFault, AwsOperation, TrustedIssuer };

export interface AwsEndpointsOptions {
  /** Providers that both the identity pool and the role trust. */
  readonly issuers: readonly TrustedIssuer[];
  /** The audience of accepted ID tokens. */
  readonly clientId: string;
  /** 0 (default): any free port. */
  readonly port?: number;
  /** Default `us-east-1`. */
  readonly region?: string;
  /** Regions that signatures may name. Default: only `region`. */
  readonly regions?: readonly string[];
  /** `REGION:UUID`. Default: a fixed one. */
  readonly identityPoolId?: string;
  /** Default: a role in account 123456789012. */
  readonly roleArn?: string;
  /** MaxSessionDuration of the role. Default 43200. */
  readonly maxSessionSeconds?: number;
  /** Lifetime of credentials from Cognito (default 3600), and the maximum from STS (default no limit). */
  readonly credentialSeconds?: number;
  /** Regions without permission to invoke a model. Default: none. */
  readonly regionsWithoutModels?: readonly string[];
  /** Difference of the account's clock from the machine's; positive: ahead. Default 0. */
  readonly clockOffsetMs?: number;
}

/** All services at one address. The request, as an SDK makes it, identifies the service. */
export interface AwsEndpoints {
  /** `http://127.0.0.1:PORT`, the endpoint of every service. */
  readonly url: string;
  readonly port: number;
  readonly region: string;
  readonly identityPoolId: string;
  readonly roleArn: string;
  readonly clientId: string;
  /** Every request that arrived, in order. */
  readonly calls: readonly AwsCall[];
  count(operation: AwsOperation): number;
  resetCalls(): void;
  /** Every secret issued so far. */
  secrets(): IssuedSecret[];
  /** @param fault absent: removes the fault. @param times number of requests; absent: until changed */
  setFault(place: AwsOperation | 'all', fault?: AwsFault, times?: number): void;
  clearFaults(): void;
  /** Lifetime of credentials issued from now on; also the maximum from STS. */
  setCredentialSeconds(seconds: number): void;
  setClockOffset(ms: number): void;
  /** The stacks of the account, for tests to set up and inspect. */
  readonly stacks: Stacks;
  /** Issues credentials of a role, like the sign-in of an administrator. */
  signIn(roleArn: string, sessionName: string): IssuedCredentials;
  /** Invalidates all credentials issued so far. */
  expireAllCredentials(): void;
  /** Refuses connections until `start`; identities and credentials survive. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Starts the AWS services of one account on a loopback port. */
export async function startAwsEndpoints(options: AwsEndpointsOptions): Promise<AwsEndpoints> {
  let clockOffsetMs = options.clockOffsetMs ?? 0;
  const nowMs = () => Date.now() + clockOffsetMs;
  const region = options.region ?? 'us-east-1';
  const account: AwsAccount = {
    issuers: options.issuers,
    clientId: options.clientId,
    region,
    regions: options.regions ?? [region],
    identityPoolId: options.identityPoolId ?? `${region}:11111111-2222-4333-8444-555555555555`,
    roleArn: options.roleArn ?? 'arn:aws:iam::123456789012:role/BedrockSandboxRole',
    maxSessionSeconds: options.maxSessionSeconds ?? 43_200,
    ledger: createCredentialLedger(nowMs),
    credentialSeconds: options.credentialSeconds,
    regionsWithoutModels: new Set(options.regionsWithoutModels),
    nowMs,
  };
  const stacks = createStacks(account);
  const services = [
    cognitoIdentity(account),
    bedrock(account),
    cloudFormation(account, stacks),
    sts(account),
  ];
  const faults = createFaultBoard<AwsOperation, AwsFault>();
  const calls: AwsCall[] = [];

  const handle = createRequestHandler({ services, faults, calls, nowMs });
  const server = await openLoopbackServer((incoming, response) => {
    // The client of a request that breaks off while it is read can receive no reply.
    handle(incoming, response).catch(() => incoming.socket.destroy());
  }, options.port);

  return {
    url: server.origin,
    port: server.port,
    region,
    identityPoolId: account.identityPoolId,
    roleArn: account.roleArn,
    clientId: account.clientId,
    calls,
    count: (operation) => calls.filter((call) => call.operation === operation).length,
    resetCalls: () => {
      calls.length = 0;
    },
    secrets: () =>
      account.ledger.list().flatMap(({ accessKeyId, secretAccessKey, sessionToken }) => [
        { kind: 'AWS access key id', value: accessKeyId },
        { kind: 'AWS secret access key', value: secretAccessKey },
        { kind: 'AWS session token', value: sessionToken },
      ]),
    setFault: faults.set,
    clearFaults: faults.clear,
    setCredentialSeconds: (seconds) => {
      account.credentialSeconds = seconds;
    },
    setClockOffset: (ms) => {
      clockOffsetMs = ms;
    },
    stacks,
    signIn: (roleArn, sessionName) => account.ledger.issue({ roleArn, sessionName, seconds: 3600 }),
    expireAllCredentials: account.ledger.expireAll,
    stop: server.stop,
    start: server.start,
    close: server.stop,
  };
}
