import type { Command, CommandFlag, CommandHandler } from './command.ts';

const PROFILE: CommandFlag = {
  flags: '-p, --profile <name>',
  text: 'profile of config.json (else CCWB_PROFILE, else ClaudeCode, else the only one)',
  values: 'profiles',
};
const ONLY_PROFILE: CommandFlag = {
  flags: '-p, --profile <name>',
  text: 'only this profile',
  values: 'profiles',
};
const JSON_FLAG: CommandFlag = { flags: '--json', text: 'for programs' };
const SINCE: CommandFlag = {
  flags: '--since <when>',
  text: 'from then on: 10m, 2h, 3d ago, or a time such as "2026-01-02 15:04"',
};

const service = (name: string, description: string, load: () => Promise<CommandHandler>): Command => ({
  name,
  description,
  examples: [`bedrock-auth service ${name}`],
  load,
});

const SERVICE_NOTES = `The service is yours alone: no root, nothing outside your home. You can do
without: then the first program that asks for credentials starts the daemon.
With it the daemon starts when you log in, and again if it fails. On Linux it
ends with your last logout; jobs after that need loginctl enable-linger.
install keeps HTTPS_PROXY, HTTP_PROXY, NO_PROXY and NODE_EXTRA_CA_CERTS of the
shell it runs in, which a service does not see.`;

/** The commands of `bedrock-auth`. Help, completion and parser are built from this table. */
export const COMMANDS: readonly Command[] = [
  {
    name: 'login',
    description: 'Sign in. Says so and does nothing when somebody is signed in already.',
    flags: [
      PROFILE,
      { flags: '--device', text: 'with a code for a browser on another device, also a phone' },
      { flags: '--no-browser', text: 'print the address of the page, do not open it' },
    ],
    examples: ['bedrock-auth login', 'bedrock-auth login --profile Team --device'],
    load: async () => (await import('./login.ts')).login,
  },
  {
    name: 'logout',
    description: 'End the session here and at the identity provider.',
    flags: [PROFILE, { flags: '--all', text: 'every profile in config.json' }],
    examples: ['bedrock-auth logout', 'bedrock-auth logout --all'],
    load: async () => (await import('./login.ts')).logout,
  },
  {
    name: 'status',
    description: 'Show who is signed in and until when. Starts nothing; exit status 1 without a daemon.',
    flags: [
      ONLY_PROFILE,
      JSON_FLAG,
      { flags: '-w, --watch', text: 'go on showing it, until Ctrl-C; piped, a line for each change' },
    ],
    examples: [
      'bedrock-auth status',
      'bedrock-auth status --watch',
      "bedrock-auth status --json | jq -r '.profiles[].credentialsUntil'",
    ],
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'doctor',
    description: 'Look for what keeps Claude Code from working, and say how to mend it.',
    flags: [
      ONLY_PROFILE,
      JSON_FLAG,
      { flags: '--bedrock', text: 'also whether Bedrock itself can be reached' },
      {
        flags: '--bundle <file>',
        text: 'write it to a file for a bug report, with status and log, without secrets and names',
        values: 'files',
      },
    ],
    notes: `Starts, changes and signs in nothing, and works without the daemon. The way to
the network is tried as the daemon takes it: its proxy, its certificates.
Exit status 0 when nothing is a problem; warnings are none.`,
    examples: ['bedrock-auth doctor', 'bedrock-auth doctor --bundle report.json'],
    load: async () => (await import('../doctor/doctor.ts')).doctor,
  },
  {
    name: 'logs',
    description: "Show the daemon's log, wherever it is.",
    flags: [
      { flags: '-f, --follow', text: 'go on with what comes, until Ctrl-C' },
      { flags: '-n, --lines <number>', text: 'the last so many lines (50; with --since: all)' },
      SINCE,
      { flags: '--json', text: 'the lines as they are: one JSON object each' },
    ],
    examples: ['bedrock-auth logs --follow', "bedrock-auth logs --since 2h --json | jq 'select(.code)'"],
    load: async () => (await import('./logs.ts')).logs,
  },
  {
    name: 'audit',
    description: 'Show which programs got which credentials, and when.',
    flags: [
      ONLY_PROFILE,
      { flags: '--program <text>', text: 'only programs with this in their path' },
      { flags: '--refused', text: 'only what was refused' },
      { flags: '-n, --lines <number>', text: 'the last so many lines (50; with --since: all)' },
      SINCE,
      { flags: '--json', text: 'the lines as they are: one JSON object each' },
    ],
    examples: ['bedrock-auth audit --since 1d', 'bedrock-auth audit --program claude --json'],
    load: async () => (await import('./audit.ts')).audit,
  },
  {
    name: 'env',
    description: 'Print credentials as commands that set AWS_ variables in a shell.',
    flags: [
      PROFILE,
      {
        flags: '--shell <name>',
        text: 'sh (also bash and zsh), fish or powershell; else told from SHELL',
        values: ['sh', 'fish', 'powershell'],
      },
      { flags: '--container', text: 'the two variables that lead to the container credentials endpoint' },
    ],
    notes: `For tools that read nothing but variables. Such credentials do not renew
themselves: where a tool knows AWS profiles, AWS_PROFILE is the better way.
Variables that would go before them, such as AWS_PROFILE, are unset.
With --container there are no credentials in them: the tool asks the daemon,
again and again, where container_credentials_port is set in config.json.`,
    examples: [
      'eval "$(bedrock-auth env)"',
      'bedrock-auth env --shell fish | source',
      'eval "$(bedrock-auth env --container)"',
    ],
    load: async () => (await import('./environment.ts')).env,
  },
  {
    name: 'exec',
    description: 'Run a command with credentials in its environment.',
    flags: [PROFILE],
    operand: {
      name: '<command...>',
      text: 'the command and its arguments, best after --',
      values: 'commands',
    },
    notes: `Signals are passed on, and the exit status is that of the command: 128 and the
number of the signal that ended it, 127 when there is no such command, 126 when
it cannot be run. The credentials do not renew themselves: for what runs longer
than they live, AWS_PROFILE is the better way.`,
    examples: ['bedrock-auth exec -- terraform plan', 'bedrock-auth exec --profile Team -- env'],
    load: async () => (await import('./environment.ts')).exec,
  },
  {
    name: 'service',
    description: 'Run the daemon as a service of yours: systemd on Linux, launchd on macOS.',
    notes: SERVICE_NOTES,
    examples: ['bedrock-auth service install', 'bedrock-auth service status'],
    commands: [
      service('install', 'Install the service, or bring it up to date, and start it.', async () => {
        return (await import('../service/service.ts')).installService;
      }),
      service('uninstall', 'Stop and remove the service. The sign-in stays.', async () => {
        return (await import('../service/service.ts')).uninstallService;
      }),
      service(
        'start',
        'Start the daemon now.',
        async () => (await import('../service/service.ts')).startService,
      ),
      service(
        'stop',
        'Stop the daemon. The next program that needs credentials starts it again.',
        async () => (await import('../service/service.ts')).stopService,
      ),
      service(
        'restart',
        'Restart the daemon, answering what is in flight. Cancels a sign-in.',
        async () => (await import('../service/service.ts')).restartService,
      ),
      {
        name: 'status',
        description: 'Show the service. Starts nothing; exit status 1 unless it is installed and runs.',
        flags: [JSON_FLAG],
        examples: ['bedrock-auth service status', 'bedrock-auth service status --json'],
        load: async () => (await import('../service/service-status.ts')).serviceStatus,
      },
    ],
  },
  {
    name: 'completion',
    description: 'Print the completion of these commands for a shell.',
    flags: [{ flags: '--profiles', text: 'print the names of profiles, which completion offers' }],
    operand: { name: '[shell]', text: 'bash, zsh or fish', values: ['bash', 'zsh', 'fish'] },
    notes: `To have it in each new shell, once:
  bash  echo 'source <(bedrock-auth completion bash)' >> ~/.bashrc
  zsh   echo 'source <(bedrock-auth completion zsh)' >> ~/.zshrc
  fish  bedrock-auth completion fish > ~/.config/fish/completions/bedrock-auth.fish`,
    examples: ['source <(bedrock-auth completion bash)'],
    load: async () => (await import('./completion.ts')).createCompletion(COMMANDS),
  },
  {
    name: 'uninstall',
    description: 'Sign out and remove everything that was installed for you.',
    flags: [
      { flags: '--dry-run', text: 'show what would be removed, and remove nothing' },
      { flags: '-y, --yes', text: 'do not ask' },
      { flags: '--keep-config', text: 'keep config.json and network.json' },
      { flags: '--keep-logs', text: 'keep the log and the audit log' },
      {
        flags: '--installation <folder>',
        text: 'the one that is meant, also of the legacy tool (else that of this program)',
        values: 'files',
      },
    ],
    notes: `Removes the sign-in (here and at the identity provider), the service, the
sections of ~/.aws/config and the settings of Claude Code that lead to this
installation, and its folder. Everything else in those files stays as it is,
byte for byte. It says what it left and why.`,
    examples: ['bedrock-auth uninstall --dry-run', 'bedrock-auth uninstall --yes --keep-logs'],
    load: async () => (await import('../uninstall/uninstall.ts')).uninstall,
  },
];
