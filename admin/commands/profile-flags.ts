import type { CommandFlag } from './command.ts';

export const PROFILE_FLAG: CommandFlag = {
  flags: '--profile <name>',
  text: 'which profile (default: CCWB_PROFILE, else the current one, else the only one)',
};

/** Flags with which every command that needs a deployment finds it. */
export const PROFILE_FLAGS: readonly CommandFlag[] = [
  PROFILE_FLAG,
  { flags: '--config <file>', text: 'read a config.json in the place of a profile of ccwb init' },
];
