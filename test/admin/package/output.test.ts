import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createOutputFolder } from '../../../admin/package/output.ts';

const NOW = Date.parse('2026-01-02T03:04:05.678Z');
const edges = (interruption = new AbortController()) => ({
  now: () => NOW,
  interrupted: interruption.signal,
});
const FILES = [{ path: 'a', bytes: Buffer.from('a'), executable: false }];

t.test('a complete folder appears under its time', async (t) => {
  const dist = join(t.testdir({}), 'dist');
  const output = createOutputFolder(dist, 'Acme', edges());
  await output.writeArchive('a.tar.gz', FILES, 0);
  output.writeText('SHA256SUMS', 'sums\n');
  t.match(readdirSync(join(dist, 'Acme')), [/^\./], 'not yet');
  const path = output.finish();
  t.equal(path, join(dist, 'Acme', '20260102T030405Z'));
  t.strictSame(readdirSync(path).sort(), ['SHA256SUMS', 'a.tar.gz']);
  output.discard();
  t.equal(readFileSync(join(path, 'SHA256SUMS'), 'utf8'), 'sums\n', 'what is finished stays');
});

t.test('runs in the same second get different folders', async (t) => {
  const dist = t.testdir({});
  const paths = [0, 1, 2].map(() => createOutputFolder(dist, 'Acme', edges()).finish());
  t.strictSame(
    paths.map((path) => path.slice(join(dist, 'Acme').length + 1)),
    ['20260102T030405Z', '20260102T030405Z-2', '20260102T030405Z-3'],
  );
});

t.test('a discarded folder leaves nothing behind', async (t) => {
  const dist = t.testdir({});
  const output = createOutputFolder(dist, 'Acme', edges());
  output.writeText('SHA256SUMS', '');
  output.discard();
  t.strictSame(readdirSync(join(dist, 'Acme')), []);
});

t.test('the folder of a killed run is removed by the next run after a day', async (t) => {
  const old = new Date(NOW - 25 * 3_600_000);
  const recent = new Date(NOW - 23 * 3_600_000);
  const dist = t.testdir({});
  const folders: readonly [name: string, Date][] = [
    ['.20260101T000000Z.17', old],
    ['.20260101T000001Z.18', recent],
    ['20260101T000000Z', old],
    ['.mine', old],
  ];
  for (const [name, time] of folders) {
    const path = join(dist, 'Acme', name);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'file'), '');
    utimesSync(path, time, time);
  }
  createOutputFolder(dist, 'Acme', edges()).finish();
  t.strictSame(readdirSync(join(dist, 'Acme')), [
    '.20260101T000001Z.18',
    '.mine',
    '20260101T000000Z',
    '20260102T030405Z',
  ]);
});

t.test('an interruption is not reported as a disk error', async (t) => {
  const interruption = new AbortController();
  const output = createOutputFolder(t.testdir({}), 'Acme', edges(interruption));
  interruption.abort();
  await t.rejects(output.writeArchive('a.tar.gz', FILES, 0), { code: 'ERR_INTERRUPTED' });
});

t.test('a folder that cannot be written is reported', async (t) => {
  const folder = t.testdir({ file: '' });
  t.throws(() => createOutputFolder(join(folder, 'file'), 'Acme', edges()), {
    code: 'ERR_OUTPUT',
    message: /ENOTDIR/,
  });
  // Node.js itself never returns from making folders there.
  if (process.platform === 'linux') {
    t.throws(() => createOutputFolder('/proc/ccwb', 'Acme', edges()), {
      code: 'ERR_OUTPUT',
      message: /\/proc\/ccwb\/Acme/,
    });
  }
  const output = createOutputFolder(folder, 'Acme', edges());
  await output.writeArchive('a.tar.gz', FILES, 0);
  await t.rejects(output.writeArchive('a.tar.gz', FILES, 0), { code: 'ERR_OUTPUT', message: /EEXIST/ });
});
