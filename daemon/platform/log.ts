import { renameSync, statSync } from 'node:fs';
import pino from 'pino';
import type { ErrorCode } from '../../protocol/error-codes.ts';
import { PREDECESSOR } from '../../protocol/paths.ts';

/**
 * The fields of a log line. Other fields cannot be logged, which keeps secrets out: no tokens, no URLs with
 * queries, no messages of foreign errors, no request bodies.
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
  /** The correction of the machine's clock. */
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

/** Largest log file, in bytes. A full one is renamed and replaces its predecessor; both hold some 60,000 lines. */
export const LOG_FILE_BYTES = 5_000_000;

/** Creates the daemon's log: JSON lines to a file descriptor, or to a file with mode 0600. */
export function createLog(
  destination: { fd: number } | { file: string },
  level: LogLevel = 'info',
  fileBytes = LOG_FILE_BYTES,
): Log {
  const stream =
    'fd' in destination ? createStream(destination.fd) : createBoundedFile(destination.file, fileBytes);
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

function createStream(dest: number | string): Stream {
  const stream = pino.destination({ dest, sync: true, mkdir: true, mode: 0o600 });
  // A reader that has closed, or a full disk, must not end the daemon.
  stream.on('error', () => {});
  return stream;
}

/** Creates a log file that is renamed when it is full; one predecessor is kept. */
function createBoundedFile(path: string, limit: number): { write(line: string): void } {
  const stream = createStream(path);
  let { ino, size } = statOf(path);
  const makeRoom = (): void => {
    try {
      // Another daemon that is ending and writes here too may have renamed the file before.
      if (statOf(path).ino === ino) renameSync(path, `${path}${PREDECESSOR}`);
      stream.reopen();
      ({ ino, size } = statOf(path));
    } catch {
      // The folder is not writable: retried after as many bytes, not with each line.
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

/** Returns only the listed fields: at run time a spread may contain more than its type. */
function allowed(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => ALLOWED.has(name) && value !== undefined),
  );
}

/** The form of names and codes. A text of another form came from outside and may contain a secret. */
const WORD = /^[\w.:-]{1,64}$/;

/** Returns names and codes of an error and its causes, for the `cause` field. Messages may quote secrets. */
export function causeOf(thrown: unknown): string {
  const parts: string[] = [];
  for (let error = thrown; error instanceof Error && parts.length < 4; error = error.cause) {
    const code =
      'code' in error && typeof error.code === 'string' && WORD.test(error.code) ? `(${error.code})` : '';
    parts.push(`${WORD.test(error.name) ? error.name : 'Error'}${code}`);
  }
  return parts.join(' < ') || typeof thrown;
}
