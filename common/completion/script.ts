import { CcwbError } from '../../protocol/errors.ts';
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import type { CompletedCommand } from './table.ts';
import { zshCompletion } from './zsh.ts';

/** Shells with a completion script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/**
 * Returns the completion script of a program for a shell.
 *
 * @param completed every command of the program, the program itself first.
 * @throws CcwbError ERR_USAGE if the shell is missing or unknown.
 */
export function completionScript(
  program: string,
  completed: readonly CompletedCommand[],
  shell: string | undefined,
): string {
  const known = SHELLS.find((name) => name === shell);
  if (known) return SCRIPTS[known](program, completed);
  const given = shell === undefined ? 'a shell is needed' : `the shell is ${JSON.stringify(shell)}`;
  throw new CcwbError(
    'ERR_USAGE',
    `${given}; allowed: ${SHELLS.join(', ')}`,
    `run ${program} completion --help`,
  );
}
