import type { IncomingMessage, ServerResponse } from 'node:http';
import { type CloudFormationOperation, cloudFormation } from '../cloudformation/cloudformation.ts';
import { createStacks, type Stacks } from '../cloudformation/stacks.ts';
import { applyFault, createFaultBoard } from '../http/faults.ts';
import { openLoopbackServer, readBody } from '../http/loopback-server.ts';
import type { IssuedSecret } from '../provider/issued-secrets.ts';
import { type AwsFault, demanded } from './aws-faults.ts';
import {
  type AwsAccount,
  AwsError,
  type AwsReply,
  type AwsRequest,
  type AwsService,
  jsonRefusal,
} from './aws-service.ts';
import { bedrock } from './bedrock.ts';
import { cognitoIdentity } from './cognito-identity.ts';
import { createCredentialLedger, type IssuedCredentials } from './credential-ledger.ts';
import { sts } from './sts.ts';
import type { TrustedIssuer } from './web-identity.ts';

export type { AwsFault, TrustedIssuer };

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
  /** `REGION:UUID`; a default one exists. */
  readonly identityPoolId?: string;
  /** Default a role in account 123456789012. */
  readonly roleArn?: string;
  /** MaxSessionDuration of the role. Default 43200. */
  readonly maxSessionSeconds?: number;
  /** Lifetime of credentials from Cognito, and the most that STS gives. Default 3600 and no limit. */
  readonly credentialSeconds?: number;
  /** Regions in which nobody may invoke a model. Default: none. */
  readonly regionsWithoutModels?: readonly string[];
  /** How far the account's clock is ahead of the machine's (negative: behind). Default 0. */
  readonly clockOffsetMs?: number;
}

export type AwsOperation =
  | 'GetId'
  | 'GetCredentialsForIdentity'
  | 'GetCallerIdentity'
  | 'AssumeRoleWithWebIdentity'
  | 'InvokeModel'
  | 'Converse'
  | 'ListFoundationModels'
  | 'ListInferenceProfiles'
  | CloudFormationOperation;

export interface AwsCall {
  readonly operation: string;
  /** The last four characters of the access key id that was given out or that signed. */
  readonly keyTail?: string;
  /** The HTTP status; 0: no answer was given. */
  readonly status: number;
  /** The error's code, when it was one. */
  readonly error?: string;
}

/** All services at one address; which one is meant shows in the request, as SDKs make it. */
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
  /** Every secret that was given out so far. */
  secrets(): IssuedSecret[];
  /** @param fault absent: none any more. @param times how many requests; absent: until changed */
  setFault(place: AwsOperation | 'all', fault?: AwsFault, times?: number): void;
  clearFaults(): void;
  /** For credentials given out from now on; also caps what STS gives. */
  setCredentialSeconds(seconds: number): void;
  setClockOffset(ms: number): void;
  /** The account's CloudFormation, to set up and to look into. */
  readonly stacks: Stacks;
  /** Credentials of a role for somebody, as a sign-in of an administrator would give. */
  signIn(roleArn: string, sessionName: string): IssuedCredentials;
  /** No credentials given out so far are valid any more. */
  expireAllCredentials(): void;
  /** Refuses connections until `start`; identities and credentials survive. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

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

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(incoming);
    const requestId = crypto.randomUUID();
    response.setHeader('date', new Date(nowMs()).toUTCString());
    response.setHeader('x-amzn-requestid', requestId);
    const { service, operation } = route(services, request);
    // Only the operations named in AwsOperation can have a fault of their own; others fall under `all`.
    const fault = faults.take(operation as AwsOperation);

    let outcome: Awaited<ReturnType<typeof applyFault>> = 'proceed';
    if (fault !== undefined && fault.kind !== 'error') outcome = await applyFault(fault, incoming, response);
    if (outcome === 'answered') {
      calls.push({ operation, status: response.headersSent ? response.statusCode : 0 });
      return;
    }
    const { reply, error } = await answer(service, operation, request, requestId, fault);
    const lost = outcome === 'proceed-silently';
    calls.push({
      operation,
      status: lost ? 0 : reply.status,
      ...(reply.accessKeyId === undefined ? {} : { keyTail: reply.accessKeyId.slice(-4) }),
      ...(error === undefined ? {} : { error }),
    });
    if (lost) {
      incoming.socket.destroy();
      return;
    }
    response.writeHead(reply.status, { 'content-type': reply.contentType, ...reply.headers });
    response.end(reply.body);
  }

  const server = await openLoopbackServer((incoming, response) => {
    // A request that is cut off while it is read has nobody left to tell.
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

async function readRequest(incoming: IncomingMessage): Promise<AwsRequest> {
  const target = incoming.url ?? '/';
  const url = new URL(target, 'http://localhost');
  return {
    method: incoming.method ?? 'GET',
    target,
    path: target.split('?')[0] ?? '/',
    query: url.searchParams,
    headers: incoming.headersDistinct,
    body: await readBody(incoming),
  };
}

function route(
  services: readonly AwsService[],
  request: AwsRequest,
): { service: AwsService | undefined; operation: string } {
  for (const service of services) {
    const operation = service.operation(request);
    if (operation !== undefined) return { service, operation };
  }
  return { service: undefined, operation: 'Unknown' };
}

async function answer(
  service: AwsService | undefined,
  operation: string,
  request: AwsRequest,
  requestId: string,
  fault: AwsFault | undefined,
): Promise<{ reply: AwsReply; error?: string }> {
  if (service === undefined) {
    const error = new AwsError('UnknownOperationException', `nothing here answers ${request.target}`, 404);
    return { reply: jsonRefusal(error, 'application/json'), error: error.code };
  }
  try {
    if (fault?.kind === 'error') throw demanded(fault);
    return { reply: await service.answer(operation, request) };
  } catch (cause) {
    const error = cause instanceof AwsError ? cause : new AwsError('InternalFailure', String(cause), 500);
    return { reply: service.refuse(error, requestId), error: error.code };
  }
}
