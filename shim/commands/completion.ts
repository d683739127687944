import { completionScript } from '../../common/completion/script.ts';
import { loadConfig } from '../../protocol/config.ts';
import type { ShimEdges } from '../program/edges.ts';
import { COMPLETED } from './completion-table.ts';

/** `bedrock-auth completion`: a script for a shell; or what that script asks for while somebody types. */
export async function completion(
  edges: ShimEdges,
  options: { profiles?: boolean },
  [shell]: readonly string[],
): Promise<number> {
  if (options.profiles) {
    const { names } = loadConfig(edges.paths.config);
    await edges.writeOut(names.map((name) => `${name}\n`).join(''));
    return 0;
  }
  await edges.writeOut(completionScript(edges.name, COMPLETED, shell));
  return 0;
}
