import { type CompletedCommand, type CompletedFlag, firstSentence } from '../../common/completion/table.ts';
import type { Command } from './command.ts';

const HELP: CompletedFlag = { short: 'h', long: 'help', text: 'print this text', values: undefined };
const VERSION: CompletedFlag = { short: 'v', long: 'version', text: 'print the version', values: undefined };

/** Returns the commands of `bedrock-auth` and the words that may follow each. The program itself is first. */
export function completionTable(commands: readonly Command[]): readonly CompletedCommand[] {
  return [
    { path: [], commands: commands.map(nameAndText), flags: [VERSION, HELP], operand: undefined },
    ...commands.flatMap((command) => completedCommand(command, [])),
  ];
}

function completedCommand(
  { name, flags = [], operand, commands = [] }: Command,
  above: readonly string[],
): CompletedCommand[] {
  const path = [...above, name];
  const completedFlags = flags.map(({ flags: written, text, values }): CompletedFlag => {
    const [, short, long = '', value] = /^(?:-(\w), )?--([\w-]+)( <.*>)?$/.exec(written) ?? [];
    return { short, long, text, values: value === undefined ? undefined : (values ?? []) };
  });
  return [
    {
      path,
      commands: commands.map(nameAndText),
      flags: [...completedFlags, HELP],
      operand: operand && { values: operand.values, many: operand.name.includes('...') },
    },
    ...commands.flatMap((each) => completedCommand(each, path)),
  ];
}

function nameAndText({ name, description }: Command): { name: string; text: string } {
  return { name, text: firstSentence(description) };
}
