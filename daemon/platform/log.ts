import { renameSync, statSync } from 'node:fs';
import pino from 'pino';
import type { ErrorCode } from '../../protocol/error-codes.ts';
import { PREDECESSOR } from '../../protocol/paths.ts';

/**
 * What a log line may carry. A field that is not listed cannot be logged, so a secret has no way in: no
 * tokens, no URLs with queries, no messages of foreign errors, no request bodies.
 */
export type LogFields = {
  profile?: string;
  route?: string;
  status?: number;
  code?: ErrorCode;
  /** Name and code of a foreign error, never its message. */
  cause?: string;
  host?: string;
  port?: number;
  pid?: number;
  uid?: number;
  durationMs?: number;
  lifeMs?: number;
  retryMs?: number;
  /** What the machine's clock lacks. */
  skewMs?: number;
  waiters?: number;
  keyId?: string;
  storage?: string;
  socket?: string;
  config?: string;
  file?: string;
  lines?: number;
  signal?: string;
  version?: string;
  node?: string;
  fields?: readonly string[];
};

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Writes one JSON line: the event in a few constant words, and allow-listed fields. */
export type Log = (level: LogLevel, event: string, fields?: LogFields) => void;

const ALLOWED: ReadonlySet<string> = new Set<keyof LogFields>([
  'profile',
  'route',
  'status',
  'code',
  'cause',
  'host',
  'port',
  'pid',
  'uid',
  'durationMs',
  'lifeMs',
  'retryMs',
  'skewMs',
  'waiters',
  'keyId',
  'storage',
  'socket',
  'config',
  'file',
  'lines',
  'signal',
  'version',
  'node',
  'fields',
]);

/** The file is renamed when it has grown to this, in bytes; with its one predecessor some 60,000 lines. */
export const LOG_FILE_BYTES = 5_000_000;

/** The daemon's log: JSON lines to a file descriptor, or to a file that is created with mode 0600. */
export function createLog(
  destination: { fd: number } | { file: string },
  level: LogLevel = 'info',
  fileBytes = LOG_FILE_BYTES,
): Log {
  const stream = 'fd' in destination ? openStream(destination.fd) : boundedFile(destination.file, fileBytes);
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  return (lineLevel, event, fields = {}) => {
    logger[lineLevel](allowed(fields), event);
  };
}

type Stream = ReturnType<typeof pino.destination>;

function openStream(dest: number | string): Stream {
  const stream = pino.destination({ dest, sync: true, mkdir: true, mode: 0o600 });
  // A reader that went away, or a full disk, must not end the daemon.
  stream.on('error', () => {});
  return stream;
}

/** A file that makes room for the next one when it is full; its one predecessor stays beside it. */
function boundedFile(path: string, limit: number): { write(line: string): void } {
  const stream = openStream(path);
  let { ino, size } = statOf(path);
  const makeRoom = (): void => {
    try {
      // Another daemon that writes here, one that is just ending, may have made room before.
      if (statOf(path).ino === ino) renameSync(path, `${path}${PREDECESSOR}`);
      stream.reopen();
      ({ ino, size } = statOf(path));
    } catch {
      // A folder that cannot be written to: tried again as many bytes later, not with each line.
      size = 0;
    }
  };
  return {
    write: (line) => {
      if (size > 0 && size + line.length > limit) makeRoom();
      stream.write(line);
      size += line.length;
    },
  };
}

function statOf(path: string): { ino: number; size: number } {
  return statSync(path, { throwIfNoEntry: false }) ?? { ino: 0, size: 0 };
}

/** Only the listed fields: types vanish at run time, and a spread may bring more than its type says. */
function allowed(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => ALLOWED.has(name) && value !== undefined),
  );
}

/** Names and codes are words; whatever else stands there came from outside and may be anything. */
const WORD = /^[\w.:-]{1,64}$/;

/** Names and codes of whatever was thrown and its causes, for the `cause` field; messages may quote secrets. */
export function causeOf(thrown: unknown): string {
  const parts: string[] = [];
  for (let error = thrown; error instanceof Error && parts.length < 4; error = error.cause) {
    const code =
      'code' in error && typeof error.code === 'string' && WORD.test(error.code) ? `(${error.code})` : '';
    parts.push(`${WORD.test(error.name) ? error.name : 'Error'}${code}`);
  }
  return parts.join(' < ') || typeof thrown;
}
