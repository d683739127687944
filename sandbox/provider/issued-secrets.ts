/** Kinds of secrets that only the client and its server may see. */
export type SecretKind =
  | 'refresh token'
  | 'access token'
  | 'ID token'
  | 'authorization code'
  | 'device code'
  | 'code verifier'
  | 'client secret'
  | 'state'
  | 'nonce'
  | 'AWS access key id'
  | 'AWS secret access key'
  | 'AWS session token';

export interface IssuedSecret {
  readonly kind: SecretKind;
  readonly value: string;
}

/** Every secret issued or received, each once. Tests search logs and files for them. */
export interface IssuedSecrets {
  note(kind: SecretKind, value: unknown): void;
  /** Notes the fields of a form, query or response that are secrets. */
  noteAll(fields: Readonly<Record<string, unknown>>): void;
  list(): IssuedSecret[];
}

/** Names of OAuth 2.0, OpenID Connect and RFC 8628. */
const kinds: Readonly<Record<string, SecretKind>> = {
  refresh_token: 'refresh token',
  access_token: 'access token',
  id_token: 'ID token',
  code: 'authorization code',
  device_code: 'device code',
  code_verifier: 'code verifier',
  client_secret: 'client secret',
  state: 'state',
  nonce: 'nonce',
};

export function createIssuedSecrets(): IssuedSecrets {
  const secrets = new Map<string, SecretKind>();
  const note = (kind: SecretKind, value: unknown) => {
    if (typeof value === 'string' && value !== '') secrets.set(value, kind);
  };
  return {
    note,
    noteAll(fields) {
      for (const [name, value] of Object.entries(fields)) {
        const kind = kinds[name];
        if (kind !== undefined) note(kind, value);
      }
    },
    list: () => [...secrets].map(([value, kind]) => ({ kind, value })),
  };
}
