import { constants } from 'node:fs';
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CcwbError } from '../../../protocol/errors.ts';
import { causeOf } from '../../platform/log.ts';
import { parseStoredSession, type SecretStore } from './secret-store.ts';

/**
 * Creates a store of one file per session, mode 0600, under the runtime directory. On Linux that is a tmpfs
 * that is removed after the user's last logout.
 */
export function createSessionFileStore(runtimeDirectory: string): SecretStore {
  const directory = join(runtimeDirectory, 'sessions');
  const file = (key: string): string => join(directory, `${key}.json`);
  /** Changes run one at a time: they share a temporary file, and the last change requested must win. */
  let changes: Promise<unknown> = Promise.resolve();
  const inTurn = (action: () => Promise<void>): Promise<void> => {
    const change = changes.then(action);
    changes = change.catch(() => {});
    return change;
  };
  return {
    kind: 'session',
    description: `file readable only by you in ${directory}`,

    read: (key) =>
      storing('read', file(key), async () => {
        const text = await readOwnFile(file(key));
        return text === undefined ? undefined : parseStoredSession(text);
      }),

    write: (key, session) =>
      inTurn(() =>
        storing('written', file(key), async () => {
          await makeOwnDirectory(directory);
          const text = JSON.stringify(session);
          await replaceFile(file(key), text);
          if ((await readOwnFile(file(key))) !== text) throw new Error('read back something else');
        }),
      ),

    remove: (key) =>
      inTurn(() =>
        storing('removed', file(key), async () => {
          await rm(file(key), { force: true });
          await rm(temporaryOf(file(key)), { force: true });
        }),
      ),
  };
}

/** Creates the directory, or checks that the existing one is accessible to this user only. */
async function makeOwnDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const stat = await lstat(directory);
  const uid = process.getuid?.();
  if (stat.isDirectory() && (uid === undefined || (stat.uid === uid && !(stat.mode & 0o077)))) return;
  throw new CcwbError(
    'ERR_STORE_FAILED',
    `${directory} is not a directory of yours with mode 0700`,
    `remove ${directory} and sign in again`,
  );
}

/** Returns the one temporary file of a session: the next write or removal also cleans up after a killed daemon. */
function temporaryOf(path: string): string {
  return `${path}.tmp`;
}

/** Returns the content of this user's own file; undefined without one. It follows no link and reads no other user's file. */
async function readOwnFile(path: string): Promise<string | undefined> {
  const stat = await lstat(path).catch(ignoreMissing);
  if (!stat) return undefined;
  const uid = process.getuid?.();
  if (!stat.isFile() || (uid !== undefined && stat.uid !== uid) || (uid !== undefined && stat.mode & 0o077)) {
    throw new CcwbError(
      'ERR_STORE_FAILED',
      `${path} is not a file of yours with mode 0600`,
      `remove ${path} and sign in again`,
    );
  }
  const handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** Replaces the content atomically: temporary file, fsync, rename, fsync of the directory. */
async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = temporaryOf(path);
  await rm(temporary, { force: true });
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const directory = await open(join(path, '..'), constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}

async function storing<T>(verb: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof CcwbError) throw cause;
    throw new CcwbError(
      'ERR_STORE_FAILED',
      `the session file ${path} could not be ${verb}: ${causeOf(cause)}`,
      'check free space and permissions there, then try again',
      { cause },
    );
  }
}
