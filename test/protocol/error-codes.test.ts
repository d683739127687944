import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ERRORS, type ErrorCode, exitStatus, isErrorCode } from '../../protocol/error-codes.ts';

const CODES = Object.keys(ERRORS) as ErrorCode[];

t.test('every code has a status of a failure if any, an exit status and a summary of its own', async (t) => {
  for (const code of CODES) {
    const { status, summary } = ERRORS[code];
    const exit = exitStatus(code);
    t.match(code, /^ERR_[A-Z]+(_[A-Z]+)*$/);
    t.ok(status === undefined || (status >= 400 && status <= 599), `${code} ${status}`);
    t.ok(exit === 1 || exit === 2);
    t.match(summary, /^[^\n]+\.$/, `${code} is one sentence`);
  }
  t.equal(new Set(CODES.map((code) => ERRORS[code].summary)).size, CODES.length, 'no two mean the same');
});

t.test('the daemon sends every code of a session and none of an installation or a deployment', async (t) => {
  t.same(
    CODES.filter((code) => ERRORS[code].status !== undefined),
    [
      'ERR_USAGE',
      'ERR_CONFIG_MISSING',
      'ERR_CONFIG_INVALID',
      'ERR_PROFILE_UNKNOWN',
      'ERR_LOGIN_REQUIRED',
      'ERR_LOGIN_DENIED',
      'ERR_LOGIN_EXPIRED',
      'ERR_LOGIN_CANCELLED',
      'ERR_LOGIN_CAPPED',
      'ERR_REDIRECT_PORT_TAKEN',
      'ERR_PROVIDER_UNREACHABLE',
      'ERR_PROVIDER_INVALID',
      'ERR_PROVIDER_REJECTED',
      'ERR_ID_TOKEN_INVALID',
      'ERR_AWS_UNREACHABLE',
      'ERR_AWS_DENIED',
      'ERR_AWS_CONFIG',
      'ERR_REFRESH_PENDING',
      'ERR_STORE_LOCKED',
      'ERR_STORE_ABSENT',
      'ERR_STORE_FAILED',
      'ERR_SESSION_BUSY',
      'ERR_REQUEST_REFUSED',
      'ERR_PROTOCOL_VERSION',
      'ERR_NOT_FOUND',
      'ERR_INTERNAL',
    ],
  );
});

t.test('isErrorCode accepts registered codes only', async (t) => {
  for (const code of CODES) t.equal(isErrorCode(code), true);
  for (const value of ['', 'ERR_', 'toString', '__proto__', 'constructor', 7, null, undefined, {}])
    t.equal(isErrorCode(value), false);
});

t.test('a program may rely on these statuses, exit statuses and retryable codes', async (t) => {
  t.equal(ERRORS.ERR_LOGIN_REQUIRED.status, 401);
  t.equal(exitStatus('ERR_USAGE'), 2);
  t.same(
    CODES.filter((code) => exitStatus(code) === 2),
    ['ERR_USAGE'],
    'only wrong usage exits with 2',
  );
  t.same(
    CODES.filter((code) => ERRORS[code].retryable).sort(),
    [
      'ERR_AWS_UNREACHABLE',
      'ERR_DAEMON_UNREACHABLE',
      'ERR_DOWNLOAD',
      'ERR_LOGIN_PENDING',
      'ERR_PROVIDER_INVALID',
      'ERR_PROVIDER_UNREACHABLE',
      'ERR_REFRESH_PENDING',
      'ERR_SESSION_BUSY',
      'ERR_STACK_PENDING',
      'ERR_STORE_FAILED',
      'ERR_STORE_LOCKED',
    ],
    'these may succeed when tried again unchanged',
  );
});

t.test('docs/errors.md lists the codes of the registry in its order', async (t) => {
  const page = join(projectRoot(), 'docs', 'errors.md');
  t.ok(existsSync(page), 'the page is there');
  const rows = tableRows(existsSync(page) ? readFileSync(page, 'utf8') : '');
  const codes = rows.map(([code = '']) => code);
  t.same(codes, CODES, 'the same codes in the same order, each once');
  for (const [code = '', ...cells] of rows) {
    if (!isErrorCode(code)) continue;
    const { summary } = ERRORS[code];
    const exit = exitStatus(code);
    t.ok(cells.includes(summary), `${code} means "${summary}"`);
    t.ok(cells.includes(String(exit)), `${code} exits with ${exit}`);
  }
});

/** Rows of a Markdown table whose first cell is a code, without the code's backticks. */
function tableRows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => /^\|\s*`?ERR_/.test(line))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1))
    .map(([code = '', ...cells]) => [code.replaceAll('`', '').trim(), ...cells.map((cell) => cell.trim())]);
}

function projectRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return directory;
}
