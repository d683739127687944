import { Command, CommanderError, Option } from 'commander';
import { CcwbError, errorLines } from '../protocol/errors.ts';
import { BUILD_VERSION } from '../protocol/version.ts';
import type { AdminCommand } from './commands/command.ts';
import { COMMANDS } from './commands/table.ts';
import type { AdminEdges } from './edges.ts';

const EXAMPLES = `
Examples:
  $ ccwb init
  $ ccwb deploy --dry-run
  $ ccwb status
  $ ccwb deploy --help
`;

/**
 * Runs one command line of `ccwb`.
 *
 * @param args the arguments after the program's name.
 * @returns exit status: 0 done, 1 failed, 2 wrong usage.
 */
export async function run(args: readonly string[], edges: AdminEdges): Promise<number> {
  let status = 0;
  const program = createProgram(edges, (ended) => {
    status = ended;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (thrown) {
    // Commander reports help and version as errors, already printed. Help for a missing command is wrong usage.
    if (thrown instanceof CommanderError && PRINTED.has(thrown.code)) return thrown.exitCode === 0 ? 0 : 2;
    const error = asAdminError(thrown, `ccwb ${commandMeant(program, args)}--help`);
    edges.writeError(errorLines('ccwb', error));
    if (program.opts().debug) edges.writeError(`${stackTrace(thrown)}\n`);
    return error.exit;
  }
}

const PRINTED = new Set(['commander.help', 'commander.helpDisplayed', 'commander.version']);

/** @param onStatus called with the exit status of the command, once it has ended. */
function createProgram(edges: AdminEdges, onStatus: (status: number) => void): Command {
  const program = new Command('ccwb')
    .description('Administers Claude Code with Bedrock: the AWS side of sign-in.')
    .version(BUILD_VERSION, '-v, --version', 'print the version')
    .option('--debug', 'print stack traces of errors')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES)
    // Settings that commands added below inherit.
    .exitOverride()
    .configureOutput({
      writeOut: (text) => edges.writeOut(text),
      writeErr: (text) => edges.writeError(text),
      // Printed by `run`, in the form of every other error.
      outputError: () => {},
    });
  const add = (parent: Command, described: AdminCommand): void => {
    const command = addCommand(parent, described);
    const { run: work, commands = [] } = described;
    for (const each of commands) add(command, each);
    if (work === undefined) return;
    command.action(async () => {
      const operands = command.processedArgs.flat().filter((value) => value !== undefined);
      const status = await work({ edges, flags: command.opts() as never, operands, program });
      onStatus(status ?? 0);
    });
  };
  for (const command of COMMANDS) add(program, command);
  return program;
}

/** Adds a command with its operand, flags and help, but without its work. */
function addCommand(parent: Command, { name, summary, ...rest }: AdminCommand): Command {
  const { description, flags = [], operand, notes } = rest;
  const command = parent.command(name).description(description).helpCommand(false);
  if (summary !== undefined) command.summary(summary);
  if (operand) command.argument(operand.name, operand.text);
  for (const { flags: names, text, default: value, parse, group } of flags) {
    const option = new Option(names, text);
    if (value !== undefined) option.default(value);
    if (parse) option.argParser(parse);
    if (group !== undefined) option.helpGroup(group);
    command.addOption(option);
  }
  return command.addHelpText('after', notes);
}

/** Returns the names of the command that a command line selects, each with a space after it. */
function commandMeant(program: Command, [first = '', ...rest]: readonly string[]): string {
  const command = program.commands.find((each) => each.name() === first);
  return command === undefined ? '' : `${first} ${commandMeant(command, rest)}`;
}

/**
 * Converts errors of commander and our own defects into CcwbError.
 *
 * @param help the command that explains the one that was wrong.
 */
function asAdminError(thrown: unknown, help: string): CcwbError {
  if (thrown instanceof CcwbError) return thrown;
  if (thrown instanceof CommanderError) {
    // Commander puts "did you mean" on a line of its own.
    const message = thrown.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
    return new CcwbError('ERR_USAGE', message, `run ${help}`);
  }
  const name = thrown instanceof Error ? thrown.name : typeof thrown;
  return new CcwbError(
    'ERR_INTERNAL',
    `unexpected ${name}`,
    'run it again with ccwb --debug and report what it prints',
    {
      cause: thrown,
    },
  );
}

function stackTrace(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause === undefined ? '' : `\ncaused by ${stackTrace(thrown.cause)}`;
  return `${thrown.stack}${cause}`;
}
