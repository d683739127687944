import type { PackageFlags } from '../package/package.ts';
import { RUNTIME_VERSION, TARGETS } from '../package/platforms.ts';
import type { AdminCommand, CommandCall } from './command.ts';
import { PROFILE_FLAG } from './profile-flags.ts';

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

export const PACKAGE: AdminCommand = {
  name: 'package',
  summary: 'make the packages that users install',
  description:
    'Makes one archive for each platform, from any platform. Users unpack theirs and run install.sh.',
  flags: [
    PROFILE_FLAG,
    {
      flags: '--config <file>',
      text: 'ship this config.json in the place of what a profile of ccwb init gives',
    },
    { flags: '--target-platform <platform>', text: 'which platforms', default: 'all' },
    { flags: '--output <directory>', text: 'where the packages go', default: 'dist' },
    { flags: '--no-runtime', text: 'leave Node.js out: users have one of their own, 20.19 or newer' },
    {
      flags: '--runtime-dir <directory>',
      text: 'take Node.js and koffi from tarballs here; nothing is fetched',
    },
    { flags: '--json', text: 'print the result as JSON' },
  ],
  notes: EXAMPLES,
  run: async ({ flags, edges }: CommandCall<PackageFlags>) => {
    const { packageDeployment } = await import('../package/package.ts');
    await packageDeployment(flags, edges);
  },
};
