import {
  type AwsAccount,
  AwsError,
  type AwsReply,
  type AwsService,
  authenticate,
  querySignatureErrors,
  type ServiceRequest,
} from './aws-service.ts';
import { parametersOf, refusal, success } from './query-protocol.ts';
import { type TokenProblem, verifyWebIdentity } from './web-identity.ts';

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** AWS STS: `GetCallerIdentity` and `AssumeRoleWithWebIdentity`, query protocol with XML answers. */
export function sts(account: AwsAccount): AwsService {
  return {
    operation(request) {
      if (request.path !== '/') return undefined;
      return parametersOf(request).get('Action') ?? undefined;
    },
    async answer(operation, request) {
      const parameters = parametersOf(request);
      if (parameters.get('Version') !== '2011-06-15') {
        throw new AwsError('InvalidAction', `Could not find operation ${operation} for this version`);
      }
      if (operation === 'GetCallerIdentity') return getCallerIdentity(request, account);
      if (operation === 'AssumeRoleWithWebIdentity') return assumeRole(parameters, account);
      throw new AwsError('InvalidAction', `Could not find operation ${operation} for version 2011-06-15`);
    },
    refuse: (error, requestId) => refusal(namespace, error, requestId),
  };
}

function getCallerIdentity(request: ServiceRequest, account: AwsAccount): AwsReply {
  const caller = authenticate(request, account, 'sts', querySignatureErrors);
  const result = { Arn: caller.arn, UserId: caller.userId, Account: caller.account };
  return { ...success(namespace, 'GetCallerIdentity', result), accessKeyId: caller.accessKeyId };
}

async function assumeRole(parameters: URLSearchParams, account: AwsAccount): Promise<AwsReply> {
  const roleArn = required(parameters, 'RoleArn', /^arn:aws:iam::\d{12}:role\/[\w+=,.@/-]+$/);
  const sessionName = required(parameters, 'RoleSessionName', /^[\w+=,.@-]{2,64}$/);
  const token = required(parameters, 'WebIdentityToken', /^[\s\S]{4,20000}$/);
  const seconds = durationOf(parameters, account);

  const nowMs = account.nowMs();
  const verdict = await verifyWebIdentity(token, {
    issuers: account.issuers,
    audience: account.clientId,
    nowMs,
  });
  if (!verdict.ok) {
    if (verdict.problem === 'expired') {
      throw new AwsError(
        'ExpiredTokenException',
        `Token expired: current date/time ${Math.floor(nowMs / 1000)} must be before the expiration date/time ${verdict.claims?.exp}`,
      );
    }
    throw new AwsError('InvalidIdentityToken', problemText(verdict.problem, verdict.detail));
  }
  if (roleArn !== account.roleArn) {
    throw new AwsError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity', 403);
  }
  const issued = account.ledger.issue({ roleArn, sessionName, seconds });
  const result = {
    SubjectFromWebIdentityToken: verdict.sub,
    Audience: account.clientId,
    AssumedRoleUser: { AssumedRoleId: issued.userId, Arn: issued.arn },
    Credentials: {
      AccessKeyId: issued.accessKeyId,
      SecretAccessKey: issued.secretAccessKey,
      SessionToken: issued.sessionToken,
      Expiration: new Date(issued.expiresAtMs).toISOString().replace(/\.\d+/, ''),
    },
    Provider: verdict.issuer.replace(/^https?:\/\//, ''),
  };
  return { ...success(namespace, 'AssumeRoleWithWebIdentity', result), accessKeyId: issued.accessKeyId };
}

function problemText(problem: TokenProblem, detail: string): string {
  switch (problem) {
    case 'unknown-issuer':
      return `No OpenIDConnect provider found in your account for ${detail}`;
    case 'wrong-audience':
      return 'Incorrect token audience';
    case 'missing-claim':
      return `Missing a required claim: ${detail}`;
    case 'not-yet-valid':
      return 'Token is not yet valid';
    default:
      return 'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)';
  }
}

/** Returns the session's seconds: 900 to 43200, at most the role's maximum, 3600 by default. */
function durationOf(parameters: URLSearchParams, account: AwsAccount): number {
  const asked = parameters.get('DurationSeconds');
  const seconds = asked === null ? 3600 : Number(asked);
  if (!Number.isInteger(seconds) || seconds < 900 || seconds > 43_200) {
    const limit = seconds < 900 ? 'greater than or equal to 900' : 'less than or equal to 43200';
    throw invalid('durationSeconds', `Member must have value ${limit}`);
  }
  if (seconds > account.maxSessionSeconds) {
    throw new AwsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    );
  }
  return Math.min(seconds, account.credentialSeconds ?? seconds);
}

function required(parameters: URLSearchParams, name: string, pattern: RegExp): string {
  const value = parameters.get(name);
  const member = name.charAt(0).toLowerCase() + name.slice(1);
  if (value === null) throw invalid(member, 'Member must not be null');
  if (!pattern.test(value)) {
    throw invalid(member, `Member must satisfy regular expression pattern: ${pattern.source}`);
  }
  return value;
}

function invalid(member: string, constraint: string): AwsError {
  return new AwsError(
    'ValidationError',
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: ${constraint}`,
  );
}
