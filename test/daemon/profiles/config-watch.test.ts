import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createConfigWatch } from '../../../daemon/profiles/config-watch.ts';
import { memoryLog } from '../../../tools/support/daemon-edges.ts';
import { profileFields } from '../fixtures/profile-config.ts';

function open(t: { testdir(content: Record<string, string>): string }) {
  const path = join(t.testdir({}), 'config.json');
  const writeText = (text: string): void => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  const write = (...names: string[]): void => {
    const fields = profileFields('https://idp.example', 'https://aws.example');
    writeText(JSON.stringify({ profiles: Object.fromEntries(names.map((name) => [name, fields])) }));
  };
  const { log, events } = memoryLog();
  return { path, write, writeText, events, watch: createConfigWatch(path, log) };
}

const namesOf = (config: { profiles: ReadonlyMap<string, unknown> } | undefined): string[] | undefined =>
  config && [...config.profiles.keys()];

t.test('the file is read once for each change', async (t) => {
  const { watch, write } = open(t);
  write('A');
  t.strictSame(namesOf(watch.readIfChanged()), ['A']);
  t.equal(watch.readIfChanged(), undefined, 'nothing changed');
  write('A', 'B');
  t.strictSame(namesOf(watch.readIfChanged()), ['A', 'B']);
});

t.test('a file that cannot be used keeps the last configuration and has a problem', async (t) => {
  const { watch, write, writeText, events } = open(t);
  write('A');
  watch.readIfChanged();
  writeText('{');
  t.equal(watch.readIfChanged(), undefined);
  t.strictSame(namesOf(watch.current()), ['A']);
  t.equal(watch.problem()?.code, 'ERR_CONFIG_INVALID');
  t.equal(watch.readIfChanged(), undefined, 'the same file is not read again');
  t.strictSame(events(), ['config not usable']);
  write('B');
  t.strictSame(namesOf(watch.readIfChanged()), ['B']);
  t.equal(watch.problem(), undefined);
});

t.test('a missing file is a problem until it exists', async (t) => {
  const { watch, path, write } = open(t);
  t.equal(watch.readIfChanged(), undefined);
  t.equal(watch.current(), undefined);
  t.equal(watch.problem()?.code, 'ERR_CONFIG_MISSING');
  write('A');
  t.strictSame(namesOf(watch.readIfChanged()), ['A']);
  rmSync(path);
  t.equal(watch.readIfChanged(), undefined);
  t.equal(watch.problem()?.code, 'ERR_CONFIG_MISSING');
});
