/** The temporary home that a package is tested in: one folder, and nothing of it is left in the end. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { CcwbError } from '../../protocol/errors.ts';
import { INSTALL_FOLDER, SOCKET_PATH_MAX_BYTES } from '../../protocol/paths.ts';
import type { Environment } from '../edges.ts';
import { endProgramsAtHome } from '../processes.ts';

/** Prefix of the folders' names, by which those of earlier runs are found. */
export const FOLDER_PREFIX = 'ccwb-test-';

/** The socket on which whoever made the folder listens while it lives. */
export const OWNER_SOCKET = 'owner';

/** Absolute paths, all of them in `root`. */
export type TrialFolders = {
  readonly root: string;
  /** HOME of everything that runs here. */
  readonly home: string;
  /** XDG_RUNTIME_DIR. */
  readonly runtime: string;
  /** TMPDIR. */
  readonly temporary: string;
  /** Programs that open pages. */
  readonly openers: string;
  /** The folder that the archive is unpacked to. */
  readonly unpacked: string;
  /** The folder for a package that is made for this test alone. */
  readonly made: string;
  /** `~/claude-code-with-bedrock` of that home. */
  readonly installation: string;
};

export function trialFoldersIn(root: string): TrialFolders {
  const home = join(root, 'home');
  return {
    root,
    home,
    runtime: join(root, 'run'),
    temporary: join(root, 'tmp'),
    openers: join(root, 'open'),
    unpacked: join(root, 'package'),
    made: join(root, 'dist'),
    installation: join(home, INSTALL_FOLDER),
  };
}

/** The folders in which temporary ones are made: the user's own, unless a socket's path would get too long there. */
export function parentFolders(env: Environment): string[] {
  return [...new Set([env.TMPDIR || '/tmp', '/tmp'])];
}

export type OwnedTrialFolders = TrialFolders & {
  /**
   * Ends what still runs here and removes everything.
   *
   * @throws CcwbError ERR_OUTPUT when something would not go.
   */
  remove(): Promise<void>;
};

/** @throws CcwbError ERR_OUTPUT when nothing can be made in the folder for temporary files. */
export async function createTrialFolders(env: Environment): Promise<OwnedTrialFolders> {
  const parent = parentFolders(env).find(hasRoom) ?? '/tmp';
  let made: string | undefined;
  try {
    made = realpathSync(mkdtempSync(join(parent, FOLDER_PREFIX)));
    const folders = trialFoldersIn(made);
    const owner = await listen(join(folders.root, OWNER_SOCKET));
    for (const folder of [
      folders.home,
      folders.runtime,
      folders.temporary,
      folders.openers,
      folders.unpacked,
    ]) {
      mkdirSync(folder, { mode: 0o700 });
    }
    return {
      ...folders,
      remove: async () => {
        await removeTrialFolders(folders);
        owner.close();
      },
    };
  } catch (cause) {
    if (made !== undefined) rmSync(made, { recursive: true, force: true });
    const { code } = cause as NodeJS.ErrnoException;
    const message = `no temporary folder can be made in ${parent} (${code ?? 'unknown error'})`;
    throw new CcwbError('ERR_OUTPUT', message, 'set TMPDIR to a folder that you can write in', { cause });
  }
}

/** @throws CcwbError ERR_OUTPUT */
export async function removeTrialFolders({ root, home }: TrialFolders): Promise<void> {
  const running = await endProgramsAtHome(home);
  try {
    rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CcwbError('ERR_OUTPUT', `${root} could not be removed (${code})`, `rm -r ${root}`, { cause });
  }
  if (running.length === 0) return;
  const pids = running.join(' ');
  throw new CcwbError('ERR_OUTPUT', `programs of the test do not end: ${pids}`, `kill -9 ${pids}`);
}

function hasRoom(parent: string): boolean {
  const { installation } = trialFoldersIn(join(parent, `${FOLDER_PREFIX}123456`));
  return Buffer.byteLength(join(installation, 'run', 'daemon.sock')) <= SOCKET_PATH_MAX_BYTES;
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen(path, () => resolve(server.unref()));
  });
}
