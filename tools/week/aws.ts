/** Amazon Cognito on true time: the sandbox's, which verifies every ID token. */
import { type AwsAccount, AwsError, type AwsService } from '../../sandbox/aws/aws-service.ts';
import { cognitoIdentity } from '../../sandbox/aws/cognito-identity.ts';
import { createCredentialLedger } from '../../sandbox/aws/credential-ledger.ts';
import type { Reply } from './faults.ts';
import { PROFILES, type ProfileName } from './plan.ts';
import { CLIENT_ID, ISSUER, type Provider } from './provider.ts';

/** Each profile has an identity pool in a region of its own, so that a request tells whose it is. */
const REGIONS: Readonly<Record<ProfileName, string>> = {
  ClaudeCode: 'us-east-1',
  Research: 'eu-central-1',
  Broken: 'ap-northeast-1',
};

/** Identity pools always give an hour. */
const CREDENTIAL_SECONDS = 3600;

export function poolOf(profile: ProfileName): { region: string; id: string } {
  const region = REGIONS[profile];
  return { region, id: `${region}:11111111-2222-4333-8444-555555555555` };
}

export type Aws = {
  /** Returns the profile whose pool answers at that address; undefined: it is not AWS. */
  profileAt(url: URL): ProfileName | undefined;
  ask(profile: ProfileName, headers: Headers, body: string): Promise<Reply>;
  /** True expiry of the credentials with this access key id. */
  expiryOf(profile: ProfileName, accessKeyId: string): number | undefined;
  readonly counts: { exchanges: number };
};

/** @param throttling whether AWS refuses everything at the moment. */
export function createAws(now: () => number, provider: Provider, throttling: () => boolean): Aws {
  const accounts = new Map(PROFILES.map((profile) => [profile, createAccount(profile, now, provider)]));
  const accountOf = (profile: ProfileName): { account: AwsAccount; service: AwsService } => {
    const found = accounts.get(profile);
    if (!found) throw new Error(`no AWS account for ${profile}`);
    return found;
  };
  const counts = { exchanges: 0 };
  return {
    counts,
    profileAt: ({ hostname }) => PROFILES.find((profile) => hostname.includes(`.${REGIONS[profile]}.`)),
    expiryOf: (profile, accessKeyId) => accountOf(profile).account.ledger.find(accessKeyId)?.expiresAtMs,
    ask: async (profile, headers, body) => {
      const { service } = accountOf(profile);
      const request = {
        method: 'POST',
        target: '/',
        path: '/',
        query: new URLSearchParams(),
        headers: Object.fromEntries([...headers].map(([name, value]) => [name, [value]])),
        body: Buffer.from(body),
      };
      try {
        if (throttling()) throw new AwsError('TooManyRequestsException', 'Rate exceeded');
        const operation = service.operation(request) ?? '';
        const answer = await service.answer(operation, request);
        if (operation === 'GetCredentialsForIdentity') counts.exchanges += 1;
        return { ...answer, headers: { 'content-type': answer.contentType } };
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        const answer = service.refuse(error, 'request');
        return { ...answer, headers: { ...answer.headers, 'content-type': answer.contentType } };
      }
    },
  };
}

function createAccount(profile: ProfileName, now: () => number, provider: Provider) {
  const { region, id } = poolOf(profile);
  const account: AwsAccount = {
    issuers: [{ issuer: ISSUER, jwks: provider.jwks }],
    clientId: CLIENT_ID,
    region,
    regions: [region],
    identityPoolId: id,
    roleArn: 'arn:aws:iam::123456789012:role/Bedrock',
    maxSessionSeconds: CREDENTIAL_SECONDS,
    ledger: createCredentialLedger(now),
    credentialSeconds: CREDENTIAL_SECONDS,
    regionsWithoutModels: new Set(),
    nowMs: now,
  };
  return { account, service: cognitoIdentity(account) };
}
