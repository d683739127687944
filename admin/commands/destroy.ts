import { STACKS } from '../../infra/outputs.ts';
import type { DestroyFlags } from '../deploy/destroy.ts';
import type { AdminCommand, CommandCall } from './command.ts';
import { PROFILE_FLAGS } from './profile-flags.ts';

const EXAMPLES = `
Stacks are deleted in the reverse of this order: ${STACKS.join(', ')}

Examples:
  See what would be deleted and what would stay:
    $ ccwb destroy --dry-run

  Delete every stack of the profile; asks for the name of the deployment:
    $ ccwb destroy

  And the buckets that would stay, with all that was collected:
    $ ccwb destroy --delete-data

  Afterwards, a bucket that stayed:
    $ ccwb destroy --delete-bucket ccwb-claudecode-auth-auditbucket-1a2b3c

  A stack that is in DELETE_FAILED:
    $ ccwb destroy monitoring --keep-failed

  Without a terminal:
    $ ccwb destroy --force --json
`;

export const DESTROY: AdminCommand = {
  name: 'destroy',
  summary: 'delete the stacks from AWS',
  description:
    'Deletes the CloudFormation stacks of a profile, the last one first. Says before what goes and what stays. ' +
    'Stacks that are not there are no error.',
  operand: { name: '[stack...]', text: 'which stacks (default: all)' },
  flags: [
    { flags: '--dry-run', text: 'show what would be deleted, and delete nothing' },
    { flags: '--delete-data', text: 'delete the buckets that would stay as well, with everything in them' },
    { flags: '--keep-failed', text: 'leave what cannot be deleted in the account, and delete its stack' },
    {
      flags: '--delete-bucket <name>',
      text: 'delete a bucket that a deleted stack left, with everything in it',
    },
    { flags: '-y, --yes', text: 'do not ask for the name of the deployment' },
    { flags: '--force', text: 'the same' },
    { flags: '--json', text: 'print the result as JSON' },
    ...PROFILE_FLAGS,
  ],
  notes: EXAMPLES,
  run: async ({ flags, operands, edges }: CommandCall<DestroyFlags>) => {
    const { destroy } = await import('../deploy/destroy.ts');
    await destroy(operands, flags, edges);
  },
};
