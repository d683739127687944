import t from 'tap';
import { createProgress } from '../../../tools/test-runner/progress.ts';

function outputOf(terminal: boolean, total: number, failing: number): string {
  let text = '';
  const output = { isTTY: terminal, columns: 40, write: (part: string) => (text += part) };
  const progress = createProgress(output, total);
  for (let file = 1; file <= total; file++)
    progress.finished({ file: `build/js/test/a${file}.test.js`, ok: file !== failing, ms: 1250 });
  progress.print('a test said this\n');
  progress.end();
  return text;
}

t.test('a pipe gets a line for each tenth of the files, and no cursor codes', async (t) => {
  const text = outputOf(false, 100, 15);
  t.equal(
    text,
    `${['10 of 100 files done', 'failed: test/a15.test.ts (1.3 s)'].join('\n')}\n${Array.from(
      { length: 9 },
      (_, index) => `${index * 10 + 20} of 100 files done, 1 failed\n`,
    ).join('')}a test said this\n`,
  );
  t.notOk(text.includes('\r') || text.includes('\u001b'));
});

t.test('a terminal has one line, no longer than the terminal is wide', async (t) => {
  const [first = '', second = '', ...others] = outputOf(true, 2, 0).split('\r\u001b[K').slice(1);
  t.equal(first, '1 of 2 files done  test/a1.test.ts');
  t.equal(second, '2 of 2 files done  test/a2.test.ts');
  t.same(others, ['a test said this\n', '']);
  t.equal(
    Math.max(
      ...outputOf(true, 1000, 0)
        .split('\r\u001b[K')
        .map((line) => line.length),
    ),
    39,
  );
});
