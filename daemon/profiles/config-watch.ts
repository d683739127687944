import { type Stats, statSync } from 'node:fs';
import { type Config, loadConfig } from '../../protocol/config.ts';
import { asCcwbError, type CcwbError } from '../../protocol/errors.ts';
import type { Log } from '../platform/log.ts';

/** The daemon's view of config.json: the last usable content, and the problem of the file as it is now. */
export type ConfigWatch = {
  /**
   * Reads the file if it changed since the last call; the first call always reads.
   *
   * @returns the new configuration; undefined when nothing changed or the file is not usable.
   */
  readIfChanged(): Config | undefined;
  /** The last usable configuration; undefined before there was one. */
  current(): Config | undefined;
  /** The reason why the file cannot be used as it is now. */
  problem(): CcwbError | undefined;
};

export function createConfigWatch(path: string, log: Log): ConfigWatch {
  let current: Config | undefined;
  let problem: CcwbError | undefined;
  let seen: string | undefined;

  const read = (): Config | undefined => {
    try {
      current = loadConfig(path);
    } catch (error) {
      // A file that is being rewritten, or is damaged, changes nothing for profiles that work.
      problem = asCcwbError(error);
      log('error', 'config not usable', { code: problem.code, config: path });
      return undefined;
    }
    problem = undefined;
    for (const { code } of current.invalid.values()) log('error', 'profile not usable', { code });
    if (current.unknownFields.length > 0)
      log('warn', 'config has unknown fields', { fields: current.unknownFields });
    return current;
  };

  return {
    readIfChanged: () => {
      const now = fingerprint(path);
      if (now === seen) return undefined;
      seen = now;
      return read();
    },
    current: () => current,
    problem: () => problem,
  };
}

/** Changes whenever the file is replaced, rewritten or removed. */
function fingerprint(path: string): string {
  let stat: Stats | undefined;
  try {
    stat = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unreadable';
  }
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs}` : 'missing';
}
