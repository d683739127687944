import type { Command } from 'commander';
import { STACKS } from '../../infra/outputs.ts';
import { destroy } from '../deploy/destroy.ts';
import type { AdminEdges } from '../edges.ts';
import { namedStacks } from './deploy.ts';
import { addProfileOptions, type ProfileFlags } from './session.ts';

export type DestroyFlags = ProfileFlags & {
  yes?: true;
  force?: true;
  dryRun?: true;
  deleteData?: true;
  json?: true;
};

const EXAMPLES = `
Stacks are deleted in the reverse of this order: ${STACKS.join(', ')}

Examples:
  See what would be deleted and what would stay:
    $ ccwb destroy --dry-run

  Delete every stack of the profile; asks for the name of the deployment:
    $ ccwb destroy

  And the buckets that would stay, with all that was collected:
    $ ccwb destroy --delete-data

  Without a terminal:
    $ ccwb destroy --force --json
`;

/** Adds `ccwb destroy [stack...]`. */
export function addDestroyCommand(program: Command, edges: AdminEdges): void {
  const command = program
    .command('destroy')
    .summary('delete the stacks from AWS')
    .description(
      'Deletes the CloudFormation stacks of a profile, the last one first. Says before what goes and what stays. ' +
        'Stacks that are not there are no error.',
    )
    .argument('[stack...]', 'which stacks (default: all)')
    .option('--dry-run', 'show what would be deleted, and delete nothing')
    .option('--delete-data', 'delete the buckets that would stay as well, with everything in them')
    .option('-y, --yes', 'do not ask for the name of the deployment')
    .option('--force', 'the same')
    .option('--json', 'print the result as JSON');
  addProfileOptions(command)
    .addHelpText('after', EXAMPLES)
    .action((names: string[], flags: DestroyFlags) => destroy(namedStacks(names), flags, edges));
}
