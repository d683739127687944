import { constants } from 'node:fs';
import { lstat, open, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UNKNOWN_SUBJECT } from '../oidc/tokens.ts';
import { causeOf, type Log } from '../platform/log.ts';
import type { SecretStore } from './stores/secret-store.ts';

/** What the legacy tool has left in a home, in plain files of one folder. */
export type LegacyTokens = {
  /** The refresh token it kept for a profile; undefined when there is none, or not in a file of this user's alone. */
  refreshToken(profile: string): Promise<string | undefined>;
  /** Removes what it kept for a profile: refresh token, ID token, and headers made from that. */
  remove(profile: string): Promise<void>;
};

/** A file of its folder, for a profile. */
const FILES = [
  '-refresh.json',
  '-refresh.json.tmp',
  '-monitoring.json',
  '-otel-headers.json',
  '-otel-headers.raw',
];

/** Its files have one token and a few words; more is not from it. */
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
      for (const ending of FILES) await rm(join(folder, `${profile}${ending}`), { force: true });
      // Only once it is empty: other profiles may have theirs there.
      await rmdir(folder).catch(() => {});
    },
  };
}

/**
 * A store that takes over what the legacy tool kept for these profiles, so that nobody signs in again
 * because of the change; and that leaves none of its tokens behind once it has a session of its own.
 */
export function createImportingStore(
  store: SecretStore,
  profiles: readonly string[],
  legacyTool: LegacyTokens,
  log: Log,
): SecretStore {
  const leaveNothing = async (): Promise<void> => {
    for (const profile of profiles) {
      await legacyTool.remove(profile).catch((error: unknown) => {
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
        const refreshToken = await legacyTool.refreshToken(profile).catch(() => undefined);
        if (refreshToken === undefined) continue;
        session = { version: 1, refreshToken, subject: UNKNOWN_SUBJECT, user: null };
        await store.write(key, session);
        log('info', 'session of the legacy tool imported', { profile, storage: store.kind });
      }
      // Written and read back by now: theirs is not the only copy any more.
      if (session) await leaveNothing();
      return session;
    },
    write: async (key, session) => {
      await store.write(key, session);
      await leaveNothing();
    },
    remove: async (key) => {
      await store.remove(key);
      await leaveNothing();
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

/** The text of a file that this user alone may have written: another's token would sign in another. */
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
