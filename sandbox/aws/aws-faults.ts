import type { Fault } from '../http/faults.ts';
import { AwsError } from './aws-service.ts';

/** A fault of the connection, or an error of the service, e.g. `TooManyRequestsException`. */
export type AwsFault =
  | Fault
  | { readonly kind: 'error'; readonly code: string; readonly message?: string; readonly status?: number };

/** Default messages and statuses of errors that a test sets by code. */
const usualErrors: Readonly<Record<string, readonly [message: string, status: number]>> = {
  TooManyRequestsException: ['Rate exceeded', 400],
  ExternalServiceException: ['The identity provider could not be reached.', 400],
  InternalErrorException: ['Internal error', 500],
  Throttling: ['Rate exceeded', 400],
  ThrottlingException: ['Too many requests, please wait before trying again.', 429],
  IDPCommunicationError: ['Could not reach the identity provider.', 400],
};

export function demanded(fault: AwsFault & { kind: 'error' }): AwsError {
  const [message, status] = usualErrors[fault.code] ?? ['', 400];
  return new AwsError(fault.code, fault.message ?? message, fault.status ?? status);
}
