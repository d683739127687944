import { Command, CommanderError } from 'commander';
import { BUILD_VERSION } from '../protocol/version.ts';
import { login, logout } from './login.ts';
import { type Program, runProgram, usageError } from './program.ts';
import { installService, restartService, startService, stopService, uninstallService } from './service.ts';
import { serviceStatus } from './service-status.ts';
import { status } from './status.ts';

const PROFILE_FLAG = '-p, --profile <name>';
const PROFILE_TEXT = 'profile of config.json (else CCWB_PROFILE, else ClaudeCode, else the only one)';

const SERVICE_NOTES = `The service is yours alone: no root, nothing outside your home. You can do
without: then the first program that asks for credentials starts the daemon.
With it the daemon starts when you log in, and again if it fails. On Linux it
ends with your last logout; jobs after that need loginctl enable-linger.
install keeps HTTPS_PROXY, HTTP_PROXY, NO_PROXY and NODE_EXTRA_CA_CERTS of the
shell it runs in, which a service does not see.`;

/** What the person at the keyboard types. */
async function main(program: Program): Promise<number> {
  let exit = 0;
  let help = '';
  const noted =
    <T>(run: (program: Program, options: T) => Promise<number>) =>
    async (options: T): Promise<void> => {
      exit = await run(program, options);
    };
  const root = command('bedrock-auth', 'Sign in to Claude Code on Amazon Bedrock, and see how it stands.')
    .version(`bedrock-auth ${BUILD_VERSION}`, '-v, --version', 'print the version')
    .addHelpText('after', examples('bedrock-auth login', 'bedrock-auth status'));
  root.addCommand(
    command('login', 'Sign in. Says so and does nothing when somebody is signed in already.')
      .option(PROFILE_FLAG, PROFILE_TEXT)
      .option('--device', 'with a code for a browser on another device, also a phone')
      .option('--no-browser', 'print the address of the page, do not open it')
      .addHelpText('after', examples('bedrock-auth login', 'bedrock-auth login --profile Team --device'))
      .action(noted(login)),
  );
  root.addCommand(
    command('logout', 'End the session here and at the identity provider.')
      .option(PROFILE_FLAG, PROFILE_TEXT)
      .option('--all', 'every profile in config.json')
      .addHelpText('after', examples('bedrock-auth logout', 'bedrock-auth logout --all'))
      .action(noted(logout)),
  );
  root.addCommand(
    command('status', 'Show who is signed in and until when. Starts nothing; exit status 1 without a daemon.')
      .option(PROFILE_FLAG, 'only this profile')
      .option('--json', 'for programs')
      .addHelpText('after', examples('bedrock-auth status', 'bedrock-auth status --json'))
      .action(noted(status)),
  );
  const service = serviceCommand(noted);
  root.addCommand(service);
  for (const each of [root, ...root.commands, ...service.commands]) {
    each
      .exitOverride()
      .helpOption('-h, --help', 'print this text')
      .configureOutput({
        writeOut: (text) => {
          help += text;
        },
        writeErr: () => {},
      });
  }
  try {
    for (const each of [root, service]) {
      const bare = each === root ? program.args.length === 0 : program.args.join() === each.name();
      if (bare) throw usageError(program.name, missingCommand(each));
    }
    await root.parseAsync(program.args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw usageError(program.name, oneLine(error.message));
  }
  await program.print(help);
  return exit;
}

type Noted = <T>(run: (program: Program, options: T) => Promise<number>) => (options: T) => Promise<void>;

function serviceCommand(noted: Noted): Command {
  const service = command(
    'service',
    'Run the daemon as a service of yours: systemd on Linux, launchd on macOS.',
  )
    .addHelpText('after', `\n${SERVICE_NOTES}`)
    .addHelpText('after', examples('bedrock-auth service install', 'bedrock-auth service status'));
  const add = (name: string, description: string, run: (program: Program) => Promise<number>): void => {
    const example = examples(`bedrock-auth service ${name}`);
    service.addCommand(command(name, description).addHelpText('after', example).action(noted(run)));
  };
  add('install', 'Install the service, or bring it up to date, and start it.', installService);
  add('uninstall', 'Stop and remove the service. The sign-in stays.', uninstallService);
  add('start', 'Start the daemon now.', startService);
  add('stop', 'Stop the daemon. The next program that needs credentials starts it again.', stopService);
  add('restart', 'Restart the daemon, answering what is in flight. Cancels a sign-in.', restartService);
  service.addCommand(
    command('status', 'Show the service. Starts nothing; exit status 1 unless it is installed and runs.')
      .option('--json', 'for programs')
      .addHelpText('after', examples('bedrock-auth service status', 'bedrock-auth service status --json'))
      .action(noted(serviceStatus)),
  );
  return service;
}

function command(name: string, description: string): Command {
  return new Command(name).description(description).helpCommand(false).showSuggestionAfterError();
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

function missingCommand(root: Command): string {
  return `a command is needed: ${root.commands.map((each) => each.name()).join(', ')}`;
}

/** Commander's text in the style of our errors. */
function oneLine(message: string): string {
  return message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
}

await runProgram('bedrock-auth', main);
