import { STACKS, type StackId } from '../../infra/outputs.ts';
import { CcwbError } from '../../protocol/errors.ts';

/**
 * Returns the stacks that a command line names, in the order of deployment; undefined when it names none.
 *
 * @throws CcwbError ERR_USAGE for a name that is no stack.
 */
export function parseStackNames(names: readonly string[]): readonly StackId[] | undefined {
  const unknown = names.find((name) => !STACKS.some((stack) => stack === name));
  if (unknown !== undefined) {
    throw new CcwbError(
      'ERR_USAGE',
      `no stack ${JSON.stringify(unknown)}; allowed: ${STACKS.join(', ')}`,
      'run ccwb deploy --help',
    );
  }
  return names.length === 0 ? undefined : STACKS.filter((stack) => names.includes(stack));
}
