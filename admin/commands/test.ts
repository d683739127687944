import type { TrialFlags } from '../trial/trial-flags.ts';
import type { AdminCommand, CommandCall } from './command.ts';
import { PROFILE_FLAG } from './profile-flags.ts';

const EXAMPLES = `
Nothing of it is left in the end, also after a failure or Ctrl-C. Your own
installation, sign-in, keyring, AWS files and service are not touched.
Exit status 1 when any step failed; the table says what to do.

Examples:
  The newest package of dist/PROFILE for this machine, or one made for this:
    $ ccwb test

  And one call of a model in each region of Bedrock, for a few tokens:
    $ ccwb test --api

  Those of a certain day, on a machine without a browser:
    $ ccwb test --package dist/Research/20260102T030405Z --device
`;

export const TEST: AdminCommand = {
  name: 'test',
  summary: 'try a package as a user would',
  description:
    'Installs a package into a temporary home, signs in there, gets credentials and uses them: identity, role, models, telemetry. Then it uninstalls everything and shows what came of each step.',
  flags: [
    PROFILE_FLAG,
    { flags: '--config <file>', text: 'a config.json in the place of a profile of ccwb init' },
    { flags: '--package <path>', text: 'this archive, or folder of archives, in the place of the newest' },
    { flags: '--output <directory>', text: 'where packages are looked for', default: 'dist' },
    { flags: '--runtime-dir <directory>', text: 'as for ccwb package, where a package has to be made' },
    { flags: '--api', text: 'also call a model in each region' },
    {
      flags: '--model <id>',
      text: 'which model (default: that of the profile, else the smallest there is)',
    },
    { flags: '--device', text: 'sign in with a code, in any browser' },
    { flags: '--no-browser', text: 'print the address of the sign-in page and open nothing' },
    { flags: '--timeout <seconds>', text: 'how long to wait for the sign-in', default: '300' },
    { flags: '--json', text: 'print the result as JSON' },
  ],
  notes: EXAMPLES,
  run: async ({ flags, edges }: CommandCall<TrialFlags>) => {
    const { testPackage } = await import('../trial/trial.ts');
    await testPackage(flags, edges);
  },
};
