import type { CredentialLedger, IssuedCredentials } from './credential-ledger.ts';
import { type SignatureProblem, type SignedRequest, verifySignature } from './sigv4.ts';
import type { TrustedIssuer } from './web-identity.ts';

/** A request with its body read. */
export interface ServiceRequest extends SignedRequest {
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface AwsReply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The key that was issued or that signed the request, for the call log. */
  readonly accessKeyId?: string;
}

/** An error of an AWS service, with its code. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = status;
  }
}

/** One AWS service: detects the operation of a request and replies in its protocol. */
export interface AwsService {
  /** Returns the operation's name; undefined: the request is for another service. */
  operation(request: ServiceRequest): string | undefined;
  /** @throws {AwsError} */
  answer(operation: string, request: ServiceRequest): Promise<AwsReply>;
  refuse(error: AwsError, requestId: string): AwsReply;
}

/** The account that all services share. They read it at each request, because tests change it. */
export interface AwsAccount {
  readonly issuers: readonly TrustedIssuer[];
  /** The audience that the role and the pool accept. */
  readonly clientId: string;
  readonly region: string;
  /** Regions that signatures may name. */
  readonly regions: readonly string[];
  readonly identityPoolId: string;
  readonly roleArn: string;
  /** The longest session that the role allows. */
  readonly maxSessionSeconds: number;
  readonly ledger: CredentialLedger;
  /** Lifetime of credentials from Cognito (undefined: 3600), and the maximum from STS (undefined: no limit). */
  credentialSeconds: number | undefined;
  /** Regions without permission to invoke a model. */
  readonly regionsWithoutModels: Set<string>;
  /** The account's clock, which may differ from the machine's. */
  nowMs(): number;
}

/** Error codes of a protocol family, by problem with the signature. */
export type SignatureErrors = Readonly<Record<SignatureProblem, readonly [code: string, message?: string]>>;

const invalidToken = 'The security token included in the request is invalid.';
const expiredToken = 'The security token included in the request is expired';
const mismatch =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';

/** The query protocol (STS). Only S3 says RequestTimeTooSkewed. */
export const querySignatureErrors: SignatureErrors = {
  missing: ['MissingAuthenticationToken', 'Request is missing Authentication Token'],
  incomplete: ['IncompleteSignature'],
  'unknown-key': ['InvalidClientTokenId', invalidToken],
  'wrong-token': ['InvalidClientTokenId', invalidToken],
  'expired-token': ['ExpiredToken', expiredToken],
  'wrong-scope': ['SignatureDoesNotMatch'],
  skewed: ['SignatureDoesNotMatch'],
  mismatch: ['SignatureDoesNotMatch', mismatch],
};

/** The JSON protocols (Bedrock). */
export const jsonSignatureErrors: SignatureErrors = {
  missing: ['MissingAuthenticationTokenException', 'Missing Authentication Token'],
  incomplete: ['IncompleteSignatureException'],
  'unknown-key': ['UnrecognizedClientException', invalidToken],
  'wrong-token': ['UnrecognizedClientException', invalidToken],
  'expired-token': ['ExpiredTokenException', expiredToken],
  'wrong-scope': ['InvalidSignatureException'],
  skewed: ['InvalidSignatureException'],
  mismatch: ['InvalidSignatureException', mismatch],
};

/** Returns the region that a request is signed for. In AWS, that region's endpoint would receive it. */
export function regionOf(request: ServiceRequest, account: AwsAccount): string {
  const scope = /Credential=[^/]+\/\d{8}\/([a-z\d-]+)\//.exec(request.headers.authorization?.[0] ?? '');
  return scope?.[1] ?? account.region;
}

/** Returns the credentials that signed the request. @throws {AwsError} 403, or 400 for a malformed header */
export function authenticate(
  request: ServiceRequest,
  account: AwsAccount,
  service: string,
  names: SignatureErrors,
): IssuedCredentials {
  const verdict = verifySignature(request, {
    find: account.ledger.find,
    regions: account.regions,
    service,
    nowMs: account.nowMs(),
  });
  if (verdict.ok) return verdict.credentials;
  const [code, message] = names[verdict.problem];
  throw new AwsError(code, message ?? verdict.detail, verdict.problem === 'incomplete' ? 400 : 403);
}

/** Returns an error in the JSON protocols. SDKs read the header first, then `__type`. */
export function jsonRefusal(error: AwsError, contentType: string): AwsReply {
  return {
    status: error.status,
    contentType,
    headers: { 'x-amzn-errortype': `${error.code}:` },
    body: JSON.stringify({ __type: error.code, message: error.message }),
  };
}
