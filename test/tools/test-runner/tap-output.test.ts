import t from 'tap';
import { countTests, describeSkipped, slowestFirst } from '../../../tools/test-runner/tap-output.ts';

const RUN = `TAP version 14
1..3
# Subtest: build/js/test/a.test.js
    # Subtest: adds
        ok 1 - should be equal
        1..1
    ok 1 - adds # time=1.5ms
    
    # Subtest: divides
        ok 1 - should be equal
        not ok 2 - should be equal
          ---
          diff: |
            -1
            +2
          ...
        1..2
        # failed 1 of 2 tests
    not ok 2 - divides # time=2ms
      ---
      at:
        lineNumber: 3
      ...
    
    ok 3 - shows # SKIP needs tmux and Chromium, not installed here
    ok 4 - later # TODO
    1..4
not ok 1 - build/js/test/a.test.js # time=1500.25ms

# Subtest: build/js/test/b.test.js
    1..0
not ok 2 - build/js/test/b.test.js # time=10ms
  ---
  exitCode: 1
  ...

# Subtest: build/js/test/c.test.js
    # Subtest: works
        ok 1 - should be equal
        1..1
    ok 1 - works # time=3ms
    
    1..1
ok 3 - build/js/test/c.test.js # time=20ms
`;

t.test('tests are counted, not their assertions nor their files', async (t) => {
  const { passed, failed, skipped } = countTests(RUN);
  t.same([passed, failed, skipped.length], [2, 2, 2]);
});

t.test('a failure has its file, its assertion and what follows', async (t) => {
  const [first = [], second = []] = countTests(RUN).failures;
  t.equal(first[0], 'build/js/test/a.test.js: divides # time=2ms');
  t.ok(first.some((line) => line.includes('+2')));
  t.ok(first.some((line) => line.includes('lineNumber: 3')));
  t.notOk(first.some((line) => line.includes(' ok 1 - should')));
  t.equal(second[0], 'as a whole: build/js/test/b.test.js # time=10ms');
  t.ok(second.some((line) => line.includes('exitCode: 1')));
});

t.test('a run without output has no test', async (t) => {
  t.same(countTests(''), { passed: 0, failed: 0, skipped: [], failures: [], times: [] });
});

t.test('files are listed by their time', async (t) => {
  t.equal(
    slowestFirst(countTests(RUN).times),
    '    1.5 build/js/test/a.test.js\n    0.0 build/js/test/c.test.js\n    0.0 build/js/test/b.test.js\n',
  );
});

t.test('skipped tests are grouped by the missing tool', async (t) => {
  const needs = (tool: string) => `needs ${tool}, not installed here`;
  t.equal(
    describeSkipped([
      { test: 'one', reason: needs('tmux') },
      { test: 'two', reason: 'only root can mount' },
      { test: 'three', reason: needs('tmux') },
      { test: 'four', reason: needs('tmux and Chromium') },
    ]),
    `
skipped, missing: tmux
  one
  three

skipped, only root can mount
  two

skipped, missing: tmux, Chromium
  four

.ci/run installs everything that tests need, on Debian.
`,
  );
});

t.test(
  'nothing is said of skipped tests when there are none, nor of tools when none is missing',
  async (t) => {
    t.equal(describeSkipped([]), '');
    t.notMatch(describeSkipped([{ test: 'two', reason: 'only root can mount' }]), /\.ci\/run/);
  },
);
