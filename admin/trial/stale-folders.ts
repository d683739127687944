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

/** Age in milliseconds after which a folder without a socket is stale; a younger one may still be in creation. */
const MAKING_MS = 3_600_000;

/** Removes the folders of earlier runs of this user and reports them, also those that cannot be removed. */
export async function removeStaleFolders(edges: AdminEdges): Promise<void> {
  for (const root of parentFolders(edges.env).flatMap(testFolders)) {
    if (await isInUse(root, edges.now())) continue;
    const folders = trialFoldersIn(root);
    // Otherwise its session stays active at the provider.
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

/** Returns matching folders that belong to this user, are private and are no links. */
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
    // Programs in the folder will be run, so it must be private.
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
