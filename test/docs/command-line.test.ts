import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { CHECKS as ADMIN_CHECKS } from '../../admin/doctor/doctor.ts';
import { PROFILE_FIELDS } from '../../admin/profiles/profile-check.ts';
import { REPLY_SCHEMAS } from '../../protocol/api.ts';
import { CHECKS } from '../../shim/doctor/doctor.ts';
import { helpOf, listedCommands, PROGRAM_COMMANDS, quotes } from '../../tools/docs/help.ts';
import { pages, ROOT, readText, tableUnder } from '../../tools/docs/pages.ts';

const UPDATE = 'run npm run build && node build/js/tools/docs/update.js';

t.test('each help text in the pages is what the program prints', async (t) => {
  for (const page of pages()) {
    for (const { command, text } of quotes(readText(page))) {
      t.equal(text, helpOf(command), `${page}: ${command} --help; ${UPDATE}`);
    }
  }
});

t.test('docs/command-line.md quotes every program and every subcommand', async (t) => {
  const quoted = quotes(readText('docs/command-line.md')).map(({ command }) => command);
  t.strictSame([...quoted].sort(), [...PROGRAM_COMMANDS].sort());
  for (const program of ['bedrock-auth', 'bedrock-auth service', 'ccwb', 'ccwb profiles']) {
    const depth = program.split(' ').length + 1;
    const known = PROGRAM_COMMANDS.filter(
      (command) => command.startsWith(`${program} `) && command.split(' ').length === depth,
    );
    const listed = listedCommands(helpOf(program)).map((name) => `${program} ${name}`);
    t.strictSame(known.sort(), listed.sort(), `the subcommands of ${program}`);
  }
});

t.test('docs/command-line.md tells the exit status of every program', async (t) => {
  const programs = tableUnder(readText('docs/command-line.md'), 'Exit status').map(([name]) => name);
  const known = PROGRAM_COMMANDS.filter((command) => !command.includes(' ')).map((name) => `\`${name}\``);
  t.strictSame(programs.sort(), known.sort());
});

t.test('docs/how-it-works.md names the files of an installation', async (t) => {
  const rows = tableUnder(readText('docs/how-it-works.md'), 'The files of an installation');
  const documented = rows.filter(([, from]) => from === 'build').map(([name]) => name);
  const built = readdirSync(join(ROOT, 'build/app')).map((name) => `\`${name}\``);
  t.strictSame(documented.sort(), built.sort());
});

t.test('docs/command-line.md names every check of doctor, in order', async (t) => {
  const rows = tableUnder(readText('docs/command-line.md'), 'What doctor looks at').map(([name]) => name);
  t.strictSame(
    rows,
    CHECKS.map(({ name }) => `\`${name}\``),
  );
});

t.test('docs/command-line.md names every check of ccwb doctor, in order', async (t) => {
  const rows = tableUnder(readText('docs/command-line.md'), 'What ccwb doctor looks at').map(
    ([name]) => name,
  );
  t.strictSame(
    rows,
    ADMIN_CHECKS.map(({ name }) => `\`${name}\``),
  );
});

t.test('docs/command-line.md names every field of an administrator\u2019s profile', async (t) => {
  const rows = tableUnder(readText('docs/command-line.md'), 'ccwb profiles').map(([name]) => name);
  t.strictSame(
    rows,
    PROFILE_FIELDS.map((name) => `\`${name}\``),
  );
});

t.test('docs/command-line.md has every field of status --json', async (t) => {
  const text = readText('docs/command-line.md');
  const fieldsUnder = (header: string): string[] => {
    const [, table = ''] = text.split(`| ${header} | meaning |\n`);
    const rows = table.split('\n\n')[0]?.split('\n').slice(1) ?? [];
    return rows.map((row) => /^\| `(\w+)`/.exec(row)?.[1] ?? '');
  };
  const status = REPLY_SCHEMAS.status as { properties: { profiles: { items: { properties: object } } } };
  const [, after = ''] = text.split('$ bedrock-auth status --help');
  t.ok(after.includes('| field | meaning |'));
  t.strictSame(fieldsUnder('field').sort(), Object.keys(status.properties).sort());
  t.strictSame(
    fieldsUnder('field of a profile').sort(),
    Object.keys(status.properties.profiles.items.properties).sort(),
  );
});
