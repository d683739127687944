import { createHash } from 'node:crypto';
import {
  type AwsAccount,
  AwsError,
  type AwsService,
  jsonRefusal,
  type ServiceRequest,
} from './aws-service.ts';
import { type TokenVerdict, verifyWebIdentity } from './web-identity.ts';

const contentType = 'application/x-amz-json-1.1';
const targetPrefix = 'AWSCognitoIdentityService.';

/** The session name that Cognito uses for every user (enhanced flow). */
export const cognitoSessionName = 'CognitoIdentityCredentials';

/** Amazon Cognito identity pools: `GetId` and `GetCredentialsForIdentity`, enhanced flow, AWS JSON 1.1. */
export function cognitoIdentity(account: AwsAccount): AwsService {
  /** Identity ids by pool, login and sub. */
  const identities = new Map<string, { readonly login: string; readonly sub: string }>();

  return {
    operation(request) {
      const target = request.headers['x-amz-target']?.[0];
      return target?.startsWith(targetPrefix) ? target.slice(targetPrefix.length) : undefined;
    },
    async answer(operation, request) {
      const input = parseInput(request);
      const reply = (body: unknown) => ({ status: 200, contentType, body: JSON.stringify(body) });
      if (operation === 'GetId') {
        const poolId = text(input, 'IdentityPoolId');
        if (poolId !== account.identityPoolId) {
          throw new AwsError('ResourceNotFoundException', `IdentityPool '${poolId}' not found.`);
        }
        const owner = await verifyLogins(input, account);
        const id = identityId(account, owner);
        identities.set(id, owner);
        return reply({ IdentityId: id });
      }
      if (operation === 'GetCredentialsForIdentity') {
        const id = text(input, 'IdentityId');
        const identity = identities.get(id);
        if (identity === undefined) {
          throw new AwsError('ResourceNotFoundException', `Identity '${id}' not found.`);
        }
        const owner = await verifyLogins(input, account);
        if (identity.login !== owner.login || identity.sub !== owner.sub) {
          throw notAuthorized(
            "Logins don't match. Please include at least one valid login for this identity or identity pool.",
          );
        }
        const issued = account.ledger.issue({
          roleArn: account.roleArn,
          sessionName: cognitoSessionName,
          seconds: account.credentialSeconds ?? 3600,
        });
        const Credentials = {
          AccessKeyId: issued.accessKeyId,
          SecretKey: issued.secretAccessKey,
          SessionToken: issued.sessionToken,
          Expiration: issued.expiresAtMs / 1000,
        };
        return { ...reply({ IdentityId: id, Credentials }), accessKeyId: issued.accessKeyId };
      }
      throw new AwsError('UnknownOperationException', '');
    },
    refuse: (error) => jsonRefusal(error, contentType),
  };
}

type Input = Readonly<Record<string, unknown>>;

function parseInput(request: ServiceRequest): Input {
  try {
    const input: unknown = JSON.parse(Buffer.from(request.body).toString());
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as Input;
  } catch {
    // Reported below, like valid JSON that is no object.
  }
  throw new AwsError('SerializationException', 'Start of structure or map found where not expected.');
}

function text(input: Input, name: string): string {
  const value = input[name];
  const member = name.charAt(0).toLowerCase() + name.slice(1);
  const failed = (constraint: string) =>
    new AwsError(
      'ValidationException',
      `1 validation error detected: Value at '${member}' failed to satisfy constraint: ${constraint}`,
    );
  if (typeof value !== 'string') throw failed('Member must not be null');
  if (!/^[\w-]+:[0-9a-f-]+$/.test(value)) {
    throw failed('Member must satisfy regular expression pattern: [\\w-]+:[0-9a-f-]+');
  }
  return value;
}

/** Verifies the one login of the request. @throws {AwsError} NotAuthorizedException */
async function verifyLogins(input: Input, account: AwsAccount): Promise<{ login: string; sub: string }> {
  const logins = Object.entries((input.Logins ?? {}) as Record<string, unknown>);
  const [login, token] = logins[0] ?? [];
  if (login === undefined || typeof token !== 'string') {
    throw notAuthorized('Unauthenticated access is not supported for this identity pool.');
  }
  // The key is the provider's name in IAM: exactly the issuer without its scheme.
  const issuer = account.issuers.find((known) => known.issuer.replace(/^https?:\/\//, '') === login);
  if (issuer === undefined || logins.length !== 1) {
    throw notAuthorized('Token is not from a supported provider of this identity pool.');
  }
  const nowMs = account.nowMs();
  const verdict = await verifyWebIdentity(token, {
    issuers: account.issuers,
    audience: account.clientId,
    nowMs,
  });
  if (!verdict.ok) throw notAuthorized(`Invalid login token. ${reasonText(verdict, nowMs)}`);
  if (verdict.issuer !== issuer.issuer) {
    throw notAuthorized("Invalid login token. Issuer doesn't match providerName");
  }
  return { login, sub: verdict.sub };
}

/** Returns the service's own message for a problem. */
function reasonText(verdict: TokenVerdict & { ok: false }, nowMs: number): string {
  switch (verdict.problem) {
    case 'malformed':
      return 'Not a valid OpenId Connect identity token.';
    case 'unknown-issuer':
      return "Issuer doesn't match providerName";
    case 'wrong-audience':
      return 'Incorrect token audience.';
    case 'missing-claim':
      return `Missing a required claim: ${verdict.detail}`;
    case 'expired':
      return `Token expired: ${Math.floor(nowMs / 1000)} >= ${verdict.claims?.exp}`;
    case 'not-yet-valid':
      return 'Token is not yet valid.';
    case 'bad-signature':
      return "Couldn't verify signed token.";
  }
}

/** Returns the identity id, `REGION:UUID`; always the same for one user. */
function identityId(account: AwsAccount, owner: { login: string; sub: string }): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([account.identityPoolId, owner.login, owner.sub]))
    .digest('hex');
  const parts = [
    hash.slice(0, 8),
    hash.slice(8, 12),
    hash.slice(12, 16),
    hash.slice(16, 20),
    hash.slice(20, 32),
  ];
  return `${account.region}:${parts.join('-')}`;
}

function notAuthorized(message: string): AwsError {
  return new AwsError('NotAuthorizedException', message);
}
