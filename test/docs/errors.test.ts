import t from 'tap';
import { ERRORS, isErrorCode } from '../../protocol/error-codes.ts';
import { codeIn, readText, tableUnder } from '../../tools/docs/pages.ts';

// That the page has every code in order, with its meaning and exit status, is in test/protocol/error-codes.test.ts.
t.test('docs/errors.md says of each code its HTTP status, whether it passes, and what to do', async (t) => {
  const rows = tableUnder(readText('docs/errors.md'), 'Codes');
  t.equal(rows.length, Object.keys(ERRORS).length);
  for (const [cell, , status, passes, , advice] of rows) {
    const [code] = codeIn(cell);
    if (!isErrorCode(code)) {
      t.fail(`${cell} is no code`);
      continue;
    }
    t.equal(status, String(ERRORS[code].status ?? '–'), `the status of ${code}`);
    t.equal(passes, ERRORS[code].retryable ? 'yes' : 'no', `whether ${code} passes`);
    t.match(advice, /\S.*\.$/, `what to do about ${code}`);
  }
});
