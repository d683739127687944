import { ANSWER_NAMES, ANSWERS, type AnswerSpec, valueWord } from '../init/names.ts';
import type { InitFlags } from '../init/run.ts';
import type { AdminCommand, AdminFlag, CommandCall } from './command.ts';

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

export const INIT: AdminCommand = {
  name: 'init',
  description: 'set up a deployment, or change one: the wizard',
  flags: [
    { flags: '--profile <name>', text: 'which profile (default: the current one, else ClaudeCode)' },
    { flags: '--answers <file>', text: 'answers in YAML or JSON, with the names of the flags below' },
    { flags: '--yes', text: 'take the default of what is not answered, and save' },
    { flags: '--no-check', text: 'ask neither the identity provider nor AWS' },
    { flags: '--no-check-provider', text: 'do not ask the identity provider' },
    { flags: '--no-check-aws', text: 'do not ask AWS' },
    { flags: '--json', text: 'print what was saved as JSON' },
    ...ANSWER_NAMES.map((name): AdminFlag => {
      const spec: AnswerSpec = ANSWERS[name];
      return { flags: `--${name} <${valueWord(spec)}>`, text: spec.help, group: `${spec.step}:` };
    }),
  ],
  notes: EXAMPLES,
  run: async ({ flags, edges }: CommandCall<InitFlags>) => {
    const { init } = await import('../init/run.ts');
    await init(flags, edges);
  },
};
