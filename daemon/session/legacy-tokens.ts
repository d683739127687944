import { constants } from 'node:fs';
import { lstat, open, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UNKNOWN_SUBJECT } from '../oidc/tokens.ts';
import { causeOf, type Log } from '../platform/log.ts';
import type { SecretStore } from './stores/secret-store.ts';

/** The tokens that the legacy tool has left in a home directory, in plain files of one folder. */
export type LegacyTokens = {
  /** Returns the refresh token of a profile; undefined without one, or when another user may write its file. */
  refreshToken(profile: string): Promise<string | undefined>;
  /** Removes a profile's refresh token, ID token, and the headers made from it. */
  remove(profile: string): Promise<void>;
};

/** The name endings of the files that the legacy tool keeps for a profile. */
const FILE_ENDINGS = [
  '-refresh.json',
  '-refresh.json.tmp',
  '-monitoring.json',
  '-otel-headers.json',
  '-otel-headers.raw',
];

/** The largest file that the legacy tool writes, in bytes: one token and a few fields. */
const MAX_BYTES = 65_536;

export function createLegacyTokens(home: string): LegacyTokens {
  const folder = join(home, '.claude-code-session');
  return {
    refreshToken: async (profile) => {
      const text = await ownText(folder, `${profile}-refresh.json`);
      return text === undefined ? undefined : tokenIn(text);
    },
    remove: async (profile) => {
      if (!(await isOwn(folder, 'directory'))) return;
      for (const ending of FILE_ENDINGS) await rm(join(folder, `${profile}${ending}`), { force: true });
      // The folder stays while it holds files of other profiles.
      await rmdir(folder).catch(() => {});
    },
  };
}

/**
 * Creates a store that imports the legacy tool's session of these profiles, so that the change needs no new
 * sign-in. Once the store holds a session, the legacy tool's tokens are removed.
 */
export function createImportingStore(
  store: SecretStore,
  profiles: readonly string[],
  legacyTokens: LegacyTokens,
  log: Log,
): SecretStore {
  const removeLegacyTokens = async (): Promise<void> => {
    for (const profile of profiles) {
      await legacyTokens.remove(profile).catch((error: unknown) => {
        log('warn', 'tokens of the legacy tool not removed', { profile, cause: causeOf(error) });
      });
    }
  };
  return {
    ...store,
    read: async (key) => {
      let session = await store.read(key);
      for (const profile of profiles) {
        if (session) break;
        const refreshToken = await legacyTokens.refreshToken(profile).catch(() => undefined);
        if (refreshToken === undefined) continue;
        session = { version: 1, refreshToken, subject: UNKNOWN_SUBJECT, user: null };
        await store.write(key, session);
        log('info', 'session of the legacy tool imported', { profile, storage: store.kind });
      }
      // The session is written and read back: the legacy tool's copy is no longer the only one.
      if (session) await removeLegacyTokens();
      return session;
    },
    write: async (key, session) => {
      await store.write(key, session);
      await removeLegacyTokens();
    },
    remove: async (key) => {
      await store.remove(key);
      await removeLegacyTokens();
    },
  };
}

function tokenIn(text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('refresh_token' in value)) return undefined;
  const token = value.refresh_token;
  return typeof token === 'string' && token !== '' ? token : undefined;
}

/** Returns the text of a file that only this user can write; undefined otherwise. Another user's token would sign in that user. */
async function ownText(folder: string, name: string): Promise<string | undefined> {
  const path = join(folder, name);
  if (!(await isOwn(folder, 'directory')) || !(await isOwn(path, 'file'))) return undefined;
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return (await handle.stat()).size > MAX_BYTES ? undefined : await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

async function isOwn(path: string, kind: 'directory' | 'file'): Promise<boolean> {
  const stat = await lstat(path).catch(() => undefined);
  if (!stat || !(kind === 'directory' ? stat.isDirectory() : stat.isFile())) return false;
  const uid = process.getuid?.();
  return uid === undefined || (stat.uid === uid && (stat.mode & 0o022) === 0);
}
