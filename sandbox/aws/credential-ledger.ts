import { randomBytes, randomInt } from 'node:crypto';
import type { SigningCredentials } from './sigv4.ts';

/** Temporary credentials issued by the sandbox. */
export interface IssuedCredentials extends SigningCredentials {
  readonly accessKeyId: string;
  readonly sessionToken: string;
  readonly expiresAtMs: number;
  /** `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION` */
  readonly arn: string;
  /** `AROA…:SESSION` */
  readonly userId: string;
  readonly account: string;
}

export interface CredentialLedger {
  issue(grant: {
    readonly roleArn: string;
    readonly sessionName: string;
    readonly seconds: number;
  }): IssuedCredentials;
  find(accessKeyId: string): IssuedCredentials | undefined;
  /** Returns all issued credentials, expired ones included. */
  list(): IssuedCredentials[];
  /** Expires all issued credentials now. */
  expireAll(): void;
}

export function createCredentialLedger(nowMs: () => number): CredentialLedger {
  const issued = new Map<string, IssuedCredentials>();
  const roleIds = new Map<string, string>();

  function roleId(roleArn: string): string {
    const known = roleIds.get(roleArn) ?? `AROA${base32(16)}`;
    roleIds.set(roleArn, known);
    return known;
  }

  return {
    issue({ roleArn, sessionName, seconds }) {
      const { account, role } = parseRoleArn(roleArn);
      const credentials: IssuedCredentials = {
        accessKeyId: `ASIA${base32(16)}`,
        secretAccessKey: randomBytes(30).toString('base64'),
        sessionToken: `IQoJb3JpZ2luX2Vj${randomBytes(600).toString('base64')}`,
        // AWS counts in whole seconds.
        expiresAtMs: Math.floor(nowMs() / 1000 + seconds) * 1000,
        arn: `arn:aws:sts::${account}:assumed-role/${role}/${sessionName}`,
        userId: `${roleId(roleArn)}:${sessionName}`,
        account,
      };
      issued.set(credentials.accessKeyId, credentials);
      return credentials;
    },
    find: (accessKeyId) => issued.get(accessKeyId),
    list: () => [...issued.values()],
    expireAll() {
      for (const [id, credentials] of issued) issued.set(id, { ...credentials, expiresAtMs: nowMs() });
    },
  };
}

/** `arn:aws:iam::123456789012:role/path/Name` → account and name. */
function parseRoleArn(roleArn: string): { account: string; role: string } {
  const match = /^arn:aws:iam::(\d{12}):role\/(?:.*\/)?([\w+=,.@-]+)$/.exec(roleArn);
  if (match === null) throw new TypeError(`not the ARN of a role: ${roleArn}`);
  return { account: match[1] ?? '', role: match[2] ?? '' };
}

function base32(length: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}
