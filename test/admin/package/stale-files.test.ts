import { chmodSync, existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { removeStaleFiles } from '../../../admin/package/stale-files.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const HOUR = 3_600_000;

t.test('only files and folders with a matching name that are a day old are removed', async (t) => {
  const folder = t.testdir({ 'left-file': '', 'left-folder': { file: '' }, 'left-new': '', other: '' });
  for (const name of ['left-file', 'left-folder', 'other']) age(join(folder, name), 25);
  age(join(folder, 'left-new'), 23);
  removeStaleFiles(folder, /^left-/, NOW);
  t.strictSame(readdirSync(folder).sort(), ['left-new', 'other']);
});

t.test('a folder that cannot be removed causes no error', async (t) => {
  const folder = t.testdir({});
  const locked = join(folder, 'left-locked');
  mkdirSync(join(locked, 'inner'), { recursive: true });
  writeFileSync(join(locked, 'inner', 'file'), '');
  chmodSync(join(locked, 'inner'), 0o500);
  t.teardown(() => existsSync(locked) && chmodSync(join(locked, 'inner'), 0o700));
  age(locked, 25);
  t.doesNotThrow(() => removeStaleFiles(folder, /^left-/, NOW));
});

function age(path: string, hours: number): void {
  const time = new Date(NOW - hours * HOUR);
  utimesSync(path, time, time);
}
