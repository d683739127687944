import t from 'tap';
import { buildUserReadme } from '../../../admin/package/user-readme.ts';
import { COMMANDS } from '../../../shim/commands/command-table.ts';

const readme = buildUserReadme({ profile: 'Acme', build: '1.2.3', hasTelemetry: false, hasRuntime: true });

t.test('every command in the text exists', async (t) => {
  const named = [...readme.matchAll(/bedrock-auth (\w+)/g)].map(([, name = '']) => name);
  t.ok(named.length > 2);
  const known = COMMANDS.map(({ name }) => name);
  for (const name of named) t.ok(known.includes(name), name);
});

t.test('the text names the profile and the version', async (t) => {
  t.match(readme, /^AWS_PROFILE=Acme aws /m);
  t.match(readme, '`[profile Acme]`');
  t.match(readme, 'This is version 1.2.3.');
});

t.test('telemetry and Node.js are mentioned only if the package has them', async (t) => {
  t.notMatch(readme, /telemetry/);
  t.match(readme, /It needs nothing else on your computer/);
  const other = buildUserReadme({ profile: 'Acme', build: '1.2.3', hasTelemetry: true, hasRuntime: false });
  t.match(other, /switched on telemetry/);
  t.match(other, /You need Node\.js 20\.19 or newer/);
});
