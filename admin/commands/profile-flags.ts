import type { AdminFlag } from './command.ts';

export const PROFILE_FLAG: AdminFlag = {
  flags: '--profile <name>',
  text: 'which profile (default: CCWB_PROFILE, else the current one, else the only one)',
};

/** Flags with which every command that needs a deployment finds it. */
export const PROFILE_FLAGS: readonly AdminFlag[] = [
  PROFILE_FLAG,
  { flags: '--config <file>', text: 'read a config.json in the place of a profile of ccwb init' },
];
