import { COMMANDS, type Command, type Values } from './commands.ts';

/** A command as completion sees it. */
export type Completed = {
  /** The words that lead to it: none for `bedrock-auth` itself. */
  path: readonly string[];
  commands: readonly { name: string; text: string }[];
  flags: readonly CompletedFlag[];
  operand: Values | undefined;
};

export type CompletedFlag = {
  short: string | undefined;
  long: string;
  text: string;
  /** What it takes; undefined when it takes nothing, an empty list when anything will do. */
  values: Values | undefined;
};

const HELP: CompletedFlag = { short: 'h', long: 'help', text: 'print this text', values: undefined };
const VERSION: CompletedFlag = { short: 'v', long: 'version', text: 'print the version', values: undefined };

/** Every command with what may follow it, `bedrock-auth` first. */
export const COMPLETED: readonly Completed[] = [
  { path: [], commands: COMMANDS.map(nameAndText), flags: [VERSION, HELP], operand: undefined },
  ...COMMANDS.flatMap((command) => completed(command, [])),
];

function completed(command: Command, above: readonly string[]): Completed[] {
  const path = [...above, command.name];
  const flags = (command.flags ?? []).map(({ flags: written, text, values }): CompletedFlag => {
    const [, short, long = '', value] = /^(?:-(\w), )?--([\w-]+)( <.*>)?$/.exec(written) ?? [];
    return { short, long, text, values: value === undefined ? undefined : (values ?? []) };
  });
  const commands = command.commands ?? [];
  return [
    {
      path,
      commands: commands.map(nameAndText),
      flags: [...flags, HELP],
      operand: command.operand?.values,
    },
    ...commands.flatMap((each) => completed(each, path)),
  ];
}

function nameAndText({ name, description }: Command): { name: string; text: string } {
  return { name, text: description.split('. ')[0]?.replace(/\.$/, '') ?? '' };
}
