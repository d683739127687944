import { type CompletedCommand, type CompletedFlag, firstSentence } from '../../common/completion/table.ts';
import { COMMANDS, type Command } from './table.ts';

const HELP: CompletedFlag = { short: 'h', long: 'help', text: 'print this text', values: undefined };
const VERSION: CompletedFlag = { short: 'v', long: 'version', text: 'print the version', values: undefined };

/** Every command with what may follow it, `bedrock-auth` first. */
export const COMPLETED: readonly CompletedCommand[] = [
  { path: [], commands: COMMANDS.map(nameAndText), flags: [VERSION, HELP], operand: undefined },
  ...COMMANDS.flatMap((command) => completed(command, [])),
];

function completed(
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
    ...commands.flatMap((each) => completed(each, path)),
  ];
}

function nameAndText({ name, description }: Command): { name: string; text: string } {
  return { name, text: firstSentence(description) };
}
