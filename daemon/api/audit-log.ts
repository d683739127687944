import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PREDECESSOR } from '../../protocol/paths.ts';
import type { Clock } from '../platform/clock.ts';
import { causeOf, type Log } from '../platform/log.ts';
import type { Requester } from './peer.ts';

/** The credential that a program requested. */
export type Disclosed = 'credentials' | 'container-credentials' | 'id-token';

/** One credential that a program got, or was refused. Never contains the credential itself. */
export type Disclosure = {
  profile: string;
  what: Disclosed;
  /** The last four characters of the access key ID. */
  keyId?: string;
  refused?: true;
  requester: Requester;
};

/** The audit log: a file with one JSON line for each {@link Disclosure}. Callers never wait for it. */
export type AuditLog = {
  /** Returns at once and never throws. The daemon's log counts the lines that cannot be written. */
  record(disclosure: Disclosure): void;
  /** Resolves when all recorded lines are in the file, at the latest after `limitMs`. */
  settled(limitMs?: number): Promise<void>;
};

export const AUDIT_LIMITS = {
  /** Largest file; a full one is renamed and replaces its predecessor. Both hold some 30,000 lines. */
  fileBytes: 5_000_000,
  /** Delay of a write: thirteen concurrent calls cause one write, after all of them were answered. */
  gatherMs: 100,
  /** Most lines that wait for a disk that does not answer; further lines are lost. */
  waitingLines: 2_000,
  /** Longest wait of a stopping daemon for such a disk. */
  settleMs: 1_000,
} as const;

/** Creates the audit log. It opens the file for each write, so the file may be moved or removed at any time. */
export function createAuditLog(
  path: string,
  { clock, log }: { clock: Clock; log: Log },
  limits: { fileBytes: number; waitingLines: number } = AUDIT_LIMITS,
): AuditLog {
  let waiting: string[] = [];
  let gathering: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let lost = 0;

  const write = async (): Promise<void> => {
    clearTimeout(gathering);
    gathering = undefined;
    while (waiting.length > 0) {
      const lines = waiting;
      waiting = [];
      try {
        await append(path, lines.join(''), limits.fileBytes);
        if (lost > 0) log('info', 'audit log written again', { file: path, lines: lost });
        lost = 0;
      } catch (error) {
        lose(lines.length, error);
      }
    }
    writing = undefined;
  };

  const lose = (lines: number, error: unknown): void => {
    if (lost === 0) {
      const problem = error instanceof AuditFileError ? error.message : causeOf(error);
      log('error', 'audit log not written', { file: path, cause: problem });
    }
    lost += lines;
  };

  return {
    record: (disclosure) => {
      if (waiting.length >= limits.waitingLines)
        return lose(1, new AuditFileError('the disk does not answer'));
      waiting.push(lineOf(disclosure, clock.now()));
      if (writing) return;
      gathering ??= setTimeout(() => {
        writing ??= write();
      }, AUDIT_LIMITS.gatherMs);
    },
    settled: async (limitMs = AUDIT_LIMITS.settleMs) => {
      if (waiting.length > 0) writing ??= write();
      if (!writing) return;
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, limitMs);
      });
      await Promise.race([writing, limit]);
      clearTimeout(timer);
    },
  };
}

/** The file is unsafe or cannot take the lines. The message contains no foreign text, so it may be logged. */
class AuditFileError extends Error {}

function lineOf({ profile, what, keyId, refused, requester }: Disclosure, now: number): string {
  const line = { time: new Date(now).toISOString(), profile, what, refused, keyId, ...requester };
  return `${asciiJson(line)}\n`;
}

/** Escapes everything but ASCII. Program paths may contain control characters, which would reach a terminal. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

async function append(path: string, text: string, limit: number): Promise<void> {
  const bytes = Buffer.from(text, 'utf8');
  let { file, size } = await openOwn(path);
  try {
    if (size > 0 && size + bytes.length > limit) {
      await rename(path, `${path}${PREDECESSOR}`);
      await file.close();
      ({ file, size } = await openOwn(path));
    }
    // Not synced: that would be the most expensive step, and a crash of the machine loses only seconds.
    const { bytesWritten } = await file.write(bytes);
    if (bytesWritten < bytes.length) {
      // An incomplete line must not become part of the next one.
      await file.truncate(size);
      throw new AuditFileError(`only ${bytesWritten} of ${bytes.length} bytes fitted`);
    }
  } finally {
    await file.close();
  }
}

/**
 * Opens the file, or creates it with mode 600.
 *
 * @throws AuditFileError unless it is a regular file that only this user can read.
 */
async function openOwn(path: string): Promise<{ file: FileHandle; size: number }> {
  const file = await openForAppending(path);
  const stat = await file.stat();
  const uid = process.getuid?.();
  const problem = !stat.isFile()
    ? 'is no file'
    : uid !== undefined && stat.uid !== uid
      ? `belongs to uid ${stat.uid}`
      : stat.mode & 0o077
        ? `is open to others (mode ${(stat.mode & 0o777).toString(8)})`
        : undefined;
  if (problem === undefined) return { file, size: stat.size };
  await file.close();
  throw new AuditFileError(`it ${problem}`);
}

async function openForAppending(path: string): Promise<FileHandle> {
  // Non-blocking: opening a pipe at this path would wait for its reader, perhaps for ever.
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
  try {
    return await open(path, flags, 0o600);
  } catch (error) {
    if ((await lstat(path).catch(() => undefined))?.isSymbolicLink())
      throw new AuditFileError('it is a symbolic link');
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return open(path, flags, 0o600);
  }
}
