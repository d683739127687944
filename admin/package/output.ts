/** The folder of packages. It appears under its name only when it is complete. */
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CcwbError } from '../../protocol/errors.ts';
import type { AdminEdges } from '../edges.ts';
import { makeFolders } from '../files/make-folders.ts';
import { removeStaleFiles } from './stale-files.ts';
import { type ArchiveFile, type WrittenArchive, writeTarball } from './tarball.ts';

export type OutputFolder = {
  writeArchive(name: string, files: readonly ArchiveFile[], seconds: number): Promise<WrittenArchive>;
  writeText(name: string, text: string): void;
  /** Gives the folder its final name. @returns its path, beginning as the administrator wrote it. */
  finish(): string;
  /** Removes the folder unless it is finished. */
  discard(): void;
};

/** Name of an unfinished folder: a time and a process id. */
const UNFINISHED = /^\.\d{8}T\d{6}Z\.\d+$/;

/**
 * `OUTPUT/PROFILE/TIME`, the time in UTC: `20260102T030405Z`.
 *
 * @throws CcwbError ERR_OUTPUT, here and in what it returns; ERR_INTERRUPTED while an archive is written.
 */
export function createOutputFolder(
  output: string,
  profile: string,
  edges: Pick<AdminEdges, 'now' | 'interrupted'>,
): OutputFolder {
  const time = new Date(edges.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  const parent = join(output, profile);
  const unfinished = join(parent, `.${time}.${process.pid}`);
  const problem = (cause: unknown): unknown => {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (syscall === undefined) return cause;
    const message = `packages cannot be written to ${parent} (${code})`;
    return new CcwbError(
      'ERR_OUTPUT',
      message,
      'make room there or make it writable, or choose another --output',
      {
        cause,
      },
    );
  };
  const writing = <T>(action: () => T): T => {
    try {
      return action();
    } catch (cause) {
      throw problem(cause);
    }
  };
  writing(() => {
    makeFolders(unfinished);
    removeStaleFiles(parent, UNFINISHED, edges.now());
  });
  return {
    async writeArchive(name, files, seconds) {
      try {
        return await writeTarball(join(unfinished, name), files, seconds, edges.interrupted);
      } catch (cause) {
        if (edges.interrupted.aborted) {
          throw new CcwbError(
            'ERR_INTERRUPTED',
            `interrupted at ${name}; no package was made`,
            'run it again',
          );
        }
        throw problem(cause);
      }
    },
    writeText: (name, text) => writing(() => writeFileSync(join(unfinished, name), text)),
    finish() {
      const names = [time, ...Array.from({ length: 99 }, (_, index) => `${time}-${index + 2}`)];
      // Two runs may end in one second.
      const path = join(parent, names.find((name) => !existsSync(join(parent, name))) ?? time);
      writing(() => renameSync(unfinished, path));
      return path;
    },
    discard: () => rmSync(unfinished, { recursive: true, force: true }),
  };
}
