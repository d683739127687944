import type { CompletionValues } from '../../common/completion/table.ts';
import type { ShimEdges } from '../program/edges.ts';

/** Runs a command and returns its exit status. Its module is loaded when the command is run. */
export type CommandHandler = (
  edges: ShimEdges,
  options: never,
  operands: readonly string[],
) => Promise<number>;

/** A flag of a command; `values` are what completion offers for it. */
export type CommandFlag = { flags: string; text: string; values?: CompletionValues };

/**
 * The words after the flags. `<name>` is required, `[name]` is optional, and `<name...>` takes the rest of the
 * line unchanged.
 */
export type CommandOperand = { name: string; text: string; values: CompletionValues };

/** A command or a group of commands, as help, parser and completion need it. */
export type Command = {
  name: string;
  description: string;
  flags?: readonly CommandFlag[];
  operand?: CommandOperand;
  /** Text printed after the options. */
  notes?: string;
  examples: readonly string[];
  /** Loads the handler; absent for a group. */
  load?: () => Promise<CommandHandler>;
  commands?: readonly Command[];
};
