/** Finds the folders of test runs that were killed, signs them out and removes them. */
import { lstatSync, readdirSync, realpathSync, type Stats } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import { runToEnd } from '../processes.ts';
import { userEnvironment } from './environment.ts';
import {
  FOLDER_PREFIX,
  OWNER_SOCKET,
  parentFolders,
  removeTrialFolders,
  trialFoldersIn,
} from './trial-folders.ts';

/** Signing out is a call to the identity provider. */
const SIGN_OUT_MS = 30_000;

/** A folder without an owner's socket may be one that is just being made; after this it is not. */
const MAKING_MS = 3_600_000;

/** Removes what earlier runs of this user have left, and says so. What cannot be removed is told and left. */
export async function removeStaleFolders(edges: AdminEdges): Promise<void> {
  for (const root of parentFolders(edges.env).flatMap(testFolders)) {
    if (await isInUse(root, edges.now())) continue;
    const folders = trialFoldersIn(root);
    // Its session lives on at the provider otherwise.
    await runToEnd(join(folders.installation, 'bedrock-auth'), ['logout', '--all'], {
      env: userEnvironment(folders, edges.env),
      limitMs: SIGN_OUT_MS,
    });
    try {
      await removeTrialFolders(folders);
      edges.writeError(`removed ${root}, which an earlier test has left\n`);
    } catch (thrown) {
      if (!(thrown instanceof CcwbError)) throw thrown;
      edges.writeError(`an earlier test has left ${root}: ${thrown.message}\n  fix: ${thrown.fix}\n`);
    }
  }
}

/** Folders of that name that are this user's own, closed to others, and no links. */
function testFolders(parent: string): string[] {
  let paths: string[];
  try {
    const folder = realpathSync(parent);
    paths = readdirSync(folder).flatMap((name) =>
      name.startsWith(FOLDER_PREFIX) ? [join(folder, name)] : [],
    );
  } catch {
    return [];
  }
  return paths.filter((path) => {
    const stat = statOf(path);
    const isOwn = stat?.isDirectory() === true && stat.uid === process.getuid?.();
    // What is in it will be run.
    return isOwn && (stat.mode & 0o077) === 0;
  });
}

/** True while the run that created the folder is alive. */
function isInUse(root: string, nowMs: number): Promise<boolean> | boolean {
  const owner = join(root, OWNER_SOCKET);
  if (!statOf(owner)?.isSocket()) return nowMs - (statOf(root)?.mtimeMs ?? nowMs) < MAKING_MS;
  return new Promise((resolve) => {
    const socket = connect(owner);
    socket
      .once('error', () => resolve(false))
      .once('connect', () => {
        resolve(true);
        socket.destroy();
      });
  });
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
