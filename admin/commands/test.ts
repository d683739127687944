import type { Command } from 'commander';
import type { AdminEdges } from '../edges.ts';
import type { ProfileFlags } from './session.ts';

export type TestFlags = ProfileFlags & {
  readonly package?: string;
  /** Where packages are looked for. */
  readonly output: string;
  readonly runtimeDir?: string;
  readonly api?: true;
  readonly model?: string;
  readonly device?: true;
  /** False with --no-browser. */
  readonly browser: boolean;
  /** Seconds. */
  readonly timeout: string;
  readonly json?: true;
};

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

/** Adds `ccwb test`. */
export function addTestCommand(program: Command, edges: AdminEdges): void {
  program
    .command('test')
    .summary('try a package as a user would')
    .description(
      'Installs a package into a temporary home, signs in there, gets credentials and uses them: identity, role, models, telemetry. Then it uninstalls everything and shows what came of each step.',
    )
    .option(
      '--profile <name>',
      'which profile (default: CCWB_PROFILE, else the current one, else the only one)',
    )
    .option('--config <file>', 'a config.json in the place of a profile of ccwb init')
    .option('--package <path>', 'this archive, or folder of archives, in the place of the newest')
    .option('--output <directory>', 'where packages are looked for', 'dist')
    .option('--runtime-dir <directory>', 'as for ccwb package, where a package has to be made')
    .option('--api', 'also call a model in each region')
    .option('--model <id>', 'which model (default: that of the profile, else the smallest there is)')
    .option('--device', 'sign in with a code, in any browser')
    .option('--no-browser', 'print the address of the sign-in page and open nothing')
    .option('--timeout <seconds>', 'how long to wait for the sign-in', '300')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: TestFlags) => {
      // Archives, AWS clients and a dozen steps that no other command should pay for.
      const { testPackage } = await import('../trial/trial.ts');
      await testPackage(flags, edges);
    });
}
