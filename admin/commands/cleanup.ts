import type { CleanupFlags } from '../cleanup/cleanup.ts';
import type { AdminCommand, CommandCall } from './command.ts';

const NOTES = `
Undoes what the installer of a package has done on this computer, for you alone,
with bedrock-auth uninstall; also what the legacy tool has done.
AWS stays as it is: that is for ccwb destroy.

Examples:
  $ ccwb cleanup --dry-run
  $ ccwb cleanup --force
`;

export const CLEANUP: AdminCommand = {
  name: 'cleanup',
  summary: 'undo an installation on this computer',
  description: 'Removes an installation from this computer, and nothing else.',
  flags: [
    { flags: '--dry-run', text: 'show what would be removed, and remove nothing' },
    { flags: '-y, --yes', text: 'do not ask' },
    { flags: '--force', text: 'the same; with --profiles also those of stacks that are in AWS' },
    { flags: '--profiles', text: 'also remove the profiles of ccwb' },
  ],
  notes: NOTES,
  run: async ({ flags, edges }: CommandCall<CleanupFlags>) => {
    const { cleanUp } = await import('../cleanup/cleanup.ts');
    return cleanUp(flags, edges);
  },
};
