import type { Argument, Command, Option } from 'commander';
import { completionScript, SHELLS } from '../../common/completion/script.ts';
import {
  type CompletedCommand,
  type CompletedFlag,
  type CompletionValues,
  firstSentence,
} from '../../common/completion/table.ts';
import { STACKS } from '../../infra/outputs.ts';
import type { AdminEdges } from '../edges.ts';
import { TARGETS } from '../package/platforms.ts';
import { listProfiles } from '../profiles/profile-store.ts';

/** Values that completion offers, by the name of a flag or an argument. */
const VALUES: Readonly<Record<string, CompletionValues>> = {
  file: 'files',
  directory: 'files',
  platform: TARGETS,
  profile: 'profiles',
  stack: STACKS,
  shell: SHELLS,
};

export type CompletionFlags = { readonly profiles?: true };

/** Prints the completion of every command of the program for a shell, or the names of profiles. */
export function printCompletion(
  shell: string | undefined,
  flags: CompletionFlags,
  program: Command,
  edges: AdminEdges,
): void {
  if (flags.profiles) for (const name of listProfiles(edges.env)) edges.writeOut(`${name}\n`);
  else edges.writeOut(completionScript(program.name(), completedOf(program, []), shell));
}

/** Returns the completion tree of a command and its subcommands, read from commander. */
function completedOf(command: Command, path: readonly string[]): CompletedCommand[] {
  const { options, registeredArguments } = command;
  const [operand] = registeredArguments;
  const visible = command.createHelp().visibleCommands(command);
  return [
    {
      path,
      commands: visible.map((each) => ({
        name: each.name(),
        text: each.summary() || firstSentence(each.description()),
      })),
      flags: [...options.filter(({ hidden }) => !hidden).map(completedFlag), HELP],
      operand: operand && { values: operandValues(operand, path), many: operand.variadic },
    },
    ...visible.flatMap((each) => completedOf(each, [...path, each.name()])),
  ];
}

const HELP: CompletedFlag = { short: 'h', long: 'help', text: 'print help', values: undefined };

function completedFlag(option: Option): CompletedFlag {
  const { short, long = '', description, flags, required, optional } = option;
  const value = /[<[]([\w-]+)/.exec(flags)?.[1] ?? '';
  return {
    short: short?.replace(/^-/, ''),
    long: long.replace(/^--/, ''),
    text: description,
    values:
      required || optional
        ? (valuesOf(long.replace(/^--/, ''), option) ?? valuesOf(value, option) ?? [])
        : undefined,
  };
}

/** Returns the values of an operand. An operand `name` of the commands of `profiles` is a profile. */
function operandValues(operand: Argument, [group]: readonly string[]): CompletionValues {
  const name = group === 'profiles' && operand.name() === 'name' ? 'profile' : operand.name();
  return valuesOf(name, operand) ?? [];
}

function valuesOf(
  name: string,
  { argChoices }: Pick<Option | Argument, 'argChoices'>,
): CompletionValues | undefined {
  return argChoices ?? VALUES[name];
}
