/** oidc-provider's storage contract: one adapter per model, all of one provider over one store. */
export interface Payload {
  readonly uid?: string;
  readonly userCode?: string;
  readonly grantId?: string;
  readonly [key: string]: unknown;
}

export interface ProviderStore {
  adapter(model: string): ModelAdapter;
  refreshTokenState(token: string): RefreshTokenState;
  /** Removes everything: sessions, grants, codes, tokens. */
  clear(): void;
}

/**
 * State of a refresh token. `current`: not used yet. `grace`: used, still works.
 * `spent`: its next use ends the session. `void`: revoked or never issued.
 */
export type RefreshTokenState = 'current' | 'grace' | 'spent' | 'void';

export interface ModelAdapter {
  upsert(id: string, payload: Payload): Promise<void>;
  find(id: string): Promise<Payload | undefined>;
  findByUid(uid: string): Promise<Payload | undefined>;
  findByUserCode(userCode: string): Promise<Payload | undefined>;
  consume(id: string): Promise<void>;
  destroy(id: string): Promise<void>;
  revokeByGrantId(grantId: string): Promise<void>;
}

interface Entry {
  readonly model: string;
  readonly payload: Payload;
  consumedAtMs?: number;
}

/**
 * Creates a store that outlasts the provider object, so that sessions survive a rotation of the keys.
 * @param graceMs time in which a rotated refresh token still works (Okta and Cognito offer up to 60 s)
 */
export function createProviderStore(graceMs: () => number): ProviderStore {
  const entries = new Map<string, Entry>();

  function read(entry: Entry | undefined): Payload | undefined {
    if (entry?.consumedAtMs === undefined) return entry?.payload;
    const inGrace = entry.model === 'RefreshToken' && Date.now() - entry.consumedAtMs < graceMs();
    return inGrace ? entry.payload : { ...entry.payload, consumed: Math.floor(entry.consumedAtMs / 1000) };
  }

  function adapter(model: string): ModelAdapter {
    const key = (id: string) => `${model}:${id}`;
    const findBy = (name: 'uid' | 'userCode', value: string) => {
      for (const entry of entries.values()) {
        if (entry.model === model && entry.payload[name] === value) return read(entry);
      }
      return undefined;
    };
    return {
      // Expired entries stay: the provider checks `exp` itself and answers "expired" rather than "unknown".
      async upsert(id, payload) {
        entries.set(key(id), { model, payload });
      },
      find: async (id) => read(entries.get(key(id))),
      findByUid: async (uid) => findBy('uid', uid),
      findByUserCode: async (userCode) => findBy('userCode', userCode),
      async consume(id) {
        const entry = entries.get(key(id));
        // Counted from the first use: a retry inside the grace period must not prolong it.
        if (entry !== undefined) entry.consumedAtMs ??= Date.now();
      },
      async destroy(id) {
        entries.delete(key(id));
      },
      async revokeByGrantId(grantId) {
        for (const [id, entry] of entries) {
          if (entry.model === model && entry.payload.grantId === grantId) entries.delete(id);
        }
      },
    };
  }

  function refreshTokenState(token: string): RefreshTokenState {
    const entry = entries.get(`RefreshToken:${token}`);
    if (entry === undefined) return 'void';
    if (entry.consumedAtMs === undefined) return 'current';
    return Date.now() - entry.consumedAtMs < graceMs() ? 'grace' : 'spent';
  }

  return { adapter, refreshTokenState, clear: () => entries.clear() };
}
