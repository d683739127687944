import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { helpOf, listedCommands, PROGRAM_COMMANDS, quotes } from './help.ts';
import { pages, ROOT, readText, tableUnder } from './pages.ts';

const UPDATE = 'run npm run build && node build/js/test/docs/update.js';

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
  for (const program of ['bedrock-auth', 'bedrock-auth service', 'ccwb']) {
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
