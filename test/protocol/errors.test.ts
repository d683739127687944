import t from 'tap';
import { ERRORS, type ErrorCode } from '../../protocol/error-codes.ts';
import { asCcwbError, CcwbError, errorFromBody, errorLines, loginRequired } from '../../protocol/errors.ts';

const CODES = Object.keys(ERRORS) as ErrorCode[];

t.test('every code arrives as it was sent', async (t) => {
  for (const code of CODES) {
    const sent = new CcwbError(code, `message of ${code}`, `fix of ${code}`, { cause: new Error('planted') });
    const text = JSON.stringify(sent.toBody());
    t.notMatch(text, /planted|stack|cause/);
    const received = errorFromBody(sent.toReply().status, JSON.parse(text));
    t.same(received.toBody(), sent.toBody());
    t.equal(received.toReply().status, sent.toReply().status);
    t.equal(received.exit, sent.exit);
    t.equal(received.retryable, sent.retryable);
  }
});

t.test('a code that the daemon never sends becomes an internal error in a reply', async (t) => {
  const error = new CcwbError('ERR_STACK_FAILED', 'planted', 'planted');
  const { status, body } = error.toReply();
  t.equal(status, 500);
  t.match(body, { error: { code: 'ERR_INTERNAL', message: 'unexpected ERR_STACK_FAILED' } });
  t.notMatch(JSON.stringify(body), /planted/);
});

t.test('a body without a known error becomes an error that names the status', async (t) => {
  const bodies: unknown[] = [
    undefined,
    null,
    7,
    'x',
    [],
    {},
    { error: null },
    { error: 'ERR_USAGE' },
    { error: {} },
    { error: { code: 'ERR_NONE', message: 'm', fix: 'f' } },
    { error: { code: 'toString', message: 'm', fix: 'f' } },
    { error: { code: 7 } },
  ];
  for (const body of bodies)
    t.match(
      errorFromBody(418, body),
      { code: 'ERR_DAEMON_UNREACHABLE', message: /status 418/ },
      JSON.stringify(body),
    );
});

t.test('texts of a wrong type become empty', async (t) => {
  const error = errorFromBody(400, { error: { code: 'ERR_USAGE', message: { a: 1 } } });
  t.same(error.toBody(), { error: { code: 'ERR_USAGE', message: '', fix: '' } });
});

t.test('a foreign error becomes an internal error that hides its message', async (t) => {
  const own = loginRequired();
  t.equal(asCcwbError(own), own);
  for (const thrown of [new TypeError('planted'), 'planted', { message: 'planted' }, undefined, null]) {
    const error = asCcwbError(thrown);
    t.equal(error.code, 'ERR_INTERNAL');
    t.notMatch(`${error.message} ${error.fix}`, /planted/);
    t.equal(error.cause, thrown);
  }
  t.match(asCcwbError(new TypeError('x')).message, /TypeError/);
});

t.test('errorLines says what went wrong and what to do', async (t) => {
  t.equal(
    errorLines('bedrock-auth', loginRequired()),
    'bedrock-auth: nobody is signed in (ERR_LOGIN_REQUIRED)\n  fix: run bedrock-auth login\n',
  );
});
