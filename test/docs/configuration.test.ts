import t from 'tap';
import { parseConfig } from '../../protocol/config.ts';
import { codeIn, fences, prose, readText, repositoryFiles, tableUnder } from '../../tools/docs/pages.ts';

const PAGE = readText('docs/configuration.md');
const SOURCE = ['config', 'profile-reader', 'telemetry-settings']
  .map((name) => readText(`protocol/${name}.ts`))
  .join('');

t.test('docs/configuration.md names every field of config.json and no other', async (t) => {
  const fieldsRead = [...SOURCE.matchAll(/\bread\.\w+\(\s*'(\w+)'/g)].map(([, field = '']) => field);
  t.ok(fieldsRead.includes('client_id'), 'the fields are found in the source');
  const documented = ['Identity provider', 'AWS', 'On this computer', 'Telemetry'].flatMap((heading) =>
    tableUnder(PAGE, heading).flatMap(([field]) => codeIn(field)),
  );
  t.strictSame(documented.sort(), [...new Set(fieldsRead)].sort());
});

t.test('docs/configuration.md names every older field name', async (t) => {
  const [, table = ''] = /LEGACY_NAMES[^{]*\{([^}]*)\}/.exec(SOURCE) ?? [];
  const known = [...table.matchAll(/(\w+): '(\w+)'/g)].map(([, older, now]) => [older, now]);
  t.ok(known.length > 0, 'the names are found in the source');
  const documented = tableUnder(PAGE, 'Older names').map((row) => row.flatMap(codeIn));
  t.strictSame(documented, known);
});

t.test('every example of docs/configuration.md is a configuration without a mistake', async (t) => {
  const examples = fences(PAGE).filter(({ language }) => language === 'json');
  t.ok(examples.length > 5);
  for (const { text } of examples) {
    const { invalid, unknownFields } = parseConfig(text, 'config.json');
    t.strictSame([...invalid.values()].map(String), [], text);
    t.strictSame(unknownFields, [], text);
  }
});

t.test('docs/configuration.md names every CCWB_ variable of the programs and no other', async (t) => {
  const sources = repositoryFiles().filter((path) =>
    /^(protocol|daemon|shim|admin|infra|service-files)\//.test(path),
  );
  const used = new Set(sources.flatMap((path) => readText(path).match(/\bCCWB_[A-Z]+(?:_[A-Z]+)*\b/g) ?? []));
  const rows = tableUnder(PAGE, 'Environment variables');
  t.strictSame(rows.flatMap(([name]) => codeIn(name)).sort(), [...used].sort());
  const mentioned = new Set(prose(PAGE).match(/\bCCWB_[A-Z_]+\b/g) ?? []);
  t.strictSame([...mentioned].sort(), [...used].sort());
});
