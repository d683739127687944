import t from 'tap';
import { readText, tableUnder } from '../../tools/docs/pages.ts';

t.test('docs/testing.md has a row for each step of ccwb test, in order', async (t) => {
  const source = readText('admin/trial/trial.ts');
  const steps = [...source.matchAll(/run\.step\(\s*(?:'([^']+)'|`([^`]+)`)/g)].map(
    ([, name = '', pattern = '']) => name || pattern.replace(/\$\{\w+\}/, 'REGION'),
  );
  t.equal(steps.length, 16);
  // Told first in the program, since it is done whatever happens.
  const ordered = [...steps.filter((step) => step !== 'clean-up'), 'clean-up'];
  t.strictSame(
    tableUnder(readText('docs/testing.md'), 'The steps').map(([step]) => step),
    ordered,
  );
});
