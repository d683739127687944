import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CloudFormationOperation } from '../cloudformation/cloudformation.ts';
import { applyFault, type FaultBoard } from '../http/faults.ts';
import { readBody } from '../http/loopback-server.ts';
import { type AwsFault, demanded } from './aws-faults.ts';
import { AwsError, type AwsReply, type AwsService, jsonRefusal, type ServiceRequest } from './aws-service.ts';

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

/** A request that arrived, and its result. */
export interface AwsCall {
  readonly operation: string;
  /** The last four characters of the access key id that was issued or that signed the request. */
  readonly keyTail?: string;
  /** The HTTP status; 0: no reply was sent. */
  readonly status: number;
  /** The error's code, if the reply is an error. */
  readonly error?: string;
}

/** The services and what is recorded and changed about their requests. */
export interface RequestHandlerOptions {
  readonly services: readonly AwsService[];
  readonly faults: FaultBoard<AwsOperation, AwsFault>;
  /** Receives every request, in order. */
  readonly calls: AwsCall[];
  /** The account's clock. */
  nowMs(): number;
}

/** Creates the handler of all requests: finds the service, applies a fault, records the call and replies. */
export function createRequestHandler(
  options: RequestHandlerOptions,
): (incoming: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { services, faults, calls, nowMs } = options;
  return async (incoming, response) => {
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
  };
}

async function readRequest(incoming: IncomingMessage): Promise<ServiceRequest> {
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
  request: ServiceRequest,
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
  request: ServiceRequest,
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
