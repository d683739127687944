import { CLEANUP } from './cleanup.ts';
import type { AdminCommand } from './command.ts';
import { COMPLETION } from './completion.ts';
import { DEPLOY } from './deploy.ts';
import { DESTROY } from './destroy.ts';
import { DOCTOR } from './doctor.ts';
import { INIT } from './init.ts';
import { PACKAGE } from './package.ts';
import { PROFILES } from './profiles.ts';
import { STATUS } from './status.ts';
import { TEST } from './test.ts';

/** The one table of commands, in the order in which `ccwb --help` lists them. */
export const COMMANDS: readonly AdminCommand[] = [
  INIT,
  DEPLOY,
  STATUS,
  DESTROY,
  CLEANUP,
  DOCTOR,
  PACKAGE,
  TEST,
  COMPLETION,
  PROFILES,
];
