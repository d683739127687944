import pino from 'pino';
import type { ErrorCode } from '../protocol/errors.ts';

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

/** The daemon's log: JSON lines to a file descriptor, or to a file that is created with mode 0600. */
export function openLog(destination: { fd: number } | { file: string }, level: LogLevel = 'info'): Log {
  const stream = pino.destination({
    ...('fd' in destination
      ? { dest: destination.fd }
      : { dest: destination.file, mkdir: true, mode: 0o600 }),
    sync: true,
  });
  // A reader that went away, or a full disk, must not end the daemon.
  stream.on('error', () => {});
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
