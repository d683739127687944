import { ERRORS, type ErrorCode, exitStatus, isErrorCode } from './error-codes.ts';
import { isObject } from './json.ts';

/** Body of an error reply: `{"error":{"code","message","fix"}}`. */
export type ErrorBody = { error: { code: ErrorCode; message: string; fix: string } };

/**
 * An error that a person or a program can act on. `message` says what went wrong, with the value and what
 * is allowed. `fix` says what to do. Neither holds a secret. Of `cause`, only name and code are logged.
 */
export class CcwbError extends Error {
  override readonly name = 'CcwbError';
  readonly code: ErrorCode;
  readonly fix: string;

  constructor(code: ErrorCode, message: string, fix: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.fix = fix;
  }

  get exit(): 1 | 2 {
    return exitStatus(this.code);
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  toBody(): ErrorBody {
    return { error: { code: this.code, message: this.message, fix: this.fix } };
  }

  /**
   * Returns the daemon's reply. A code without a status is a defect of the daemon, so the reply is
   * ERR_INTERNAL and the message stays inside.
   */
  toReply(): { status: number; body: ErrorBody } {
    const { status } = ERRORS[this.code];
    if (status !== undefined) return { status, body: this.toBody() };
    return internalError(this.code, this).toReply();
  }
}

/**
 * Returns the error itself if it is a CcwbError, else ERR_INTERNAL with the thrown value as `cause`. The
 * message of a foreign error is not repeated: it may quote a secret.
 */
export function asCcwbError(thrown: unknown): CcwbError {
  if (thrown instanceof CcwbError) return thrown;
  return internalError(thrown instanceof Error ? thrown.name : typeof thrown, thrown);
}

function internalError(name: string, cause: unknown): CcwbError {
  return new CcwbError(
    'ERR_INTERNAL',
    `unexpected ${name}`,
    'report it with the last lines of logs/daemon.log in ~/claude-code-with-bedrock',
    { cause },
  );
}

/** Returns ERR_LOGIN_REQUIRED. */
export function loginRequired(): CcwbError {
  return new CcwbError('ERR_LOGIN_REQUIRED', 'nobody is signed in', 'run bedrock-auth login');
}

/** Returns the error in the body of a reply, or ERR_DAEMON_UNREACHABLE if the body holds none. */
export function errorFromBody(status: number, body: unknown): CcwbError {
  const error = isObject(body) ? body.error : undefined;
  if (isObject(error) && isErrorCode(error.code)) {
    return new CcwbError(error.code, textOrEmpty(error.message), textOrEmpty(error.fix));
  }
  return new CcwbError(
    'ERR_DAEMON_UNREACHABLE',
    `the daemon answered with status ${status} and no error of ours`,
    'run bedrock-auth status; another program may be listening on the socket',
  );
}

function textOrEmpty(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Returns the two lines of an error in a terminal: what went wrong, and the fix. */
export function errorLines(program: string, error: CcwbError): string {
  return `${program}: ${error.message} (${error.code})\n  fix: ${error.fix}\n`;
}
