import { parseArgs } from 'node:util';

export const HELP = `npm test: runs the tests and counts them.

Usage: npm test -- [options] [FOLDER or FILE under test/ …]
  --quick            only tests that start no real program (npm run test:quick)
  --changed[=BASE]   only tests that depend on files changed since the commit BASE, default HEAD
  --coverage         print how much of each file the tests reach
  -h, --help         print this help

Each file's seconds are in build/test-times.txt, all assertions in build/test.tap.
Exit status: 0; 1 when a test failed; 2 when no test was selected by a name.
`;

export type TestRunOptions = {
  /** Folders or files under test/; none: all of them. */
  names: string[];
  quick: boolean;
  /** The commit to compare with. */
  changedSince?: string;
  coverage: boolean;
  help: boolean;
};

/** @throws TypeError for an option that does not exist */
export function parseOptions(args: readonly string[]): TestRunOptions {
  const { values, positionals } = parseArgs({
    args: args.map((arg) => (arg === '--changed' ? '--changed=HEAD' : arg)),
    allowPositionals: true,
    options: {
      quick: { type: 'boolean' },
      changed: { type: 'string' },
      coverage: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  return {
    names: positionals,
    quick: values.quick ?? false,
    coverage: values.coverage ?? false,
    help: values.help ?? false,
    ...(values.changed === undefined ? {} : { changedSince: values.changed }),
  };
}
