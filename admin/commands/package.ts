import type { Command } from 'commander';
import type { AdminEdges } from '../edges.ts';
import { RUNTIME_VERSION, TARGETS } from '../package/platforms.ts';
import type { ProfileFlags } from './session.ts';

export type PackageFlags = ProfileFlags & {
  targetPlatform: string;
  output: string;
  /** False with --no-runtime. */
  runtime: boolean;
  runtimeDir?: string;
  json?: true;
};

const EXAMPLES = `
Platforms: ${TARGETS.join(', ')}

Each archive holds everything: programs, Node.js ${RUNTIME_VERSION}, config.json,
settings of Claude Code, an installer, checksums and a bill of materials. The
same profile and ccwb give the same bytes; SOURCE_DATE_EPOCH sets their time.

Examples:
  An archive for every platform, in dist/PROFILE/TIME/:
    $ ccwb package

  For Macs alone, somewhere else:
    $ ccwb package --target-platform macos --output /srv/packages

  Without a network: first where there is one, then here (docs/packaging.md):
    $ ccwb package --runtime-dir tarballs

  Of a config.json that was written by other means:
    $ ccwb package --config config.json
`;

/** Adds `ccwb package`. */
export function addPackageCommand(program: Command, edges: AdminEdges): void {
  program
    .command('package')
    .summary('make the packages that users install')
    .description(
      'Makes one archive for each platform, from any platform. Users unpack theirs and run install.sh.',
    )
    .option(
      '--profile <name>',
      'which profile (default: CCWB_PROFILE, else the current one, else the only one)',
    )
    .option('--config <file>', 'ship this config.json in the place of what a profile of ccwb init gives')
    .option('--target-platform <platform>', 'which platforms', 'all')
    .option('--output <directory>', 'where the packages go', 'dist')
    .option('--no-runtime', 'leave Node.js out: users have one of their own, 20.19 or newer')
    .option('--runtime-dir <directory>', 'take Node.js and koffi from tarballs here; nothing is fetched')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: PackageFlags) => {
      // Archives and bills of materials that no other command should pay for.
      const { makePackages } = await import('../package/make-packages.ts');
      await makePackages(flags, edges);
    });
}
