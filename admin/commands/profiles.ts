import type { ExportFlags } from '../profiles/export-profile.ts';
import type { ImportFlags } from '../profiles/import-profile.ts';
import type { JsonFlag, RemoveFlags } from '../profiles/manage-profiles.ts';
import type { AdminCommand, CommandCall } from './command.ts';

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

const LIST: AdminCommand = {
  name: 'list',
  summary: 'list the profiles',
  description: 'Lists the profiles, with a star at the current one, and what of each is deployed.',
  flags: [{ flags: '--json', text: 'print it as JSON' }],
  notes: LIST_EXAMPLES,
  run: async ({ flags, edges }: CommandCall<JsonFlag>) => {
    const { listAll } = await import('../profiles/manage-profiles.ts');
    listAll(flags, edges);
  },
};

const USE: AdminCommand = {
  name: 'use',
  summary: 'make one the current one',
  description: 'Makes a profile the current one.',
  operand: { name: '<name>', text: 'which profile' },
  flags: [{ flags: '--json', text: 'print the result as JSON' }],
  notes: USE_EXAMPLES,
  run: async ({ flags, operands: [name = ''], edges }: CommandCall<JsonFlag>) => {
    const { use } = await import('../profiles/manage-profiles.ts');
    use(name, flags, edges);
  },
};

const SHOW: AdminCommand = {
  name: 'show',
  summary: 'show what one says',
  description: 'Shows what a profile says. A client secret is not shown.',
  operand: { name: '[name]', text: 'which profile (default: the current one)' },
  flags: [{ flags: '--json', text: 'print it as JSON' }],
  notes: SHOW_EXAMPLES,
  run: async ({ flags, operands: [name], edges }: CommandCall<JsonFlag>) => {
    const { showOne } = await import('../profiles/manage-profiles.ts');
    showOne(name, flags, edges);
  },
};

const EXPORT: AdminCommand = {
  name: 'export',
  summary: 'write one out, without what is private',
  description: 'Writes a profile, without what is private, to standard output or into a file.',
  operand: { name: '[name]', text: 'which profile (default: the current one)' },
  flags: [
    { flags: '--output <file>', text: 'write into this file' },
    { flags: '--force', text: 'replace the file when it is there' },
    { flags: '--with-client-secret', text: 'write the client secret, too' },
    { flags: '--json', text: 'with --output: print the result as JSON' },
  ],
  notes: EXPORT_EXAMPLES,
  run: async ({ flags, operands: [name], edges }: CommandCall<ExportFlags>) => {
    const { exportProfile } = await import('../profiles/export-profile.ts');
    exportProfile(name, flags, edges);
  },
};

const IMPORT: AdminCommand = {
  name: 'import',
  summary: 'take one in from a file',
  description:
    'Takes a profile in from a file: one that was exported, or one of the tool that ccwb replaces.',
  operand: { name: '<file>', text: 'the file' },
  flags: [
    { flags: '--as <name>', text: 'give it this name' },
    { flags: '--force', text: 'replace the profile of that name; its file stays as NAME.json.bak' },
    { flags: '--json', text: 'print the result as JSON' },
  ],
  notes: IMPORT_EXAMPLES,
  run: async ({ flags, operands: [file = ''], edges }: CommandCall<ImportFlags>) => {
    const { importProfile } = await import('../profiles/import-profile.ts');
    importProfile(file, flags, edges);
  },
};

const REMOVE: AdminCommand = {
  name: 'remove',
  summary: 'remove one from this computer',
  description: 'Removes a profile from this computer.',
  operand: { name: '<name>', text: 'which profile' },
  flags: [
    { flags: '-y, --yes', text: 'do not ask' },
    { flags: '--force', text: 'do not ask, and remove it although stacks of it are deployed' },
    { flags: '--json', text: 'print the result as JSON' },
  ],
  notes: REMOVE_EXAMPLES,
  run: async ({ flags, operands: [name = ''], edges }: CommandCall<RemoveFlags>) => {
    const { remove } = await import('../profiles/manage-profiles.ts');
    await remove(name, flags, edges);
  },
};

export const PROFILES: AdminCommand = {
  name: 'profiles',
  summary: 'list, choose, show, hand on and remove profiles',
  description: 'Keeps the profiles of this administrator: one for each deployment.',
  notes: EXAMPLES,
  commands: [LIST, USE, SHOW, EXPORT, IMPORT, REMOVE],
};
