import { completionScript } from '../../common/completion/script.ts';
import { loadConfig } from '../../protocol/config.ts';
import type { ShimEdges } from '../program/edges.ts';
import type { Command } from './command.ts';
import { completionTable } from './completion-table.ts';

export type CompletionOptions = { profiles?: boolean };

/** Returns `bedrock-auth completion`: it prints the script for a shell, or the names of profiles. */
export function createCompletion(commands: readonly Command[]) {
  return async (edges: ShimEdges, options: CompletionOptions, [shell]: readonly string[]) => {
    if (options.profiles) {
      const { names } = loadConfig(edges.paths.config);
      await edges.writeOut(names.map((name) => `${name}\n`).join(''));
    } else {
      await edges.writeOut(completionScript(edges.name, completionTable(commands), shell));
    }
    return 0;
  };
}
