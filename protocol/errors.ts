/**
 * The one error class and the one registry of codes. The same code crosses the socket, prints in a
 * terminal, sets the exit status and has its line in docs/errors.md (a test compares the two).
 */

/** What a code means wherever it appears. */
type ErrorKind = {
  /** HTTP status of the daemon's reply. */
  readonly status: number;
  /** Exit status of a program that ends with it: 1 failed, 2 wrong usage. */
  readonly exit: 1 | 2;
  /** True when trying again later, unchanged, can succeed. */
  readonly transient: boolean;
  /** One line for docs/errors.md. */
  readonly meaning: string;
};

const kind = (status: number, exit: 1 | 2, transient: boolean, meaning: string): ErrorKind => ({
  status,
  exit,
  transient,
  meaning,
});

export const ERRORS = {
  ERR_USAGE: kind(
    400,
    2,
    false,
    'A flag or argument is unknown, missing or has a value that is not allowed.',
  ),
  ERR_CONFIG_MISSING: kind(
    503,
    1,
    false,
    'There is no config.json, or no file that was named, where the program looks for it.',
  ),
  ERR_CONFIG_INVALID: kind(
    503,
    1,
    false,
    'config.json, network.json or a profile of `ccwb` cannot be read or written, or a field has a wrong value.',
  ),
  ERR_PROFILE_UNKNOWN: kind(
    404,
    1,
    false,
    'There is no profile of that name, or none is named and several could be meant.',
  ),
  ERR_LOGIN_REQUIRED: kind(401, 1, false, 'Nobody is signed in, or the identity provider ended the session.'),
  ERR_LOGIN_DENIED: kind(
    403,
    1,
    false,
    'The identity provider refused the sign-in, or the user cancelled it there.',
  ),
  ERR_LOGIN_PENDING: kind(504, 1, true, 'A sign-in is under way and the caller stopped waiting for it.'),
  ERR_LOGIN_EXPIRED: kind(408, 1, false, 'A sign-in was not completed in time.'),
  ERR_LOGIN_CANCELLED: kind(
    409,
    1,
    false,
    'A sign-in was cancelled by `bedrock-auth logout` or by the daemon stopping.',
  ),
  ERR_LOGIN_CAPPED: kind(
    429,
    1,
    false,
    'Several sign-in pages or codes in a row went unanswered, so no further one comes by itself.',
  ),
  ERR_LOGIN_OFF: kind(401, 1, false, 'A sign-in is needed, and CCWB_SIGN_IN=off forbids starting one here.'),
  ERR_REDIRECT_PORT_TAKEN: kind(
    503,
    1,
    false,
    'Another program listens on the port the sign-in must return to.',
  ),
  ERR_CONTAINER_PORT: kind(503, 1, false, 'Container credentials cannot be served on the port.'),
  ERR_PROVIDER_UNREACHABLE: kind(
    502,
    1,
    true,
    'The identity provider did not answer, or answered with a passing fault.',
  ),
  ERR_PROVIDER_INVALID: kind(
    502,
    1,
    true,
    'What answered at the issuer is not this identity provider (a captive portal, a wrong issuer).',
  ),
  ERR_PROVIDER_REJECTED: kind(
    502,
    1,
    false,
    'The identity provider refused the client: wrong client id, redirect URI, scope or grant.',
  ),
  ERR_ID_TOKEN_INVALID: kind(
    502,
    1,
    false,
    'The ID token failed verification: signature, issuer, audience, expiry or nonce.',
  ),
  ERR_AWS_UNREACHABLE: kind(
    502,
    1,
    true,
    'AWS did not answer, or answered with a passing fault or throttling.',
  ),
  ERR_AWS_DENIED: kind(403, 1, false, 'AWS refused to exchange the ID token for credentials.'),
  ERR_AWS_CONFIG: kind(
    502,
    1,
    false,
    'The identity pool or role named in config.json does not exist or is set up for another provider.',
  ),
  ERR_REFRESH_PENDING: kind(
    504,
    1,
    true,
    'Credentials are being fetched, and that takes longer than a caller waits.',
  ),
  ERR_STORE_LOCKED: kind(503, 1, true, 'The keyring is locked.'),
  ERR_STORE_ABSENT: kind(503, 1, false, 'There is no usable keyring on this machine.'),
  ERR_STORE_FAILED: kind(503, 1, true, 'The secret store could not be read or written.'),
  ERR_SESSION_BUSY: kind(
    503,
    1,
    true,
    'Another daemon of this user is refreshing the same sign-in and does not finish.',
  ),
  ERR_SOCKET_UNSAFE: kind(
    500,
    1,
    false,
    'The socket or its directory belongs to somebody else or is open to others.',
  ),
  ERR_SOCKET_PATH: kind(500, 1, false, 'The path of the socket is longer than the platform allows.'),
  ERR_DAEMON_RUNNING: kind(500, 1, false, 'Another daemon of this user already serves the socket.'),
  ERR_DAEMON_UNREACHABLE: kind(503, 1, true, 'The daemon could not be reached or did not answer in time.'),
  ERR_DAEMON_START: kind(503, 1, false, 'The daemon could not be started.'),
  ERR_SERVICE_UNAVAILABLE: kind(
    503,
    1,
    false,
    'There is no service manager of this user to install the daemon with.',
  ),
  ERR_SERVICE_FAILED: kind(
    503,
    1,
    false,
    'The service manager refused an order, or the service does not work.',
  ),
  ERR_INSTALL_INCOMPLETE: kind(
    503,
    1,
    false,
    'A file of the installation is missing, or there is no Node.js to run it with.',
  ),
  ERR_PACKAGE_INVALID: kind(
    400,
    1,
    false,
    'The package that is to be installed is damaged, incomplete, or for another platform.',
  ),
  ERR_INSTALL_FAILED: kind(
    503,
    1,
    false,
    'The installer could not write what it has to; what worked before still works.',
  ),
  ERR_REQUEST_REFUSED: kind(
    403,
    1,
    false,
    'The request is from a web page, from another user, or from a program that `allowed_programs` does not name.',
  ),
  ERR_PROTOCOL_VERSION: kind(
    400,
    1,
    false,
    'Program and daemon are too far apart in version to understand each other.',
  ),
  ERR_NOT_FOUND: kind(404, 1, false, 'The daemon has no such route, or no such sign-in.'),
  ERR_ADMIN_CREDENTIALS: kind(
    401,
    1,
    false,
    'There are no AWS credentials to administer with, AWS does not take them, or they are those of a user or of another account.',
  ),
  ERR_ADMIN_DENIED: kind(403, 1, false, 'AWS refused an administrator what needs a further permission.'),
  ERR_TEMPLATE_INVALID: kind(400, 1, false, 'CloudFormation cannot take a template or its parameters.'),
  ERR_STACK_FAILED: kind(502, 1, false, 'CloudFormation could not create, update or delete a stack.'),
  ERR_STACK_STATE: kind(
    409,
    1,
    false,
    'A stack is there, or in a state or under a protection, so that what was asked for cannot be done.',
  ),
  ERR_STACK_PENDING: kind(
    504,
    1,
    true,
    'CloudFormation goes on with a stack, and the program stopped waiting for it.',
  ),
  ERR_REPLACEMENT: kind(
    409,
    1,
    false,
    'A deployment would replace or remove what is in use, and nobody allowed that.',
  ),
  ERR_NOT_DEPLOYED: kind(
    409,
    1,
    false,
    'A package would be of no use, since the stack is not deployed that its users get credentials from.',
  ),
  ERR_DOWNLOAD: kind(502, 1, true, 'What a package needs could not be fetched from the npm registry.'),
  ERR_INTEGRITY: kind(502, 1, false, 'What was fetched has another hash than the one pinned in the program.'),
  ERR_OUTPUT: kind(500, 1, false, 'A file or folder that a program makes could not be written.'),
  ERR_TEST_FAILED: kind(500, 1, false, 'A step of `ccwb test` found something that is not as it should be.'),
  ERR_DECLINED: kind(409, 1, false, 'A question was answered with no.'),
  ERR_INTERRUPTED: kind(
    409,
    1,
    false,
    'The program was interrupted while nothing was under way that could be left half done.',
  ),
  ERR_INTERNAL: kind(500, 1, false, 'A defect in this program.'),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

/** Shape of an error on the wire: `{"error":{"code","message","fix"}}`. */
export type ErrorBody = { error: { code: ErrorCode; message: string; fix: string } };

/**
 * An error a person or another program of ours can act on. `message` says what went wrong, with the
 * value and what is allowed; `fix` says what to do. Neither ever holds a secret; nor is `cause` printed
 * or logged beyond its name and code.
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

  get status(): number {
    return ERRORS[this.code].status;
  }

  get exit(): 1 | 2 {
    return ERRORS[this.code].exit;
  }

  get transient(): boolean {
    return ERRORS[this.code].transient;
  }

  toBody(): ErrorBody {
    return { error: { code: this.code, message: this.message, fix: this.fix } };
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}

/** Anything thrown, as ours. A defect keeps its message out of sight: it may quote what it choked on. */
export function asCcwbError(thrown: unknown): CcwbError {
  if (thrown instanceof CcwbError) return thrown;
  const name = thrown instanceof Error ? thrown.name : typeof thrown;
  return new CcwbError(
    'ERR_INTERNAL',
    `unexpected ${name}`,
    'report it with the last lines of logs/daemon.log in ~/claude-code-with-bedrock',
    {
      cause: thrown,
    },
  );
}

/** Nobody is signed in: the one error that has no cause and is no fault. */
export function loginRequired(): CcwbError {
  return new CcwbError('ERR_LOGIN_REQUIRED', 'nobody is signed in', 'run bedrock-auth login');
}

/** The error in a reply's body, or one that says the reply made no sense. */
export function errorFromBody(status: number, body: unknown): CcwbError {
  if (typeof body === 'object' && body !== null && 'error' in body) {
    const { error } = body;
    if (typeof error === 'object' && error !== null && 'code' in error && isErrorCode(error.code)) {
      const text = (field: 'message' | 'fix'): string => {
        const value = (error as Record<string, unknown>)[field];
        return typeof value === 'string' ? value : '';
      };
      return new CcwbError(error.code, text('message'), text('fix'));
    }
  }
  return new CcwbError(
    'ERR_DAEMON_UNREACHABLE',
    `the daemon answered with status ${status} and no error of ours`,
    'run bedrock-auth status; another program may be listening on the socket',
  );
}

/** The two lines a person reads: what went wrong, what to do. */
export function errorLines(program: string, error: CcwbError): string {
  return `${program}: ${error.message} (${error.code})\n  fix: ${error.fix}\n`;
}
