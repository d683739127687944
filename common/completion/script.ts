import { CcwbError } from '../../protocol/errors.ts';
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import type { CompletedCommand } from './table.ts';
import { zshCompletion } from './zsh.ts';

/** The shells there is completion for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/**
 * The completion of a program for a shell.
 *
 * @param completed every command of it, the program itself first.
 * @throws CcwbError ERR_USAGE for no shell, or one that is not known.
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
