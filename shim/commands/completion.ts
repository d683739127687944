import { completionScript } from '../../common/completion/script.ts';
import { loadConfig } from '../../protocol/config.ts';
import type { Program } from '../program/program.ts';
import { COMPLETED } from './completion-table.ts';

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
  await program.print(completionScript(program.name, COMPLETED, shell));
  return 0;
}
