import { loadConfig } from '../protocol/config.ts';
import { bashCompletion } from './completion-bash.ts';
import { fishCompletion } from './completion-fish.ts';
import { zshCompletion } from './completion-zsh.ts';
import { type Program, usageError } from './program.ts';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `bedrock-auth completion`: a script for a shell; or what that script asks for while somebody types. */
export async function completion(
  program: Program,
  options: { profiles?: boolean },
  [shell]: readonly string[],
): Promise<number> {
  if (options.profiles) {
    const { names } = loadConfig(program.paths.config);
    await program.print(names.map((name) => `${name}\n`).join(''));
    return 0;
  }
  if (shell !== 'bash' && shell !== 'zsh' && shell !== 'fish') {
    const given = shell === undefined ? 'a shell is needed' : `the shell is ${JSON.stringify(shell)}`;
    throw usageError(program.name, `${given}; allowed: ${Object.keys(SHELLS).join(', ')}`);
  }
  await program.print(SHELLS[shell]());
  return 0;
}
