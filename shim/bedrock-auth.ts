import { CommanderError, Command as Parser } from 'commander';
import { BUILD_VERSION } from '../protocol/version.ts';
import type { Command, CommandHandler } from './commands/command.ts';
import { COMMANDS } from './commands/command-table.ts';
import type { ShimEdges } from './program/edges.ts';
import { usageError } from './program/errors.ts';
import { runProgram } from './program/run-program.ts';

/** The result of parsing the command line: a command to run, or a text to print. */
type Asked = { run: CommandHandler; options: unknown; operands: readonly string[] } | { help: string };

const ROOT: Command = {
  name: 'bedrock-auth',
  description: 'Sign in to Claude Code on Amazon Bedrock, and see how it stands.',
  examples: ['bedrock-auth login', 'bedrock-auth status', 'bedrock-auth doctor'],
  commands: COMMANDS,
};

/** Runs `bedrock-auth`. */
async function main(edges: ShimEdges): Promise<number> {
  const asked = await parse(edges);
  if ('run' in asked) return asked.run(edges, asked.options as never, asked.operands);
  await edges.writeOut(asked.help);
  return 0;
}

/** @throws CcwbError ERR_USAGE */
async function parse({ name, args }: ShimEdges): Promise<Asked> {
  let asked: Asked = { help: '' };
  const print = (text: string): void => {
    if ('help' in asked) asked = { help: asked.help + text };
  };
  const root = parserOf(ROOT, print, (found) => {
    asked = found;
  }).version(`bedrock-auth ${BUILD_VERSION}`, '-v, --version', 'print the version');
  for (const group of [ROOT, ...COMMANDS.filter(({ commands }) => commands)]) {
    const bare = group === ROOT ? args.length === 0 : args.join() === group.name;
    const names = group.commands?.map((command) => command.name).join(', ');
    if (bare) throw usageError(name, `a command is needed: ${names}`);
  }
  try {
    await root.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw usageError(name, oneLine(error.message));
  }
  return asked;
}

function parserOf(command: Command, print: (text: string) => void, found: (asked: Asked) => void): Parser {
  const parser = new Parser(command.name)
    .description(command.description)
    .helpCommand(false)
    // Options after a command belong to it. `exec` needs this: the rest of its line is another program's.
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .exitOverride()
    .helpOption('-h, --help', 'print this text')
    .configureOutput({ writeOut: print, writeErr: () => {} });
  for (const { flags, text } of command.flags ?? []) parser.option(flags, text);
  if (command.operand) parser.argument(command.operand.name, command.operand.text);
  if (command.operand?.values === 'commands') parser.passThroughOptions();
  if (command.notes) parser.addHelpText('after', `\n${command.notes}`);
  parser.addHelpText('after', `\nExamples:\n${command.examples.map((line) => `  ${line}`).join('\n')}`);
  for (const each of command.commands ?? []) parser.addCommand(parserOf(each, print, found));
  const { load } = command;
  if (load) {
    parser.action(async () => found({ run: await load(), options: parser.opts(), operands: parser.args }));
  }
  return parser;
}

/** Returns a message of commander in the style of our errors. */
function oneLine(message: string): string {
  return message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
}

await runProgram('bedrock-auth', main);
