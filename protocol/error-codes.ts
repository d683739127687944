/**
 * The registry of error codes of every program. A code crosses the socket, prints in a terminal, sets the
 * exit status and has its line in docs/errors.md (a test compares the two).
 */

type ErrorKind = {
  /** HTTP status of the daemon's reply; absent for a code that the daemon never sends. */
  readonly status?: number;
  /** True if the same request can succeed later. */
  readonly retryable: boolean;
  /** One sentence for docs/errors.md. */
  readonly summary: string;
};

const KINDS = {
  ERR_USAGE: {
    status: 400,
    retryable: false,
    summary: 'A flag or argument is unknown, missing or has a value that is not allowed.',
  },
  ERR_CONFIG_MISSING: {
    status: 503,
    retryable: false,
    summary: 'There is no config.json, or no file that was named, where the program looks for it.',
  },
  ERR_CONFIG_INVALID: {
    status: 503,
    retryable: false,
    summary:
      'config.json, network.json or a profile of `ccwb` cannot be read or written, or a field has a wrong value.',
  },
  ERR_PROFILE_UNKNOWN: {
    status: 404,
    retryable: false,
    summary: 'There is no profile of that name, or none is named and several could be meant.',
  },
  ERR_LOGIN_REQUIRED: {
    status: 401,
    retryable: false,
    summary: 'Nobody is signed in, or the identity provider ended the session.',
  },
  ERR_LOGIN_DENIED: {
    status: 403,
    retryable: false,
    summary: 'The identity provider refused the sign-in, or the user cancelled it there.',
  },
  ERR_LOGIN_PENDING: {
    retryable: true,
    summary: 'A sign-in is under way and the caller stopped waiting for it.',
  },
  ERR_LOGIN_EXPIRED: { status: 408, retryable: false, summary: 'A sign-in was not completed in time.' },
  ERR_LOGIN_CANCELLED: {
    status: 409,
    retryable: false,
    summary: 'A sign-in was cancelled by `bedrock-auth logout` or by the daemon stopping.',
  },
  ERR_LOGIN_CAPPED: {
    status: 429,
    retryable: false,
    summary: 'Several sign-in pages or codes in a row went unanswered, so no further one comes by itself.',
  },
  ERR_LOGIN_OFF: {
    retryable: false,
    summary: 'A sign-in is needed, and CCWB_SIGN_IN=off forbids starting one here.',
  },
  ERR_REDIRECT_PORT_TAKEN: {
    status: 503,
    retryable: false,
    summary: 'Another program listens on the port the sign-in must return to.',
  },
  ERR_CONTAINER_PORT: { retryable: false, summary: 'Container credentials cannot be served on the port.' },
  ERR_PROVIDER_UNREACHABLE: {
    status: 502,
    retryable: true,
    summary: 'The identity provider did not answer, or answered with a passing fault.',
  },
  ERR_PROVIDER_INVALID: {
    status: 502,
    retryable: true,
    summary: 'What answered at the issuer is not this identity provider (a captive portal, a wrong issuer).',
  },
  ERR_PROVIDER_REJECTED: {
    status: 502,
    retryable: false,
    summary: 'The identity provider refused the client: wrong client id, redirect URI, scope or grant.',
  },
  ERR_ID_TOKEN_INVALID: {
    status: 502,
    retryable: false,
    summary: 'The ID token failed verification: signature, issuer, audience, expiry or nonce.',
  },
  ERR_AWS_UNREACHABLE: {
    status: 502,
    retryable: true,
    summary: 'AWS did not answer, or answered with a passing fault or throttling.',
  },
  ERR_AWS_DENIED: {
    status: 403,
    retryable: false,
    summary: 'AWS refused to exchange the ID token for credentials.',
  },
  ERR_AWS_CONFIG: {
    status: 502,
    retryable: false,
    summary:
      'The identity pool or role named in config.json does not exist or is set up for another provider.',
  },
  ERR_REFRESH_PENDING: {
    status: 504,
    retryable: true,
    summary: 'Credentials are being fetched, and that takes longer than a caller waits.',
  },
  ERR_STORE_LOCKED: { status: 503, retryable: true, summary: 'The keyring is locked.' },
  ERR_STORE_ABSENT: { status: 503, retryable: false, summary: 'There is no usable keyring on this machine.' },
  ERR_STORE_FAILED: {
    status: 503,
    retryable: true,
    summary: 'The secret store could not be read or written.',
  },
  ERR_SESSION_BUSY: {
    status: 503,
    retryable: true,
    summary: 'Another daemon of this user is refreshing the same sign-in and does not finish.',
  },
  ERR_SOCKET_UNSAFE: {
    retryable: false,
    summary: 'The socket or its directory belongs to somebody else or is open to others.',
  },
  ERR_SOCKET_PATH: {
    retryable: false,
    summary: 'The path of the socket is longer than the platform allows.',
  },
  ERR_DAEMON_RUNNING: { retryable: false, summary: 'Another daemon of this user already serves the socket.' },
  ERR_DAEMON_UNREACHABLE: {
    retryable: true,
    summary: 'The daemon could not be reached or did not answer in time.',
  },
  ERR_DAEMON_START: { retryable: false, summary: 'The daemon could not be started.' },
  ERR_SERVICE_UNAVAILABLE: {
    retryable: false,
    summary: 'There is no service manager of this user to install the daemon with.',
  },
  ERR_SERVICE_FAILED: {
    retryable: false,
    summary: 'The service manager refused an order, or the service does not work.',
  },
  ERR_INSTALL_INCOMPLETE: {
    retryable: false,
    summary: 'A file of the installation is missing, or there is no Node.js to run it with.',
  },
  ERR_PACKAGE_INVALID: {
    retryable: false,
    summary: 'The package that is to be installed is damaged, incomplete, or for another platform.',
  },
  ERR_INSTALL_FAILED: {
    retryable: false,
    summary: 'The installer could not write what it has to; what worked before still works.',
  },
  ERR_REQUEST_REFUSED: {
    status: 403,
    retryable: false,
    summary:
      'The request is from a web page, from another user, or from a program that `allowed_programs` does not name.',
  },
  ERR_PROTOCOL_VERSION: {
    status: 400,
    retryable: false,
    summary: 'Program and daemon are too far apart in version to understand each other.',
  },
  ERR_NOT_FOUND: {
    status: 404,
    retryable: false,
    summary: 'The daemon has no such route, or no such sign-in.',
  },
  ERR_ADMIN_CREDENTIALS: {
    retryable: false,
    summary:
      'There are no AWS credentials to administer with, AWS does not take them, or they are those of a user or of another account.',
  },
  ERR_ADMIN_DENIED: {
    retryable: false,
    summary: 'AWS refused an administrator what needs a further permission.',
  },
  ERR_TEMPLATE_INVALID: {
    retryable: false,
    summary: 'CloudFormation cannot take a template or its parameters.',
  },
  ERR_STACK_FAILED: {
    retryable: false,
    summary: 'CloudFormation could not create, update or delete a stack.',
  },
  ERR_STACK_STATE: {
    retryable: false,
    summary:
      'A stack is there, or in a state or under a protection, so that what was asked for cannot be done.',
  },
  ERR_STACK_PENDING: {
    retryable: true,
    summary: 'CloudFormation goes on with a stack, and the program stopped waiting for it.',
  },
  ERR_REPLACEMENT: {
    retryable: false,
    summary: 'A deployment would replace or remove what is in use, and nobody allowed that.',
  },
  ERR_NOT_DEPLOYED: {
    retryable: false,
    summary:
      'A package would be of no use, since the stack is not deployed that its users get credentials from.',
  },
  ERR_DOWNLOAD: {
    retryable: true,
    summary: 'What a package needs could not be fetched from the npm registry.',
  },
  ERR_INTEGRITY: {
    retryable: false,
    summary: 'What was fetched has another hash than the one pinned in the program.',
  },
  ERR_OUTPUT: { retryable: false, summary: 'A file or folder that a program makes could not be written.' },
  ERR_TEST_FAILED: {
    retryable: false,
    summary: 'A step of `ccwb test` found something that is not as it should be.',
  },
  ERR_DECLINED: { retryable: false, summary: 'A question was answered with no.' },
  ERR_INTERRUPTED: {
    retryable: false,
    summary: 'The program was interrupted while nothing was under way that could be left half done.',
  },
  ERR_INTERNAL: { status: 500, retryable: false, summary: 'A defect in this program.' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof KINDS;

/** The registry of codes, in the order of docs/errors.md. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorKind>> = KINDS;

/** Returns the exit status of a program that ends with an error: 2 for wrong usage, 1 for anything else. */
export function exitStatus(code: ErrorCode): 1 | 2 {
  return code === 'ERR_USAGE' ? 2 : 1;
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}
