import type { Command } from 'commander';
import type { AdminEdges } from '../edges.ts';
import { type ExportFlags, exportProfile } from '../profiles/export-profile.ts';
import { type ImportFlags, importProfile } from '../profiles/import-profile.ts';
import { listAll, type RemoveFlags, remove, showOne, use } from '../profiles/manage-profiles.ts';

const EXAMPLES = `
A profile is one deployment: what ccwb init was told, and what the stacks gave. They
are files in ~/.ccwb/profiles, or in profiles under CCWB_HOME.

Which one a command means: --profile, else CCWB_PROFILE, else the current one, else
the only one.

Examples:
  $ ccwb profiles list
  $ ccwb profiles use Research
  $ ccwb profiles export Research --output research.json
`;

const USE_EXAMPLES = `
Examples:
  $ ccwb profiles use Research
  $ ccwb profiles list
`;

const LIST_EXAMPLES = `
Examples:
  $ ccwb profiles list
  $ ccwb profiles list --json
`;

const SHOW_EXAMPLES = `
Examples:
  $ ccwb profiles show
  $ ccwb profiles show Research --json
`;

const EXPORT_EXAMPLES = `
What is not private is exported: everything but config.client_secret, and fields that
this ccwb does not know. What was left out is said.

Examples:
  Give a deployment to a colleague, with what its stacks gave:
    $ ccwb profiles export Research --output research.json

  Keep it beside other code:
    $ ccwb profiles export > deployments/claude-code.json
`;

const IMPORT_EXAMPLES = `
Under another name it is another deployment: the outputs of stacks are left out then.

Examples:
  $ ccwb profiles import research.json
  $ ccwb profiles import research.json --as Trial
  $ ccwb profiles import research.json --force
`;

const REMOVE_EXAMPLES = `
Nothing is deleted in AWS. A profile whose stacks are deployed stays, unless forced:
without it ccwb does not find them again.

Examples:
  $ ccwb destroy --profile Trial && ccwb profiles remove Trial --yes
  $ ccwb profiles export Trial --output trial.json && ccwb profiles remove Trial --force
`;

/** Adds `ccwb profiles`, with a command for each thing to do with one. */
export function addProfilesCommand(program: Command, edges: AdminEdges): void {
  const profiles = program
    .command('profiles')
    .summary('list, choose, show, hand on and remove profiles')
    .description('Keeps the profiles of this administrator: one for each deployment.')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES);
  profiles
    .command('list')
    .summary('list the profiles')
    .description('Lists the profiles, with a star at the current one, and what of each is deployed.')
    .option('--json', 'print it as JSON')
    .addHelpText('after', LIST_EXAMPLES)
    .action((flags: { json?: true }) => listAll(flags, edges));
  profiles
    .command('use')
    .summary('make one the current one')
    .description('Makes a profile the current one.')
    .argument('<name>', 'which profile')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', USE_EXAMPLES)
    .action((name: string, flags: { json?: true }) => use(name, flags, edges));
  profiles
    .command('show')
    .summary('show what one says')
    .description('Shows what a profile says. A client secret is not shown.')
    .argument('[name]', 'which profile (default: the current one)')
    .option('--json', 'print it as JSON')
    .addHelpText('after', SHOW_EXAMPLES)
    .action((name: string | undefined, flags: { json?: true }) => showOne(name, flags, edges));
  profiles
    .command('export')
    .summary('write one out, without what is private')
    .description('Writes a profile, without what is private, to standard output or into a file.')
    .argument('[name]', 'which profile (default: the current one)')
    .option('--output <file>', 'write into this file')
    .option('--force', 'replace the file when it is there')
    .option('--with-client-secret', 'write the client secret, too')
    .option('--json', 'with --output: print the result as JSON')
    .addHelpText('after', EXPORT_EXAMPLES)
    .action((name: string | undefined, flags: ExportFlags) => exportProfile(name, flags, edges));
  profiles
    .command('import')
    .summary('take one in from a file')
    .description(
      'Takes a profile in from a file: one that was exported, or one of the tool that ccwb replaces.',
    )
    .argument('<file>', 'the file')
    .option('--as <name>', 'give it this name')
    .option('--force', 'replace the profile of that name; its file stays as NAME.json.bak')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', IMPORT_EXAMPLES)
    .action((file: string, flags: ImportFlags) => importProfile(file, flags, edges));
  profiles
    .command('remove')
    .summary('remove one from this computer')
    .description('Removes a profile from this computer.')
    .argument('<name>', 'which profile')
    .option('-y, --yes', 'do not ask')
    .option('--force', 'do not ask, and remove it although stacks of it are deployed')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', REMOVE_EXAMPLES)
    .action((name: string, flags: RemoveFlags) => remove(name, flags, edges));
}
