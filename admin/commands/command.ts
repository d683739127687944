/** The form in which each command of `ccwb` is described, for the table of commands. */
import type { Command } from 'commander';
import type { AdminEdges } from '../edges.ts';

/** A flag, in the notation of commander: `-y, --yes`, `--profile <name>`, `--no-runtime`. */
export type AdminFlag = {
  readonly flags: string;
  readonly text: string;
  /** Value without the flag; absent: undefined. */
  readonly default?: string;
  /** Turns the text of the value into what the command gets; absent: the text itself. */
  readonly parse?: (text: string) => unknown;
  /** Heading in the help under which the flag stands; absent: that of all flags. */
  readonly group?: string;
};

/** An operand: `<name>` is required, `[name]` is optional, `[name...]` takes all that follow. */
export type AdminOperand = { readonly name: string; readonly text: string };

/** One call of a command. */
export type CommandCall<Flags> = {
  readonly edges: AdminEdges;
  readonly flags: Flags;
  readonly operands: readonly string[];
  /** The whole program, from which completion reads the commands. */
  readonly program: Command;
};

/** Does the work of a command. Resolves with its exit status; without one it is 0. */
export type CommandWork = (call: CommandCall<never>) => Promise<number> | Promise<void>;

export type AdminCommand = {
  readonly name: string;
  /** Its line in the list of commands; absent: its description. */
  readonly summary?: string;
  readonly description: string;
  readonly flags?: readonly AdminFlag[];
  readonly operand?: AdminOperand;
  /** Printed after the flags: notes and examples. */
  readonly notes: string;
  /** Loads the module of the command and runs it; absent for a group of commands. */
  readonly run?: CommandWork;
  readonly commands?: readonly AdminCommand[];
};
