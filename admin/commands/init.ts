import type { Command } from 'commander';
import { Option } from 'commander';
import type { AdminEdges } from '../edges.ts';
import { ANSWER_NAMES, ANSWERS, type AnswerSpec, valueWord } from '../init/names.ts';
import type { InitFlags } from '../init/run.ts';

const EXAMPLES = `
Every question has a flag, and a field of the same name in a file of answers (YAML or
JSON). What has neither is asked; with --yes it takes today's value or the default.

Examples:
  Be asked everything:
    $ ccwb init

  Be asked the rest:
    $ ccwb init --provider-domain company.okta.com --client-id 0oa1example

  In a pipeline:
    $ ccwb init --answers answers.yaml --yes --json

  Change one thing and keep everything else:
    $ ccwb init --profile Research --audit yes --yes
`;

export function addInitCommand(program: Command, edges: AdminEdges): void {
  const command = program
    .command('init')
    .description('set up a deployment, or change one: the wizard')
    .option('--profile <name>', 'which profile (default: the current one, else ClaudeCode)')
    .option('--answers <file>', 'answers in YAML or JSON, with the names of the flags below')
    .option('--yes', 'take the default of what is not answered, and save')
    .option('--no-check', 'ask neither the identity provider nor AWS')
    .option('--no-check-provider', 'do not ask the identity provider')
    .option('--no-check-aws', 'do not ask AWS')
    .option('--json', 'print what was saved as JSON')
    .addHelpText('after', EXAMPLES);
  for (const name of ANSWER_NAMES) {
    const spec: AnswerSpec = ANSWERS[name];
    command.addOption(new Option(`--${name} <${valueWord(spec)}>`, spec.help).helpGroup(`${spec.step}:`));
  }
  command.action(async (flags: InitFlags) => {
    const { init } = await import('../init/run.ts');
    await init(flags, edges);
  });
}
