import t from 'tap';
import { parseOptions } from '../../../tools/test-runner/options.ts';

t.test('without arguments every test runs', async (t) => {
  t.same(parseOptions([]), { names: [], quick: false, coverage: false, help: false });
});

t.test('names of folders and files are taken as they are', async (t) => {
  t.same(parseOptions(['daemon/session', 'test/e2e']).names, ['daemon/session', 'test/e2e']);
});

t.test('--changed compares with HEAD, or with the given commit', async (t) => {
  t.equal(parseOptions(['--changed']).changedSince, 'HEAD');
  t.equal(parseOptions(['--changed=main']).changedSince, 'main');
  t.same(parseOptions(['--changed', 'daemon']).names, ['daemon']);
});

t.test('an unknown option is refused', async (t) => {
  t.throws(() => parseOptions(['--fast']), TypeError);
});
