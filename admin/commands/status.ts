import type { StatusFlags } from '../deploy/status.ts';
import type { AdminCommand, CommandCall } from './command.ts';
import { PROFILE_FLAGS } from './profile-flags.ts';

const EXAMPLES = `
Examples:
  $ ccwb status
  $ ccwb status --json
  $ ccwb status --drift
`;

export const STATUS: AdminCommand = {
  name: 'status',
  summary: 'show how the stacks stand',
  description: 'Shows the state of every stack of a profile, when it last changed, and its outputs.',
  flags: [
    {
      flags: '--drift',
      text: 'have CloudFormation look for changes made by other means; may take minutes',
    },
    { flags: '--json', text: 'print it as JSON' },
    ...PROFILE_FLAGS,
  ],
  notes: EXAMPLES,
  run: async ({ flags, edges }: CommandCall<StatusFlags>) => {
    const { status } = await import('../deploy/status.ts');
    await status(flags, edges);
  },
};
